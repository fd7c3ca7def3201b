"""Addresses of the bell's list, of what is chosen about it, and of the links in mails."""

from django.urls import path

from notifications import views

app_name = "notifications"

urlpatterns = [
    path("", views.notices, name="list"),
    path("<int:pk>/", views.go, name="go"),
    path("<int:pk>/read/", views.read_one, name="read"),
    path("<int:pk>/clear/", views.clear_one, name="clear"),
    path("read-all/", views.read_all, name="read_all"),
    path("clear-all/", views.clear_all, name="clear_all"),
    path("settings/", views.settings_page, name="settings"),
    path("settings/quiet/", views.quiet_hours, name="quiet"),
    path("settings/pause/", views.pause_now, name="pause"),
    path("settings/resume/", views.resume_now, name="resume"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]

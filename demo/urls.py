"""Addresses of the demo. They answer 404 unless the site runs in demo mode."""

from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [
    path("", views.people_list, name="people"),
    path("sign-in/<slug:slug>/", views.sign_in, name="sign_in"),
    path("switch/", views.switch, name="switch"),
    path("photo/<slug:slug>/", views.photo, name="photo"),
]

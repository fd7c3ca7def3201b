from django.urls import path

from realtime.tests.board import views

app_name = "board"
urlpatterns = [
    path("<int:pk>/", views.board, name="board"),
    path("<int:pk>/desk/", views.desk, name="desk"),
    path("<int:pk>/last-words/", views.last_words, name="last_words"),
]

from django.urls import path

from realtime.tests.board import views

app_name = "board"
urlpatterns = [path("<int:pk>/", views.board, name="board")]

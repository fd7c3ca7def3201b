"""Addresses of the desk, under /desk/. All of them are for admins."""

from django.urls import path

from adminpanel.views import compose, messages, replies

app_name = "desk"
urlpatterns = [
    path("messages/", messages.conversations, name="messages"),
    path("messages/new/", compose.compose, name="compose"),
    path("messages/<int:pk>/", messages.conversation, name="conversation"),
    path("replies/", replies.replies, name="replies"),
    path("replies/new/<slug:role>/", replies.add, name="reply_add"),
    path("replies/<int:pk>/", replies.change, name="reply_change"),
    path("replies/<int:pk>/remove/", replies.remove, name="reply_remove"),
    path("replies/<int:pk>/up/", replies.move_up, name="reply_up"),
    path("replies/<int:pk>/down/", replies.move_down, name="reply_down"),
]

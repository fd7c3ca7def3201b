"""Addresses of the desk, under /desk/. All of them are for admins."""

from django.urls import path

from adminpanel.views import compose, drivers, fleet, legs, messages, replies

app_name = "desk"
urlpatterns = [
    path("fleet/", fleet.fleet, name="fleet"),
    path("fleet/<int:pk>/", drivers.driver, name="driver"),
    path("fleet/<int:pk>/track/", drivers.driver_track, name="driver_track"),
    path("fleet/<int:pk>/ask/", drivers.driver_ask, name="driver_ask"),
    path("fleet/<int:pk>/change/", drivers.driver_change, name="driver_change"),
    path("legs/new/", legs.leg_new, name="leg_new"),
    path("legs/<int:pk>/", legs.leg, name="leg"),
    path("legs/<int:pk>/offer/", legs.leg_offer, name="leg_offer"),
    path("legs/<int:pk>/cancel/", legs.leg_cancel, name="leg_cancel"),
    path("dispatches/<int:pk>/revoke/", legs.dispatch_revoke, name="dispatch_revoke"),
    path("dispatches/<int:pk>/cancel/", legs.dispatch_cancel, name="dispatch_cancel"),
    path("dispatches/<int:pk>/reassign/", legs.dispatch_reassign, name="dispatch_reassign"),
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

"""What people do in conversations, and what the desk does for them."""

from chat.actions.broadcast import broadcast
from chat.actions.marks import mark_seen
from chat.actions.messages import delete_message, send_message
from chat.actions.opening import ask_about, desk_conversation
from chat.actions.replies import add_quick_reply, change_quick_reply, order_quick_replies, remove_quick_reply

__all__ = [
    "add_quick_reply",
    "ask_about",
    "broadcast",
    "change_quick_reply",
    "delete_message",
    "desk_conversation",
    "mark_seen",
    "order_quick_replies",
    "remove_quick_reply",
    "send_message",
]

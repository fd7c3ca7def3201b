from django.apps import AppConfig


class AdminpanelConfig(AppConfig):
    """The desk: pages only; its verbs are the actions of the apps below."""

    name = "adminpanel"

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """People talking inside the job, and with the desk."""

    name = "chat"

    def ready(self) -> None:
        """Have what happens to jobs written into their conversations."""
        from chat import transitions

        transitions.connect()

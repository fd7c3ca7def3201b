from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """The people on the road: shifts, positions, journeys, and who is sent."""

    name = "tracking"

    def ready(self) -> None:
        """Have journeys and legs end with the visits and jobs they belong to."""
        from tracking import transitions

        transitions.connect()

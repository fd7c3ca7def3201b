"""What follows live of the road: the driver's screen, who is on the way, and where everybody is."""

from tracking.live import drive, incoming, journeys, positions

__all__ = ["drive", "incoming", "journeys", "positions"]

"""What follows live on pages of bookings: the customer's side, the technician's, and everybody's banner."""

from bookings.live import banner, customer, disputes, reviews, technician

__all__ = ["banner", "customer", "disputes", "reviews", "technician"]

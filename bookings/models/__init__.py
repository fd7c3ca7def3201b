"""The tables of bookings: jobs with their offers and visits, reviews, disputes."""

from bookings.models.disputes import Dispute, DisputeEvidence, DisputeHistory
from bookings.models.jobs import (
    COMING_EARLY,
    LATITUDE,
    LONGITUDE,
    Bid,
    BidHistory,
    BidRevision,
    Booking,
    BookingHistory,
    BookingPhoto,
    CompletionNote,
    CompletionPhoto,
    ContactAttempt,
    RescheduleProposal,
    ServiceCategory,
    Session,
    SessionHistory,
    photo_path,
)
from bookings.models.reviews import Review, ReviewFlag, ReviewHistory

__all__ = [
    "COMING_EARLY",
    "LATITUDE",
    "LONGITUDE",
    "Bid",
    "BidHistory",
    "BidRevision",
    "Booking",
    "BookingHistory",
    "BookingPhoto",
    "CompletionNote",
    "CompletionPhoto",
    "ContactAttempt",
    "Dispute",
    "DisputeEvidence",
    "DisputeHistory",
    "RescheduleProposal",
    "Review",
    "ReviewFlag",
    "ReviewHistory",
    "ServiceCategory",
    "Session",
    "SessionHistory",
    "photo_path",
]

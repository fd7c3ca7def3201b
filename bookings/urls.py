"""The addresses of bookings: `home` at the root, everything else in the namespace `bookings`."""

from __future__ import annotations

from django.urls import include, path

from bookings import urls_disputes, urls_technician, views
from bookings.views import booking_form, customer, photos, reviews
from bookings.views.home import home

customer_patterns = [
    path("book/", booking_form.what, name="book"),
    path("book/where/", booking_form.where, name="book_where"),
    path("book/when/", booking_form.when, name="book_when"),
    path("book/review/", booking_form.review, name="book_review"),
    path("book/discard/", booking_form.discard, name="book_discard"),
    path("jobs/<int:pk>/", views.job, name="job"),
    path("jobs/<int:pk>/bids/<int:bid_pk>/accept/<int:revision>/", customer.accept, name="accept"),
    path("jobs/<int:pk>/bids/<int:bid_pk>/decline/", customer.reject, name="reject"),
    path("jobs/<int:pk>/cancel/", customer.cancel, name="cancel"),
    path("jobs/<int:pk>/time/", customer.change_time, name="change_time"),
    path("jobs/<int:pk>/start/", customer.start_by_tap, name="start_by_tap"),
    path("jobs/<int:pk>/code/", customer.new_code, name="new_code"),
    path("jobs/<int:pk>/move/", customer.reschedule, name="reschedule"),
    path("jobs/<int:pk>/move/<int:proposal_pk>/accept/", customer.reschedule_accept, name="reschedule_accept"),
    path("jobs/<int:pk>/move/<int:proposal_pk>/decline/", customer.reschedule_decline, name="reschedule_decline"),
    path("jobs/<int:pk>/move/<int:proposal_pk>/withdraw/", customer.reschedule_withdraw, name="reschedule_withdraw"),
    path("jobs/<int:pk>/contact/", customer.contact, name="contact"),
    path("jobs/<int:pk>/no-show/", customer.no_show, name="no_show"),
    path("jobs/<int:pk>/review/", reviews.review, name="review"),
    path("technicians/<int:pk>/reviews/", reviews.reviews_of, name="reviews_of"),
    path("reviews/<int:pk>/flag/", reviews.flag_review, name="flag_review"),
    path("photos/<int:pk>/", photos.photo, name="photo"),
    path("photos/finished/<int:pk>/", photos.completion_photo, name="completion_photo"),
]

urlpatterns = [
    path("", home, name="home"),
    path("", include(([*customer_patterns, *urls_technician.urlpatterns, *urls_disputes.urlpatterns], "bookings"))),
]

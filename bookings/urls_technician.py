"""The technician's addresses, within the namespace `bookings`. The job page is shared: see `bookings.urls`."""

from __future__ import annotations

from django.urls import URLPattern, path

from bookings.views import technician, technician_offers, technician_visit

urlpatterns: list[URLPattern] = [
    path("today/", technician.today, name="today"),
    path("market/", technician.marketplace, name="marketplace"),
    path("work/<int:pk>/offer/", technician_offers.offer, name="offer"),
    path("work/offers/<int:pk>/withdraw/", technician_offers.withdraw_offer, name="withdraw_offer"),
    path("work/visits/<int:pk>/check-in/", technician_visit.check_in, name="check_in"),
    path("work/visits/<int:pk>/code/", technician_visit.enter_code, name="enter_code"),
    path("work/visits/<int:pk>/pause/", technician_visit.pause_session, name="pause_session"),
    path("work/visits/<int:pk>/resume/", technician_visit.resume_session, name="resume_session"),
    path("work/visits/<int:pk>/complete/", technician_visit.complete_session, name="complete_session"),
    path("work/visits/<int:pk>/stop/", technician_visit.stop_work, name="stop_work"),
    path("work/visits/<int:pk>/release/", technician_visit.release, name="release"),
    path("work/visits/<int:pk>/attempt/", technician_visit.contact_attempt, name="contact_attempt"),
    path("work/visits/<int:pk>/no-show/", technician_visit.report_no_show, name="report_no_show"),
    path("work/visits/<int:pk>/move/", technician_visit.propose_move, name="propose_move"),
    path("work/moves/<int:pk>/accept/", technician_visit.accept_move, name="accept_move"),
    path("work/moves/<int:pk>/decline/", technician_visit.decline_move, name="decline_move"),
    path("work/moves/<int:pk>/withdraw/", technician_visit.withdraw_move, name="withdraw_move"),
]

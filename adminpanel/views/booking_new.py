"""The desk books for a customer: who it is for, then all of it on one page."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render

from accounts.access import signed_in
from accounts.models import Role, User
from adminpanel.forms.bookings import WhyForm
from adminpanel.talk.recipients import called, numbers
from adminpanel.views.replies import deed
from bookings import actions
from bookings.forms.booking import WhatForm, WhenForm, WhereForm
from bookings.links import desk_url
from bookings.models import Booking, ServiceCategory
from common.http import SeeOther
from common.refusals import Refusal
from common.zones import zone_names

MOST_FOUND = 20


@deed
def booking_new(request: HttpRequest) -> HttpResponse:
    """The form for a customer; without one, the customers to choose from."""
    chosen = next(iter(numbers([request.GET.get("customer", "")])), None)
    if chosen is None:
        return choose(request)
    customer = get_object_or_404(User, pk=chosen, role=Role.CUSTOMER, is_active=True)
    form = BookFor(request.POST if request.method == "POST" else None, customer)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.book_for(customer, by=signed_in(request), reason=form.reason, **form.kept())
        except Refusal as refusal:
            form.why.add_error(None, refusal.sentence)
        else:
            return SeeOther(desk_url("booking", made.pk))
    status = 422 if request.method == "POST" else 200
    return render(request, "adminpanel/booking_new.html", {"customer": customer, "form": form}, status=status)


def choose(request: HttpRequest) -> HttpResponse:
    """The customers: those found, or those who came last."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:100]
    rows = User.objects.filter(role=Role.CUSTOMER, is_active=True)
    rows = rows.filter(called(search)) if search else rows
    found = list(rows.order_by("-pk")[: MOST_FOUND + 1])
    context = {"people": found[:MOST_FOUND], "has_more": len(found) > MOST_FOUND, "search": search}
    return render(request, "adminpanel/booking_choose.html", context)


class BookFor:
    """The customer's own steps on one page, and why the desk books."""

    def __init__(self, data: QueryDict | None, customer: User) -> None:
        last = Booking.objects.filter(customer=customer).exclude(address_line1="").order_by("-pk").first()
        draft = Booking(customer=customer, category=category_of(data), time_zone=zone_of(data, last))
        self.what = WhatForm(data)
        self.where = WhereForm(data, initial=WhereForm.initial_of(last) if last else None)
        self.when = WhenForm(data, draft=draft, initial=WhenForm.initial_for(draft))
        self.when.fields["budget"].label = "Their budget"
        self.why = WhyForm(data)

    @property
    def forms(self) -> list[BaseForm]:
        """The parts, in their order."""
        return [self.what, self.where, self.when, self.why]

    def is_valid(self) -> bool:
        """Whether all parts are in order; each says what is not."""
        return sum(not form.is_valid() for form in self.forms) == 0

    def kept(self) -> Any:
        """The fields of the booking."""
        return {**self.what.kept(), **self.where.kept(), **self.when.kept()}

    @property
    def reason(self) -> str:
        """Why, as it was typed."""
        return str(self.why.cleaned_data["reason"])


def category_of(data: QueryDict | None) -> ServiceCategory | None:
    """The kind of job that was chosen: it says how long one usually takes."""
    pk = next(iter(numbers([data.get("category", "")])), None) if data else None
    return ServiceCategory.objects.filter(pk=pk).first() if pk is not None else None


def zone_of(data: QueryDict | None, last: Booking | None) -> str:
    """The zone of the place: as typed, or where they booked before, or the site's."""
    typed = data.get("time_zone", "") if data else ""
    known = typed if typed in zone_names() else ""
    return known or (last.time_zone if last else str(Booking._meta.get_field("time_zone").get_default()))

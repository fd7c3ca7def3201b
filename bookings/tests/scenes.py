"""Everything that happens between a customer and technicians, once each: the set-up, the last act, and who then
hears of what. Alice books, Bob works for her, Dora bids against him; Charlie, Ed and Sparks have no part in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from bookings import actions, due
from bookings.models import Bid, Booking, Session
from bookings.tests import make
from bookings.tests.make import BRIGHTON, DAY, HOUR, MINUTE, NOW

Act = Callable[[], object]
Heard = frozenset[tuple[str, str]]


class Cast:
    """The fixed cast, and what most scenes begin with."""

    def __init__(self) -> None:
        self.alice, self.charlie = make.person("Alice", phone="+44 7700 900321"), make.person("Charlie")
        self.bob, self.dora = make.technician("Bob"), make.technician("Dora")
        self.far, self.sparks = make.technician("Far", base=BRIGHTON), make.technician("Sparks", "electrics")
        self.nina = make.technician("Nina", verified=False)
        self.ed, self.frank = make.person("Ed", "driver"), make.person("Frank", "admin", is_staff=True)

    def job(self) -> Booking:
        """Alice's open job."""
        return make.job(self.alice)

    def offer(self) -> Bid:
        """Bob's offer on it, beside Dora's dearer one."""
        booking = self.job()
        make.offer(booking, self.dora, 70)
        return make.offer(booking, self.bob, 60)

    def visit(self) -> Session:
        """Bob has won it."""
        return make.accept(self.offer())

    def asked(self, by: User) -> tuple[Session, object]:
        """One side asks to move the visit."""
        visit = self.visit()
        wish = actions.propose_reschedule(visit, by=by, starts_at=visit.starts_at + HOUR, now=NOW + MINUTE)
        return visit, wish


@dataclass(frozen=True)
class Scene:
    """`begin(cast)` sets up and returns the last act; `heard` is what exactly follows: (first name, kind)."""

    name: str
    begin: Callable[[Cast], Act]
    heard: Heard


SCENES: list[Scene] = []


def scene(**heard: str) -> Callable[[Callable[[Cast], Act]], Callable[[Cast], Act]]:
    """Declare a scene: scene(alice="offer_new", bob="…"); several kinds of one person are separated by spaces."""

    def declare(begin: Callable[[Cast], Act]) -> Callable[[Cast], Act]:
        pairs = ((name.capitalize(), f"bookings.{kind}") for name, kinds in heard.items() for kind in kinds.split())
        SCENES.append(Scene(begin.__name__, begin, frozenset(pairs)))
        return begin

    return declare


LATER = NOW + 2 * MINUTE


# --- Jobs -----------------------------------------------------------------------------------------


@scene(bob="new_job", dora="new_job")
def a_job_is_placed(cast: Cast) -> Act:
    draft = make.draft(cast.alice)
    return lambda: actions.open_booking(draft, by=cast.alice, now=NOW)


@scene(alice="by_desk", bob="new_job", dora="new_job")
def the_desk_places_a_job(cast: Cast) -> Act:
    draft = make.draft(cast.alice)
    return lambda: actions.open_booking(draft, by=cast.frank, now=NOW)


def moved_window(cast: Cast, by: User) -> Act:
    """To the day after: Dora's offer is for then already, Bob's is not."""
    booking = make.job(cast.alice, window_end=make.TOMORROW_NOON + DAY + 4 * HOUR)
    make.offer(booking, cast.bob)
    make.offer(booking, cast.dora, starts_at=booking.window_start + DAY)
    start = booking.window_start + DAY
    return lambda: actions.change_window(booking, by=by, window_start=start, window_end=start + 4 * HOUR, now=LATER)


@scene(bob="offer_outside", dora="time_changed")
def the_window_moves(cast: Cast) -> Act:
    return moved_window(cast, cast.alice)


@scene(alice="by_desk", bob="offer_outside", dora="time_changed")
def the_desk_moves_the_window(cast: Cast) -> Act:
    return moved_window(cast, cast.frank)


@scene(alice="job_expired", bob="job_closed", dora="job_closed")
def nobody_is_chosen_in_time(cast: Cast) -> Act:
    booking = cast.offer().booking
    return lambda: due.expire_bookings(booking.expires_at)


@scene(bob="job_closed", dora="job_closed")
def an_open_job_is_called_off(cast: Cast) -> Act:
    booking = cast.offer().booking
    return lambda: actions.cancel_booking(booking, by=cast.alice, reason="mistake", now=LATER)


@scene(alice="job_cancelled", bob="job_closed", dora="job_closed")
def the_desk_calls_an_open_job_off(cast: Cast) -> Act:
    booking = cast.offer().booking
    return lambda: actions.cancel_booking(booking, by=cast.frank, reason="mistake", now=LATER)


# --- Offers ---------------------------------------------------------------------------------------


@scene(alice="offer_new")
def an_offer_is_made(cast: Cast) -> Act:
    booking = cast.offer().booking
    third = make.technician("Third")
    return lambda: make.offer(booking, third, 50, now=LATER)


@scene(alice="offer_changed")
def an_offer_is_changed(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: actions.revise_bid(bid, by=cast.bob, amount=Decimal(50), starts_at=bid.starts_at, now=LATER)


@scene(alice="offer_new")
def a_withdrawn_offer_comes_back(cast: Cast) -> Act:
    bid = cast.offer()
    actions.withdraw_bid(bid, by=cast.bob, now=NOW + MINUTE)
    return lambda: actions.revise_bid(bid, by=cast.bob, amount=Decimal(50), starts_at=bid.starts_at, now=LATER)


@scene(alice="offer_new")
def a_lapsed_offer_comes_back(cast: Cast) -> Act:
    bid = make.offer(cast.job(), cast.bob, valid_until=NOW + MINUTE)
    due.expire_bids(NOW + MINUTE)
    return lambda: actions.revise_bid(bid, by=cast.bob, amount=Decimal(50), starts_at=bid.starts_at, now=LATER)


@scene(alice="offer_new")
def who_was_not_chosen_offers_again(cast: Cast) -> Act:
    visit = cast.visit()
    actions.release(visit, by=cast.bob, reason="Ill", now=NOW + MINUTE)
    bid = visit.booking.bids.get(technician=cast.dora.pk)
    return lambda: actions.revise_bid(bid, by=cast.dora, amount=bid.amount, starts_at=bid.starts_at, now=LATER)


@scene(alice="offer_withdrawn")
def an_offer_is_withdrawn(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: actions.withdraw_bid(bid, by=cast.bob, now=LATER)


@scene(alice="offer_withdrawn", bob="by_desk")
def the_desk_withdraws_an_offer(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: actions.withdraw_bid(bid, by=cast.frank, now=LATER)


@scene(bob="offer_declined")
def an_offer_is_declined(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: actions.reject_bid(bid, by=cast.alice, now=LATER)


@scene(alice="by_desk", bob="offer_declined")
def the_desk_declines_an_offer(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: actions.reject_bid(bid, by=cast.frank, now=LATER)


@scene(alice="offer_over", bob="offer_lapsed")
def an_offer_lapses(cast: Cast) -> Act:
    booking = cast.job()
    bid = make.offer(booking, cast.bob, valid_until=NOW + HOUR)
    make.offer(booking, cast.dora)
    return lambda: due.expire_bids(bid.valid_until)


@scene(bob="offer_accepted", dora="offer_not_selected")
def an_offer_is_accepted(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: make.accept(bid, now=LATER)


@scene(alice="by_desk", bob="offer_accepted", dora="offer_not_selected")
def the_desk_accepts_an_offer(cast: Cast) -> Act:
    bid = cast.offer()
    return lambda: make.accept(bid, by=cast.frank, now=LATER)


@scene(bob="offer_accepted offer_clashed", dora="offer_not_selected", charlie="offer_withdrawn")
def winning_withdraws_an_offer_for_the_same_time(cast: Cast) -> Act:
    bid = cast.offer()
    make.offer(make.job(cast.charlie), cast.bob)
    return lambda: make.accept(bid, now=LATER)


# --- Visits ---------------------------------------------------------------------------------------


@scene(alice="technician_released", dora="job_reopened")
def a_visit_is_given_back(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.release(visit, by=cast.bob, reason="Ill", now=LATER)


@scene(alice="technician_released", dora="job_reopened", bob="visit_cancelled")
def the_desk_takes_a_visit_back(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.release(visit, by=cast.frank, reason="Ill", now=LATER)


@scene(bob="visit_cancelled")
def a_visit_is_called_off(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.cancel_booking(visit.booking, by=cast.alice, reason="mistake", now=LATER)


@scene(alice="job_cancelled", bob="visit_cancelled")
def the_desk_calls_a_visit_off(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.cancel_booking(visit.booking, by=cast.frank, reason="mistake", now=LATER)


@scene(alice="job_cancelled")
def a_visit_is_stopped_on_site(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    return lambda: actions.cancel_booking(visit.booking, by=cast.bob, reason="unsafe", now=visit.starts_at)


@scene(bob="visit_cancelled")
def work_is_called_off(cast: Cast) -> Act:
    visit = make.live(cast.visit())
    return lambda: actions.cancel_booking(visit.booking, by=cast.alice, reason="other", now=visit.starts_at + HOUR)


@scene(bob="visit_cancelled")
def paused_work_is_called_off(cast: Cast) -> Act:
    visit = paused(cast)
    return lambda: actions.cancel_booking(visit.booking, by=cast.alice, reason="other", now=visit.starts_at + HOUR)


@scene(alice="at_your_door")
def somebody_is_at_the_door(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.check_in(visit, by=cast.bob, now=visit.starts_at)


@scene(alice="at_your_door", bob="by_desk")
def the_desk_checks_somebody_in(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.check_in(visit, by=cast.frank, now=visit.starts_at)


@scene(alice="work_begun")
def the_code_is_right(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    return lambda: actions.start_session(visit, by=cast.bob, code=visit.start_code, now=visit.starts_at)


@scene(bob="work_let")
def the_customer_taps(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    return lambda: actions.start_session(visit, by=cast.alice, now=visit.starts_at)


@scene(alice="work_begun", bob="work_let")
def the_desk_starts_the_work(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    return lambda: actions.start_session(visit, by=cast.frank, now=visit.starts_at)


@scene(alice="work_paused")
def the_work_pauses(cast: Cast) -> Act:
    visit = make.live(cast.visit())
    return lambda: actions.pause_session(visit, by=cast.bob, reason="Lunch", now=visit.starts_at + MINUTE)


def paused(cast: Cast) -> Session:
    """Bob has his lunch."""
    visit = make.live(cast.visit())
    return actions.pause_session(visit, by=cast.bob, reason="Lunch", now=visit.starts_at + MINUTE)


@scene(alice="work_resumed")
def the_work_goes_on(cast: Cast) -> Act:
    visit = paused(cast)
    return lambda: actions.resume_session(visit, by=cast.bob, now=visit.starts_at + HOUR)


@scene(alice="work_resumed", bob="by_desk")
def the_desk_lets_it_go_on(cast: Cast) -> Act:
    visit = paused(cast)
    return lambda: actions.resume_session(visit, by=cast.frank, now=visit.starts_at + HOUR)


@scene(alice="work_finished")
def the_work_is_done(cast: Cast) -> Act:
    visit = make.live(cast.visit())
    return lambda: actions.complete_session(visit, by=cast.bob, note="Done.", now=visit.starts_at + HOUR)


@scene(alice="work_finished")
def it_ends_in_a_pause(cast: Cast) -> Act:
    visit = paused(cast)
    return lambda: actions.complete_session(visit, by=cast.bob, note="Done.", now=visit.starts_at + HOUR)


@scene(alice="contact_tried")
def the_technician_rings(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    return lambda: actions.record_contact_attempt(visit, by=cast.bob, channel="door", now=visit.starts_at)


@scene(bob="contact_tried")
def the_customer_calls(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.record_contact_attempt(visit, by=cast.alice, channel="call", now=visit.starts_at)


@scene(alice="no_show")
def nobody_opens(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    actions.record_contact_attempt(visit, by=cast.bob, channel="door", now=visit.starts_at)
    return lambda: actions.report_no_show(visit, by=cast.bob, now=visit.starts_at + 15 * MINUTE)


@scene(bob="no_show")
def nobody_comes(cast: Cast) -> Act:
    visit = cast.visit()
    actions.record_contact_attempt(visit, by=cast.alice, channel="call", now=visit.starts_at)
    return lambda: actions.report_no_show(visit, by=cast.alice, now=visit.starts_at + 15 * MINUTE)


@scene(alice="no_show", bob="no_show")
def the_clock_calls_a_no_show(cast: Cast) -> Act:
    visit = make.waiting(cast.visit())
    actions.record_contact_attempt(visit, by=cast.bob, channel="door", now=visit.starts_at)
    return lambda: due.call_no_shows(visit.starts_at + 2 * HOUR)


# --- Moving a visit -------------------------------------------------------------------------------


@scene(alice="move_asked")
def the_technician_asks_to_move(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.propose_reschedule(visit, by=cast.bob, starts_at=visit.starts_at + HOUR, now=LATER)


@scene(bob="move_asked")
def the_customer_asks_to_move(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.propose_reschedule(visit, by=cast.alice, starts_at=visit.starts_at + HOUR, now=LATER)


@scene(bob="move_asked", alice="by_desk")
def the_desk_asks_for_the_customer(cast: Cast) -> Act:
    visit = cast.visit()
    return lambda: actions.propose_reschedule(visit, by=cast.frank, starts_at=visit.starts_at + HOUR, now=LATER)


@scene(bob="move_asked")
def a_wish_takes_the_place_of_an_earlier_one(cast: Cast) -> Act:
    visit, _ = cast.asked(cast.alice)
    return lambda: actions.propose_reschedule(visit, by=cast.alice, starts_at=visit.starts_at + 2 * HOUR, now=LATER)


@scene(bob="move_agreed")
def the_customer_agrees(cast: Cast) -> Act:
    _, wish = cast.asked(cast.bob)
    return lambda: actions.accept_reschedule(wish, by=cast.alice, now=LATER)


@scene(alice="move_agreed")
def the_technician_agrees(cast: Cast) -> Act:
    _, wish = cast.asked(cast.alice)
    return lambda: actions.accept_reschedule(wish, by=cast.bob, now=LATER)


@scene(bob="move_agreed", alice="by_desk")
def the_desk_agrees_for_the_customer(cast: Cast) -> Act:
    _, wish = cast.asked(cast.bob)
    return lambda: actions.accept_reschedule(wish, by=cast.frank, now=LATER)


@scene(bob="move_declined")
def the_customer_declines_to_move(cast: Cast) -> Act:
    _, wish = cast.asked(cast.bob)
    return lambda: actions.decline_reschedule(wish, by=cast.alice, now=LATER)


@scene(alice="move_declined")
def the_technician_declines_to_move(cast: Cast) -> Act:
    _, wish = cast.asked(cast.alice)
    return lambda: actions.decline_reschedule(wish, by=cast.bob, now=LATER)


@scene(alice="move_withdrawn")
def a_wish_to_move_is_taken_back(cast: Cast) -> Act:
    _, wish = cast.asked(cast.bob)
    return lambda: actions.withdraw_reschedule(wish, by=cast.bob, now=LATER)


@scene(bob="move_lapsed")
def a_wish_to_move_lapses(cast: Cast) -> Act:
    _, wish = cast.asked(cast.bob)
    return lambda: due.expire_proposals(wish.expires_at)


@scene(bob="visit_cancelled")
def a_wish_to_move_ends_with_its_visit(cast: Cast) -> Act:
    visit, _ = cast.asked(cast.bob)
    return lambda: actions.cancel_booking(visit.booking, by=cast.alice, reason="mistake", now=LATER)

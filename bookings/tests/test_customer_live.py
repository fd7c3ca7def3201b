"""The customer's pages follow: what each change touches, who hears of it, and what is rendered then."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from accounts.models import Technician, User
from bookings import actions, due
from bookings.live import customer
from bookings.models import Booking, Session
from bookings.tests import make
from bookings.tests.follow import audience, on, sent, touched_by
from bookings.tests.make import HOUR, MINUTE, NOW
from realtime import topics
from realtime.journal import Touch
from realtime.topics import Principal

pytestmark = pytest.mark.django_db
OF_A_JOB = (customer.head, customer.now, customer.details, customer.timeline)
AT_HOME = (customer.active_job, customer.past_job)


def topic_of(booking: Booking) -> str:
    return f"booking.{booking.pk}.customer"


def panel(booking: Booking) -> str:
    """The middle of the customer's job page, as a push brings it."""
    html = sent([Touch(topic_of(booking), "bookings.job_now", str(booking.pk))], booking.customer)
    return html[f"bookings-job-now-{booking.pk}"] or ""


def story(booking: Booking) -> list[str]:
    """The lines of the timeline."""
    return [event.what for event in customer.timelines([str(booking.pk)])[str(booking.pk)].events]


@pytest.fixture
def everybody(alice, bob, charlie, dora, ed, frank) -> list[User]:
    return [alice, bob, charlie, dora, ed, frank]


class TestTopic:
    def test_it_is_the_customers_alone(self, everybody, alice, bob) -> None:
        visit = make.visit(alice, bob)
        people = {Principal("user", str(each.pk)) for each in everybody}
        assert topics.members(topic_of(visit.booking), people) == {Principal("user", str(alice.pk))}

    def test_a_closed_account_hears_nothing(self, alice) -> None:
        booking = make.job(alice)
        alice.is_active = False
        alice.save(update_fields=["is_active"])
        assert not topics.members(topic_of(booking), {Principal("user", str(alice.pk))})

    def test_it_asks_one_query(self, alice, charlie) -> None:
        booking = make.job(alice)
        with CaptureQueriesContext(connection) as queries:
            customer.customer_among({alice.pk, charlie.pk}, booking.pk)
        assert len(queries) == 1

    def test_a_job_that_is_not_there_has_no_customer(self, alice) -> None:
        assert not topics.members("booking.999999.customer", {Principal("user", str(alice.pk))})


class TestOffers:
    def test_a_new_one_touches_itself_and_whatever_counts_or_tells_it(self, everybody, alice, bob) -> None:
        booking = make.job(alice)
        found = touched_by(lambda: make.offer(booking, bob))
        pk = str(booking.pk)
        assert on(found, topic_of(booking)) == {
            ("bookings.offer", str(booking.bids.get().pk)),
            ("bookings.job_head", pk),
            ("bookings.job_now", pk),
            ("bookings.job_timeline", pk),
        }
        assert ("bookings.active_job", pk) in on(found, f"user.{alice.pk}")
        for name in ("bookings.offer", "bookings.job_now", "bookings.active_job"):
            assert audience(found, name, *everybody) == {"Alice"}

    def test_it_says_who_what_and_when_and_its_button_names_the_revision(self, alice, bob) -> None:
        booking = make.job(alice)
        found = touched_by(lambda: make.offer(booking, bob, 60, message="I bring the washer."))
        bid = booking.bids.get()
        html = sent(found, alice)[f"bookings-offer-{bid.pk}"]
        assert html
        read = strip_tags(html)
        for words in (
            "Bob Test",
            "£60.00",
            "Plumbing",
            "Verified",
            "I bring the washer.",
            "Wed 3 Mar, 12:00-13:00 GMT",
        ):
            assert words in read
        assert f'href="/jobs/{booking.pk}/bids/{bid.pk}/accept/1/" data-dialog' in html
        assert bob.email not in html and "csrf" not in html

    def test_the_phone_number_is_not_in_it_before_the_acceptance(self, alice) -> None:
        bob = make.technician("Bob", phone="+44 20 7946 0000")
        booking = make.job(alice)
        found = touched_by(lambda: make.offer(booking, bob))
        assert "7946" not in "".join(html or "" for html in sent(found, alice).values())
        make.accept(booking.bids.get())
        assert 'href="tel:+442079460000"' in panel(booking)

    def test_a_revision_moves_price_order_and_button(self, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 60)
        before = customer.offer.order_of(bid)
        found = touched_by(
            lambda: actions.revise_bid(bid, by=bob, amount=Decimal(45), starts_at=bid.starts_at, now=NOW)
        )
        html = sent(found, alice)[f"bookings-offer-{bid.pk}"]
        assert html and "£45.00" in html and "/accept/2/" in html and "Changed" in html
        assert customer.offer.order_of(make.fresh(bid)) < before

    def test_order_is_by_price_also_across_digits(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        dear, cheap = make.offer(booking, bob, 100), make.offer(booking, dora, "9.50")
        assert customer.offer.order_of(cheap) < customer.offer.order_of(dear)

    @pytest.mark.parametrize("end", ["withdraw", "reject", "expire", "cancel"])
    def test_an_offer_that_ends_leaves_the_page(self, alice, bob, end: str) -> None:
        bid = make.offer(make.job(alice), bob)
        acts = {
            "withdraw": lambda: actions.withdraw_bid(bid, by=bob, now=NOW),
            "reject": lambda: actions.reject_bid(bid, by=alice, now=NOW),
            "expire": lambda: due.expire_bids(bid.valid_until),
            "cancel": lambda: actions.cancel_booking(bid.booking, by=alice, reason="mistake", now=NOW),
        }
        assert sent(touched_by(acts[end]), alice)[f"bookings-offer-{bid.pk}"] is None

    def test_accepting_one_takes_all_away_and_shows_who_comes(self, everybody, alice, bob, dora) -> None:
        booking = make.job(alice)
        chosen, other = make.offer(booking, bob, 60), make.offer(booking, dora, 50)
        found = touched_by(lambda: make.accept(chosen))
        html = sent(found, *everybody)
        assert html[f"bookings-offer-{chosen.pk}"] is None and html[f"bookings-offer-{other.pk}"] is None
        assert "Bob Test" in (html[f"bookings-job-now-{booking.pk}"] or "")
        assert 'data-state="pending"' in (html[f"bookings-job-head-{booking.pk}"] or "")
        assert audience(found, "bookings.job_now", *everybody) == {"Alice"}

    def test_a_new_name_or_badge_reaches_the_offers_that_show_it(self, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob)

        def rename() -> None:
            bob.name = "Robert Test"
            bob.save(update_fields=["name"])

        assert "Robert Test" in (sent(touched_by(rename), alice)[f"bookings-offer-{bid.pk}"] or "")

        def unverify() -> None:
            technician = Technician.objects.get(pk=bob.pk)
            technician.verified_at = None
            technician.save(update_fields=["verified_at"])

        assert "Verified" not in (sent(touched_by(unverify), alice)[f"bookings-offer-{bid.pk}"] or "Verified")

    def test_what_a_customer_changes_about_themselves_touches_no_job(self, alice) -> None:
        make.job(alice)

        def rename() -> None:
            alice.name = "Alicia Test"
            alice.save(update_fields=["name"])

        assert not [touch for touch in touched_by(rename) if "job" in touch.fragment or "offer" in touch.fragment]


class TestPanel:
    def test_open_without_offers(self, alice) -> None:
        assert "Finding technicians" in panel(make.job(alice))

    def test_open_with_offers(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        make.offer(booking, bob)
        assert "1 offer<" in panel(booking)
        make.offer(booking, dora)
        assert "2 offers<" in panel(booking)

    def test_the_start_code_is_there_from_the_check_in_to_the_start(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        assert visit.start_code not in panel(visit.booking)
        make.waiting(visit)
        html = panel(visit.booking)
        assert f">{visit.start_code}<" in html and f"/jobs/{visit.booking_id}/start/" in html
        actions.start_session(visit, by=alice, now=visit.starts_at)
        assert visit.start_code not in panel(visit.booking)

    def test_a_running_clock_says_since_when(self, alice, bob) -> None:
        visit = make.live(make.visit(alice, bob))
        assert f'data-since="{visit.starts_at.isoformat()}"' in panel(visit.booking)

    def test_a_paused_one_stands_still_and_says_why(self, alice, bob) -> None:
        visit = make.live(make.visit(alice, bob))
        actions.pause_session(visit, by=bob, reason="Fetching a part", now=visit.starts_at + 32 * MINUTE)
        html = panel(visit.booking)
        assert ">00:32<" in html and "Fetching a part" in html and "data-since" not in html

    def test_finished_shows_the_note_the_photos_and_the_price(self, alice, bob, media) -> None:
        visit = make.live(make.visit(alice, bob))
        end = visit.starts_at + 45 * MINUTE
        actions.complete_session(visit, by=bob, note="New <washer>.", photos=[make.picture()], now=end)
        html = panel(visit.booking)
        for words in ("New &lt;washer&gt;.", "£60.00", "00:45 worked", "/photos/finished/"):
            assert words in html

    def test_cancelled_shows_the_fee_and_why(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        actions.cancel_booking(visit.booking, by=alice, reason="plans_changed", now=visit.starts_at - HOUR)
        html = panel(make.fresh(visit.booking))
        assert "Cancelled by you" in html and "£30.00" in html and "less than 2 hours ahead" in html

    def test_expired_says_what_next(self, alice) -> None:
        booking = make.job(alice)
        due.run_due(booking.expires_at)
        assert "No offer was accepted in time" in panel(make.fresh(booking))

    def test_reopened_says_so_and_forgets_who_was_to_come(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        actions.release(visit, by=bob, reason="The van broke down", now=NOW)
        html = panel(make.fresh(visit.booking))
        assert "takes offers again" in html and "Bob Test" not in html

    @pytest.mark.parametrize("by_customer", [True, False])
    def test_a_wish_to_move_stands_with_the_buttons_of_its_side(self, alice, bob, by_customer: bool) -> None:
        visit = make.visit(alice, bob)
        by = alice if by_customer else bob
        found = touched_by(
            lambda: actions.propose_reschedule(
                visit, by=by, starts_at=visit.starts_at + HOUR, message="Late train", now=NOW
            )
        )
        html = sent(found, alice)[f"bookings-job-now-{visit.booking_id}"] or ""
        assert ("Take it back" in html) is by_customer and ("Agree" in html) is not by_customer
        assert "Late train" in html and "13:00-14:00 GMT" in html

    def test_a_visit_of_last_time_is_not_this_ones(self, alice, bob, dora) -> None:
        visit = make.visit(alice, bob)
        actions.release(visit, by=bob, reason="Ill", now=NOW)
        make.accept(make.offer(make.fresh(visit.booking), dora))
        assert "Dora Test" in panel(visit.booking) and "Bob Test" not in panel(visit.booking)

    def test_the_phone_goes_when_the_finished_job_is_put_away(self, alice) -> None:
        bob = make.technician("Bob", phone="020 7946 0000")
        visit = make.finished(make.visit(alice, bob))
        assert "7946" in panel(visit.booking)
        booking = make.fresh(visit.booking)
        booking.put_away_at = NOW
        booking.save(update_fields=["put_away_at"])
        assert "7946" not in panel(booking)


class TestTimeline:
    def test_a_whole_job(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        dear = make.offer(booking, dora, 90, now=NOW + MINUTE)
        bid = make.offer(booking, bob, 60, now=NOW + 2 * MINUTE)
        actions.revise_bid(bid, by=bob, amount=Decimal(55), starts_at=bid.starts_at, now=NOW + 3 * MINUTE)
        actions.reject_bid(dear, by=alice, now=NOW + 4 * MINUTE)
        visit = make.accept(make.fresh(bid), now=NOW + 5 * MINUTE)
        make.finished(visit)
        assert story(booking) == [
            "You placed the job",
            "Dora made an offer",
            "Bob made an offer",
            "Bob changed the offer",
            "You declined Dora's offer",
            "You accepted Bob's offer",
            "Bob is at the door",
            "The work began",
            "The work is finished",
        ]

    def test_what_went_wrong(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        actions.release(visit, by=bob, reason="Ill", now=NOW + MINUTE)
        actions.change_window(
            visit.booking, by=alice, window_start=NOW + 30 * HOUR, window_end=NOW + 34 * HOUR, now=NOW + 2 * MINUTE
        )
        actions.cancel_booking(visit.booking, by=alice, reason="mistake", now=NOW + 3 * MINUTE)
        assert story(visit.booking)[-4:] == [
            "Bob can no longer come",
            "Open for offers again",
            "You changed the time",
            "Cancelled by you",
        ]

    def test_a_pause_and_a_move(self, alice, bob) -> None:
        visit = make.visit(alice, bob)
        wish = actions.propose_reschedule(visit, by=bob, starts_at=visit.starts_at + HOUR, now=NOW + MINUTE)
        actions.accept_reschedule(wish, by=alice, now=NOW + 2 * MINUTE)
        visit = make.live(make.fresh(visit))
        actions.pause_session(visit, by=bob, reason="Lunch", now=visit.starts_at + MINUTE)
        actions.resume_session(visit, by=bob, now=visit.starts_at + 2 * MINUTE)
        assert story(visit.booking)[-5:] == [
            "The visit was moved",
            "Bob is at the door",
            "The work began",
            "The work paused",
            "The work goes on",
        ]


class TestHome:
    def test_a_placed_job_comes_a_draft_does_not(self, everybody, alice) -> None:
        draft = make.draft(alice)
        found = touched_by(lambda: actions.open_booking(draft, by=alice, now=NOW))
        html = sent(found, *everybody)
        assert "Kitchen tap leaks" in (html[f"bookings-active-job-{draft.pk}"] or "")
        assert audience(found, "bookings.active_job", *everybody) == {"Alice"}

    def test_a_draft_is_kept_in_view_at_home_alone(self, everybody, alice) -> None:
        found = touched_by(lambda: make.draft(alice))
        assert on(found, f"user.{alice.pk}") == {("bookings.draft", str(alice.pk))}
        assert len(found) == 1 and audience(found, "bookings.draft", *everybody) == {"Alice"}

    def test_and_leaves_it_when_it_is_placed_or_thrown_away(self, alice) -> None:
        slot = f"bookings-draft-{alice.pk}"
        draft = make.draft(alice)
        html = sent(touched_by(lambda: actions.save_draft(draft, by=alice, title="Other")), alice)[slot]
        assert "Draft: Other" in (html or "")
        html = sent(touched_by(lambda: actions.open_booking(draft, by=alice, now=NOW)), alice)[slot]
        assert html and "Draft:" not in html
        again = make.draft(alice)
        html = sent(touched_by(lambda: actions.discard_draft(again, by=alice)), alice)[slot]
        assert html and "Draft:" not in html

    def test_a_finished_job_moves_from_the_top_into_the_history(self, alice, bob) -> None:
        visit = make.live(make.visit(alice, bob))
        found = touched_by(lambda: actions.complete_session(visit, by=bob, note="Done.", now=visit.starts_at + HOUR))
        html = sent(found, alice)
        assert html[f"bookings-active-job-{visit.booking_id}"] is None
        assert "Finished" in (html[f"bookings-past-job-{visit.booking_id}"] or "")

    def test_what_is_under_way_stands_first(self, alice, bob, dora) -> None:
        waiting = make.job(alice)
        coming = make.visit(alice, dora, title="Boiler")
        live = make.live(make.visit(alice, bob, title="Bath"))
        jobs = customer.jobs.cards([str(waiting.pk), str(coming.booking_id), str(live.booking_id)])
        order = sorted(jobs, key=lambda key: customer.active_job.order_of(jobs[key]))
        assert order == [str(live.booking_id), str(coming.booking_id), str(waiting.pk)]


class TestCost:
    @pytest.mark.parametrize(
        "fragment", [*OF_A_JOB, customer.active_job, customer.past_job], ids=lambda each: each.name
    )
    def test_many_jobs_load_with_the_queries_of_one(self, alice, bob, dora, fragment) -> None:
        made = [make.finished(make.visit(alice, bob)).booking, make.job(alice)]
        busy = make.job(alice)
        make.offer(busy, bob), make.offer(busy, dora)
        made += [busy, make.visit(alice, dora).booking]

        def queries(keys: list[str]) -> int:
            with CaptureQueriesContext(connection) as seen:
                for key, thing in fragment.load(keys).items():
                    fragment.render(key, thing, "", "1")
            return len(seen)

        keys = [str(booking.pk) for booking in made]
        assert queries(keys) <= max(queries([key]) for key in keys)

    def test_offers_too(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        keys = [str(make.offer(booking, by, 50).pk) for by in (bob, dora)]
        with CaptureQueriesContext(connection) as seen:
            found = customer.offer.load(keys)
            for key, bid in found.items():
                customer.offer.render(key, bid, topic_of(booking), "1")
        assert len(found) == 2 and len(seen) == 3  # the offers, who visited before, the ratings of all

    def test_a_draft_is_never_loaded(self, alice) -> None:
        key = str(make.draft(alice).pk)
        for fragment in OF_A_JOB:
            assert fragment.load([key]) == {}
        assert Session.objects.count() == 0

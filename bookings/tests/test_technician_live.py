"""What follows live on the technician's pages: what a change touches, who hears of it, and what they then read."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings import actions, work
from bookings.live import technician as live
from bookings.models import BookingHistory, BookingPhoto
from bookings.tests import make
from bookings.tests.make import HOUR, MINUTE, NOW
from realtime import topics
from realtime.journal import Touch
from realtime.models import JournalRow
from realtime.render import render
from realtime.topics import Principal

OURS = {each.name for each in (live.market_row, live.open_job, live.job_area, live.work, live.work_place, live.work_job,
                               live.work_log, live.today, live.papers)}  # fmt: skip


class Heard:
    """What the journal says since `forget`, and what each person's page would be sent."""

    def forget(self) -> None:
        JournalRow.objects.all().delete()

    def touches(self) -> set[Touch]:
        rows = JournalRow.objects.filter(fragment__in=OURS).values_list("topic", "fragment", "key")
        return {Touch(*row) for row in rows}

    def of(self, fragment) -> set[tuple[str, str]]:
        """The (topic, key) pairs of one fragment."""
        return {(touch.topic, touch.key) for touch in self.touches() if touch.fragment == fragment.name}

    def by(self, *people: User) -> dict[str, str | None]:
        """What is delivered to `people` if all of them follow every topic: fragment and key -> html."""
        everybody = {Principal("user", str(person.pk)) for person in people}
        touches = self.touches()
        done = render(touches, {touch.topic: set(everybody) for touch in touches}, "1")
        pieces = [json.loads(done.pieces[touch]) for touch in touches if touch in done.pieces]
        return {piece["id"]: piece["html"] for piece in pieces}


@pytest.fixture
def heard(db) -> Heard:
    return Heard()


def who(name: str, *people: User) -> list[str]:
    """The names of those among `people` who may hear of a topic."""
    found = topics.members(name, {Principal("user", str(person.pk)) for person in people})
    return sorted(person.first_name for person in people if Principal("user", str(person.pk)) in found)


def spot(booking, technician: User) -> str:
    return f"booking.{booking.pk}.technician.{technician.pk}"


# --- Who belongs ----------------------------------------------------------------------------------


class TestAudiences:
    @pytest.fixture
    def everybody(self, alice, bob, charlie, dora, ed, frank):
        return [alice, bob, charlie, dora, ed, frank]

    def test_the_marketplace_is_for_active_technicians_verified_or_not(self, everybody):
        nina, gone = make.technician("Nina", verified=False), make.technician("Gone", is_active=False)
        assert who("marketplace", *everybody, nina, gone) == ["Bob", "Dora", "Nina"]

    def test_a_job_on_the_market_is_for_the_same(self, everybody, alice):
        assert who(f"marketplace.{make.job(alice).pk}", *everybody) == ["Bob", "Dora"]

    def test_a_job_that_has_just_gone_is_news_for_an_hour_and_then_a_strangers_business(self, everybody, alice, bob):
        booking = make.visit(alice, bob, now=timezone.now(), **later()).booking
        assert who(f"marketplace.{booking.pk}", *everybody) == ["Bob", "Dora"]
        for row in BookingHistory.objects.filter(subject=booking):
            row.at -= live.GONE_IS_NEWS + MINUTE
            row.save(update_fields=["at"])
        assert who(f"marketplace.{booking.pk}", *everybody) == []

    def test_a_draft_and_a_job_that_is_not_there_are_nobodys(self, everybody, alice):
        assert who(f"marketplace.{make.draft(alice).pk}", *everybody) == []
        assert who("marketplace.999999", *everybody) == []

    def test_ones_offer_and_visit_are_ones_own(self, everybody, alice, bob, dora):
        booking = make.job(alice)
        make.offer(booking, dora, 70)
        for expect in (["Bob"], ["Bob"]):
            assert who(spot(booking, bob), *everybody) == expect
            if not booking.bids.filter(technician=bob.pk).exists():
                make.accept(make.offer(booking, bob))
        assert who(spot(booking, dora), *everybody) == ["Dora"]  # reads that she was not chosen

    def test_without_an_offer_nobody_belongs_once_the_job_is_gone(self, everybody, alice, bob, dora):
        booking = make.visit(alice, bob).booking
        assert who(spot(booking, dora), *everybody) == []

    @pytest.mark.parametrize("change", [{"is_active": False}, {"role": "customer"}])
    def test_a_closed_account_or_another_role_hears_nothing_more(self, alice, bob, change):
        booking = make.visit(alice, bob).booking
        for name, value in change.items():
            setattr(bob, name, value)
        bob.save(update_fields=list(change))
        assert who(spot(booking, bob), bob) == [] and who("marketplace", bob) == []

    def test_each_asks_one_query(self, alice, bob, dora):
        booking = make.visit(alice, bob).booking
        for name in ("marketplace", f"marketplace.{booking.pk}", spot(booking, bob)):
            with CaptureQueriesContext(connection) as queries:
                who(name, bob, dora)
            assert len(queries) == 1, name


def later() -> dict[str, object]:
    start = timezone.now() + timedelta(days=1)
    return {"window_start": start, "window_end": start + 4 * HOUR}


# --- The marketplace ------------------------------------------------------------------------------


class TestMarketplace:
    def test_a_placed_job_reaches_every_technician_once(self, heard, alice, bob, dora, charlie):
        draft = make.draft(alice)
        heard.forget()
        booking = actions.open_booking(draft, by=alice, now=NOW)
        assert heard.of(live.market_row) == {("marketplace", str(booking.pk))}
        assert "Kitchen tap leaks" in heard.by(bob, dora)[f"bookings-market-row-{booking.pk}"]
        assert heard.by(charlie, alice) == {}

    def test_writing_a_draft_touches_nothing(self, heard, alice):
        draft = make.draft(alice)
        actions.save_draft(draft, by=alice, title="Another title")
        assert heard.touches() == set()

    def test_an_offer_does_not_touch_the_list(self, heard, alice, bob):
        booking = make.job(alice)
        heard.forget()
        make.offer(booking, bob)
        assert heard.of(live.market_row) == set()
        assert heard.of(live.open_job) == {(f"marketplace.{booking.pk}", str(booking.pk))}

    def test_a_row_is_the_same_for_everybody(self, heard, alice, bob):
        far = make.technician("Far", base=make.GREENWICH)
        heard.forget()
        booking = make.job(alice)
        assert heard.by(bob) == heard.by(far)
        row = heard.by(bob)[f"bookings-market-row-{booking.pk}"]
        assert "km" not in row and "csrf" not in row

    def test_a_job_that_is_taken_cancelled_or_expired_leaves_the_list(self, heard, alice, bob, dora):
        for number, end in enumerate(
            (
                lambda booking: make.accept(make.offer(booking, bob)),
                lambda booking: actions.cancel_booking(booking, by=alice, reason="mistake", now=NOW),
                lambda booking: actions.booking.expire_booking(make.fresh(booking), now=NOW),
            )
        ):
            start = make.TOMORROW_NOON + number * make.DAY
            booking = make.job(alice, window_start=start, window_end=start + 4 * HOUR)
            heard.forget()
            end(booking)
            assert heard.by(dora)[f"bookings-market-row-{booking.pk}"] is None
            assert heard.by(dora)[f"bookings-job-area-{booking.pk}"] is None

    def test_the_page_and_the_push_paint_the_same_row(self, heard, alice, bob):
        booking = make.job(alice)
        client = Client()
        client.force_login(bob)
        html = client.get(reverse("bookings:marketplace")).content.decode()
        version = html.split('data-live="bookings.market_row"')[1].split('data-version="')[1].split('"')[0]
        thing = live.load_market_rows([str(booking.pk)])[str(booking.pk)]
        assert live.market_row.render(str(booking.pk), thing, "marketplace", version) in html


class TestLookingAtAJob:
    def test_losing_it_to_another_is_a_sentence_with_a_next_step(self, heard, alice, bob, dora):
        booking = make.job(alice)
        for title in ("Shower drips", "Pipe knocks"):
            make.job(alice, title=title)
        bid = make.offer(booking, bob)
        heard.forget()
        make.accept(bid, now=timezone.now())
        html = heard.by(dora)[f"bookings-open-job-{booking.pk}"]
        assert "Taken by another technician a moment ago. 2 similar jobs nearby." in html
        assert f'href="/market/?skill={make.skill().pk}"' in html
        assert "It drips" not in html and "Camden" not in html and "offer/" not in html

    def test_a_cancelled_and_an_expired_one_say_so(self, heard, alice, dora):
        booking, other = make.job(alice, now=timezone.now(), **later()), make.job(alice, now=timezone.now(), **later())
        heard.forget()
        actions.cancel_booking(booking, by=alice, reason="mistake")
        actions.booking.expire_booking(make.fresh(other), now=timezone.now())
        sent = heard.by(dora)
        assert "The customer called this job off" in sent[f"bookings-open-job-{booking.pk}"]
        assert "Nobody was chosen in time" in sent[f"bookings-open-job-{other.pk}"]

    def test_one_that_the_desk_called_off_says_whose_doing_it_was(self, heard, alice, dora, frank):
        booking = make.job(alice, now=timezone.now(), **later())
        heard.forget()
        actions.cancel_booking(booking, by=frank, reason="mistake")
        assert "The desk called this job off" in heard.by(dora)[f"bookings-open-job-{booking.pk}"]

    def test_it_counts_the_offers_and_follows_the_window_and_the_photos(self, heard, media, alice, bob, dora):
        booking = make.job(alice)
        place = (f"marketplace.{booking.pk}", str(booking.pk))
        heard.forget()
        make.offer(booking, bob)
        assert "1 offer so far" in heard.by(dora)[f"bookings-open-job-{booking.pk}"]
        heard.forget()
        actions.change_window(
            make.fresh(booking),
            by=alice,
            window_start=booking.window_start + HOUR,
            window_end=booking.window_end + HOUR,
            now=NOW,
        )
        assert place in heard.of(live.open_job)
        heard.forget()
        photo = actions.add_photo(booking, make.picture(), by=alice, now=NOW)
        assert isinstance(photo, BookingPhoto) and place in heard.of(live.open_job)

    def test_the_map_stays_as_it_is_when_an_offer_arrives(self, heard, alice, bob):
        booking = make.job(alice)
        heard.forget()
        make.offer(booking, bob)
        assert heard.of(live.job_area) == set()


# --- One's own offer and visit --------------------------------------------------------------------


class TestOffer:
    def test_an_offer_appears_on_the_open_page_of_its_technician_alone(self, heard, alice, bob, dora, charlie):
        booking = make.job(alice)
        client = Client()
        client.force_login(bob)
        page = client.get(reverse("bookings:job", args=[booking.pk])).content.decode()
        for fragment in (live.work, live.work_place):  # the page has room for what is to come
            assert f'data-live-list="{fragment.name}" data-topic="{spot(booking, bob)}" data-new="insert"' in page
        heard.forget()
        bid = make.offer(booking, bob)
        assert heard.of(live.work) == {(spot(booking, bob), str(bid.pk))}
        assert "£60.00" in heard.by(bob)[f"bookings-work-{bid.pk}"]
        assert f"bookings-work-{bid.pk}" not in heard.by(dora, alice, charlie)

    def test_ranks_of_all_follow_a_new_price_and_nobody_reads_anothers(self, heard, alice, bob, dora):
        booking = make.job(alice)
        mine, hers = make.offer(booking, bob, 60), make.offer(booking, dora, 70)
        heard.forget()
        actions.revise_bid(hers, by=dora, amount=make.Decimal(50), starts_at=hers.starts_at, now=NOW)
        assert heard.of(live.work) == {(spot(booking, bob), str(mine.pk)), (spot(booking, dora), str(hers.pk))}
        bobs, doras = heard.by(bob)[f"bookings-work-{mine.pk}"], heard.by(dora)[f"bookings-work-{hers.pk}"]
        assert "2nd lowest of 2" in bobs and "£50" not in bobs
        assert "Lowest of 2" in doras and "£60" not in doras
        assert f"bookings-work-{hers.pk}" not in heard.by(bob)


class TestVisit:
    def test_winning_brings_the_address_and_losing_does_not(self, heard, alice, bob, dora):
        booking = make.job(alice)
        won, lost = make.offer(booking, bob), make.offer(booking, dora, 70)
        heard.forget()
        make.accept(won)
        sent = heard.by(bob)
        assert "12 Inverness Street" in sent[f"bookings-work-place-{won.pk}"]
        assert "I have arrived" in sent[f"bookings-work-{won.pk}"]
        for html in heard.by(dora, alice).values():
            assert html is None or "Inverness" not in html
        assert "The customer chose another offer." in heard.by(dora)[f"bookings-work-{lost.pk}"]

    @pytest.mark.parametrize(
        "end",
        [
            lambda session, alice, bob: actions.release(session, by=bob, reason="Ill", now=NOW),
            lambda session, alice, bob: actions.cancel_booking(session.booking, by=alice, reason="mistake", now=NOW),
            lambda session, alice, bob: actions.visit.close_as_no_show(
                make.fresh(make.waiting(session)), "customer", by=None, now=NOW
            ),
        ],
        ids=["released", "cancelled", "no-show"],
    )
    def test_losing_it_takes_address_and_phone_from_the_open_page(self, heard, alice, bob, end):
        session = make.visit(alice, bob)
        heard.forget()
        end(session, alice, bob)
        sent = heard.by(bob)
        assert sent[f"bookings-work-place-{session.bid_id}"] is None
        assert not any(html and "Inverness" in html for html in sent.values())

    def test_a_finished_job_that_is_put_away_takes_them_too(self, heard, alice, bob):
        session = make.finished(make.visit(alice, bob))
        heard.forget()
        booking = make.fresh(session.booking)
        booking.put_away_at = timezone.now()
        booking.save(update_fields=["put_away_at"])
        assert heard.by(bob)[f"bookings-work-place-{session.bid_id}"] is None

    def test_every_step_moves_the_page_and_leaves_the_map(self, heard, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        steps = [
            (lambda: actions.start_session(session, by=alice, now=session.starts_at), "Finish the visit"),
            (lambda: actions.pause_session(session, by=bob, reason="Tea"), "Go on working"),
            (lambda: actions.resume_session(session, by=bob), "Finish the visit"),
            (lambda: actions.complete_session(session, by=bob, note="New washer."), "New washer."),
        ]
        for step, words in steps:
            heard.forget()
            step()
            assert heard.of(live.work) == {(spot(session.booking, bob), str(session.bid_id))}
            assert heard.of(live.work_place) == set()
            assert words in heard.by(bob)[f"bookings-work-{session.bid_id}"]
            assert f"bookings-work-log-{session.bid_id}" in heard.by(bob)
            assert f"bookings-today-{bob.pk}" in heard.by(bob)

    def test_a_wish_to_move_and_its_answer_move_the_page(self, heard, alice, bob):
        session = make.visit(alice, bob)
        heard.forget()
        proposal = actions.propose_reschedule(session, by=alice, starts_at=session.starts_at + HOUR, now=NOW)
        html = heard.by(bob)[f"bookings-work-{session.bid_id}"]
        assert "Alice asks for another time" in html
        assert reverse("bookings:accept_move", args=[proposal.pk]) in html
        heard.forget()
        actions.accept_reschedule(proposal, by=bob, now=NOW)
        assert "asks for another time" not in heard.by(bob)[f"bookings-work-{session.bid_id}"]

    def test_a_try_to_reach_the_customer_is_on_the_page(self, heard, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        heard.forget()
        actions.record_contact_attempt(session, by=bob, channel="call", now=session.starts_at + MINUTE)
        assert "You tried to reach Alice." in heard.by(bob)[f"bookings-work-{session.bid_id}"]

    def test_a_customers_new_number_reaches_who_must_call_it(self, heard, alice, bob, dora):
        session = make.visit(alice, bob)
        heard.forget()
        alice.phone = "020 7946 0999"
        alice.save(update_fields=["phone"])
        assert heard.of(live.work_place) == {(spot(session.booking, bob), str(session.bid_id))}
        assert "020 7946 0999" in heard.by(bob)[f"bookings-work-place-{session.bid_id}"]

    def test_no_fragment_holds_a_token_or_a_form(self, heard, alice, bob):
        make.live(make.visit(alice, bob))
        for html in heard.by(bob).values():
            assert html is None or ("csrf" not in html and "<form" not in html)


class TestToday:
    def test_it_follows_the_offers_and_visits_of_its_technician(self, heard, alice, bob, dora):
        booking = make.job(alice)
        mine, hers = make.offer(booking, bob), make.offer(booking, dora, 70)
        heard.forget()
        make.accept(mine)
        assert heard.of(live.today) == {(f"user.{pk}", str(pk)) for pk in (bob.pk, dora.pk)}
        assert "Kitchen tap leaks" in heard.by(bob)[f"bookings-today-{bob.pk}"]
        assert "Kitchen tap leaks" not in heard.by(dora)[f"bookings-today-{dora.pk}"]
        assert hers.pk

    def test_the_day_counts_what_is_done(self, alice, bob):
        now = timezone.now()
        noon = now.replace(hour=12, minute=0)
        for hours in (-2, 2):
            start = noon + hours * HOUR
            session = make.visit(
                alice, bob, now=start - 3 * HOUR, window_start=start, window_end=start + 2 * HOUR, title=f"At {hours}"
            )
        make.finished(session)
        day = work.load_days([str(bob.pk)], now=noon)[str(bob.pk)]
        assert (day.finished, day.planned) == (1, 2)
        assert [each.booking.title for each in day.visits] == ["At -2", "At 2"]
        assert day.current and day.current.booking.title == "At -2"

    def test_a_visit_called_off_is_no_part_of_the_plan(self, alice, bob):
        session = make.visit(alice, bob)
        actions.cancel_booking(session.booking, by=alice, reason="mistake", now=NOW)
        day = work.load_days([str(bob.pk)], now=session.starts_at)[str(bob.pk)]
        assert (day.planned, len(day.visits), day.current) == (0, 1, None)

    def test_the_day_is_that_of_the_technicians_own_zone(self, alice):
        tess = make.technician("Tess", time_zone="Pacific/Auckland")
        session = make.visit(alice, tess)  # noon in London, the next day in Auckland
        eve = session.starts_at - 20 * HOUR
        day = work.load_days([str(tess.pk)], now=eve)[str(tess.pk)]
        assert [each.session for each in day.visits] == [] and [each.session for each in day.later] == [session]


# --- Cost -----------------------------------------------------------------------------------------


def test_many_of_each_are_loaded_in_as_many_queries_as_one(alice, bob, dora):
    bids, bookings = [], []
    for number in range(5):
        start = make.TOMORROW_NOON + number * make.DAY
        window = {"window_start": start, "window_end": start + 4 * HOUR}
        bids.append(make.finished(make.visit(alice, bob, **window)).bid)
        bids.append(make.offer(make.job(alice, **window), bob, starts_at=start + 3 * HOUR))
        bookings.append(make.visit(alice, dora, **window).booking)
        bookings.append(make.job(alice, **window))
    people = [str(bob.pk), str(dora.pk)]
    jobs, offers = [str(each.pk) for each in bookings], [str(each.pk) for each in bids]
    keys = {work.load_open_jobs: jobs, live.load_market_rows: jobs, work.load_days: people}
    keys |= {work.load_works: offers, work.load_places: offers, work.load_jobs: offers, work.load_logs: offers}
    for load, wanted in keys.items():
        costs = []
        for some in (wanted[:2], wanted):
            with CaptureQueriesContext(connection) as queries:
                load([*some, "999999", "x"])
            costs.append(len(queries))
        assert costs[0] == costs[1], load


def test_being_verified_lifts_the_note_on_every_open_page_of_that_technician(heard, alice, dora):
    nina = make.technician("Nina", verified=False)
    heard.forget()
    nina.technician.verified_at = NOW
    nina.technician.save(update_fields=["verified_at"])
    assert heard.of(live.papers) == {(f"user.{nina.pk}", str(nina.pk))}
    assert "not offer yet" not in heard.by(nina)[f"bookings-papers-{nina.pk}"]
    assert heard.by(dora) == {}

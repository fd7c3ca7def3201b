"""The visit from pending to completed: who may do which step, the start code, the work clock, the note."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from bookings import actions
from bookings.models import CompletionNote
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.refusals import Conflict, Invalid

STRANGERS = ["charlie", "dora", "ed"]


@pytest.fixture
def session(alice, bob):
    """Alice booked Bob for tomorrow noon."""
    return make.visit(alice, bob)


class TestCheckIn:
    def test_the_technician_waits_at_the_door_and_the_booking_is_in_progress(self, session, bob):
        kept = make.fresh(actions.check_in(session, by=bob, now=session.starts_at))
        assert kept.status == "waiting"
        assert kept.checked_in_at == session.starts_at
        assert kept.booking.status == "in_progress"
        assert make.states(session.booking) == ["open", "assigned", "in_progress"]

    def test_early_is_fine(self, session, bob):
        assert actions.check_in(session, by=bob, now=NOW).status == "waiting"

    def test_the_time_on_the_device_is_kept_beside_the_servers(self, session, bob):
        queued = session.starts_at - 5 * MINUTE
        actions.check_in(session, by=bob, now=session.starts_at, device_at=queued)
        row = session.history.last()
        assert (row.at, row.device_at) == (session.starts_at, queued)

    def test_twice_is_a_conflict_that_says_where_things_stand(self, session, bob):
        make.waiting(session)
        with pytest.raises(Conflict, match="this visit is now at the door"):
            actions.check_in(session, by=bob, now=session.starts_at)
        assert make.states(session) == ["pending", "waiting"]

    def test_it_ends_a_proposal_to_move_the_visit(self, session, alice, bob):
        proposal = actions.propose_reschedule(session, by=alice, starts_at=session.starts_at + DAY, now=NOW)
        make.waiting(session)
        assert make.fresh(proposal).status == "expired"

    @pytest.mark.parametrize("who", ["alice", *STRANGERS])
    def test_only_the_technician_checks_in(self, session, who, request):
        with pytest.raises(PermissionDenied):
            actions.check_in(session, by=request.getfixturevalue(who), now=NOW)


class TestStart:
    def test_the_code_starts_the_work(self, session, bob):
        at = session.starts_at + 5 * MINUTE
        make.waiting(session)
        kept = make.fresh(actions.start_session(session, by=bob, code=session.start_code, now=at))
        assert (kept.status, kept.started_at, kept.clock_from) == ("live", at, at)
        assert session.history.last().reason == "Start code."

    def test_spaces_around_the_code_are_forgiven(self, session, bob):
        make.waiting(session)
        assert actions.start_session(session, by=bob, code=f" {session.start_code} ").status == "live"

    def test_the_customers_tap_starts_it_without_a_code(self, session, alice):
        make.waiting(session)
        kept = actions.start_session(session, by=alice, now=session.starts_at)
        assert kept.status == "live"
        assert session.history.last().reason == "The customer's tap."

    def test_a_wrong_code_is_counted_and_says_how_many_are_left(self, session, bob):
        make.waiting(session)
        with pytest.raises(Invalid, match="4 more tries"):
            actions.start_session(session, by=bob, code=wrong(session))
        assert make.fresh(session).code_failures == 1
        assert make.fresh(session).status == "waiting"

    def test_after_five_even_the_right_one_no_longer_works(self, session, alice, bob):
        make.waiting(session)
        for _ in range(5):
            with pytest.raises(Invalid):
                actions.start_session(session, by=bob, code=wrong(session))
        with pytest.raises(Conflict, match="Too many wrong codes"):
            actions.start_session(session, by=bob, code=session.start_code)
        assert actions.start_session(session, by=alice).status == "live"

    def test_a_new_code_gives_new_tries(self, session, alice, bob):
        make.waiting(session)
        with pytest.raises(Invalid):
            actions.start_session(session, by=bob, code=wrong(session))
        renewed = make.fresh(actions.renew_start_code(session, by=alice))
        assert renewed.code_failures == 0
        assert actions.start_session(session, by=bob, code=renewed.start_code).status == "live"

    def test_only_the_customer_asks_for_a_new_code(self, session, bob, charlie):
        for stranger in (bob, charlie):
            with pytest.raises(PermissionDenied):
                actions.renew_start_code(session, by=stranger)

    def test_no_new_code_once_the_work_is_on(self, session, alice):
        make.live(session)
        with pytest.raises(Conflict):
            actions.renew_start_code(session, by=alice)

    def test_digits_in_another_script_are_just_a_wrong_code(self, session, bob):
        make.waiting(session)
        with pytest.raises(Invalid):
            actions.start_session(session, by=bob, code="٤٨٢١")

    @pytest.mark.parametrize("who", ["alice", "bob"])
    def test_nobody_starts_before_the_check_in(self, session, who, request):
        with pytest.raises(Conflict):
            actions.start_session(session, by=request.getfixturevalue(who), code=session.start_code)

    def test_a_code_tried_too_early_costs_no_try(self, session, bob):
        with pytest.raises(Conflict):
            actions.start_session(session, by=bob, code=wrong(session))
        assert make.fresh(session).code_failures == 0

    @pytest.mark.parametrize("who", STRANGERS)
    def test_strangers_start_nothing(self, session, who, request):
        make.waiting(session)
        with pytest.raises(PermissionDenied):
            actions.start_session(session, by=request.getfixturevalue(who), code=session.start_code)


def wrong(session) -> str:
    """A code that is not the session's."""
    return "0000" if session.start_code != "0000" else "1111"


class TestClock:
    def test_before_the_start_nothing_is_worked(self, session):
        assert session.worked(NOW) == timedelta(0)
        assert session.clock_from is None

    def test_it_runs_while_live(self, session):
        running = make.live(session)
        assert running.worked(session.starts_at + 32 * MINUTE) == 32 * MINUTE

    def test_a_pause_stops_it_and_does_not_count(self, session, bob):
        make.live(session)
        start = session.starts_at
        paused = actions.pause_session(session, by=bob, reason="Fetching a part", now=start + 10 * MINUTE)
        assert (paused.status, paused.pause_reason) == ("paused", "Fetching a part")
        assert paused.worked(start + HOUR) == 10 * MINUTE
        assert paused.clock_from is None
        resumed = actions.resume_session(session, by=bob, now=start + 30 * MINUTE)
        assert resumed.worked(start + 40 * MINUTE) == 20 * MINUTE
        assert resumed.clock_from == start + 20 * MINUTE

    def test_several_pauses_add_up(self, session, bob):
        make.live(session)
        start = session.starts_at
        for n in (1, 2, 3):
            actions.pause_session(session, by=bob, reason="Tea", now=start + n * HOUR)
            actions.resume_session(session, by=bob, now=start + n * HOUR + 10 * MINUTE)
        assert make.fresh(session).worked(start + 4 * HOUR) == 3 * HOUR + 30 * MINUTE

    def test_finishing_in_a_pause_does_not_count_the_pause(self, session, bob):
        make.live(session)
        start = session.starts_at
        actions.pause_session(session, by=bob, reason="Drying", now=start + 20 * MINUTE)
        done = actions.complete_session(session, by=bob, note="Done.", now=start + 50 * MINUTE)
        assert make.fresh(done).worked(start + DAY) == 20 * MINUTE

    def test_a_pause_has_a_reason(self, session, bob):
        make.live(session)
        with pytest.raises(Invalid, match="why the work pauses"):
            actions.pause_session(session, by=bob, reason="  ", now=NOW)

    def test_pausing_and_resuming_twice_are_conflicts(self, session, bob):
        make.live(session)
        with pytest.raises(Conflict):
            actions.resume_session(session, by=bob, now=NOW)
        actions.pause_session(session, by=bob, reason="Tea", now=session.starts_at)
        with pytest.raises(Conflict):
            actions.pause_session(session, by=bob, reason="Tea", now=session.starts_at)

    def test_resuming_is_no_way_around_the_code(self, session, bob):
        """Waiting leads to live as well, by the code: not by "resume"."""
        make.waiting(session)
        with pytest.raises(Conflict):
            actions.resume_session(session, by=bob, now=session.starts_at)

    @pytest.mark.parametrize("who", ["alice", *STRANGERS])
    def test_only_the_technician_pauses_and_resumes(self, session, who, request):
        make.live(session)
        somebody = request.getfixturevalue(who)
        with pytest.raises(PermissionDenied):
            actions.pause_session(session, by=somebody, reason="Tea", now=NOW)
        with pytest.raises(PermissionDenied):
            actions.resume_session(session, by=somebody, now=NOW)

    def test_a_clock_set_back_never_shows_less_than_nothing(self, session):
        running = make.live(session)
        assert running.worked(session.starts_at - HOUR) == timedelta(0)


class TestComplete:
    def test_the_note_and_photos_stay_and_the_booking_is_completed(self, session, bob, media):
        make.live(session)
        at = session.starts_at + 40 * MINUTE
        done = actions.complete_session(
            session, by=bob, note=" New washer. ", photos=[make.picture(), make.picture()], now=at
        )
        note = CompletionNote.objects.get(session=done)
        assert (note.note, note.at, note.photos.count()) == ("New washer.", at, 2)
        assert make.fresh(session).status == "completed"
        assert make.fresh(session.booking).status == "completed"
        assert make.states(session) == ["pending", "waiting", "live", "completed"]
        assert make.states(session.booking) == ["open", "assigned", "in_progress", "completed"]

    def test_a_note_is_asked_for(self, session, bob):
        make.live(session)
        with pytest.raises(Invalid, match="what was done"):
            actions.complete_session(session, by=bob, note="")
        assert make.fresh(session).status == "live"

    def test_a_file_that_is_no_photo_completes_nothing(self, session, bob, media):
        make.live(session)
        bad = make.picture()
        bad.seek(0)
        bad.file.truncate(20)
        with pytest.raises(Invalid, match="not a photo"):
            actions.complete_session(session, by=bob, note="Done.", photos=[bad])
        assert make.fresh(session).status == "live"

    def test_six_photos_are_enough(self, session, bob, media):
        make.live(session)
        with pytest.raises(Invalid, match="6 photos"):
            actions.complete_session(session, by=bob, note="Done.", photos=[make.picture() for _ in range(7)])

    @pytest.mark.parametrize("stage", [lambda s: s, make.waiting])
    def test_what_has_not_begun_is_not_finished(self, session, bob, stage):
        stage(session)
        with pytest.raises(Conflict):
            actions.complete_session(session, by=bob, note="Done.", now=session.starts_at)
        assert not CompletionNote.objects.exists()

    def test_finishing_twice_keeps_the_first_note(self, session, bob):
        make.finished(session)
        with pytest.raises(Conflict, match="now completed"):
            actions.complete_session(session, by=bob, note="Again.")
        assert CompletionNote.objects.get().note == "New washer."

    @pytest.mark.parametrize("who", ["alice", *STRANGERS])
    def test_only_the_technician_finishes(self, session, who, request):
        make.live(session)
        with pytest.raises(PermissionDenied):
            actions.complete_session(session, by=request.getfixturevalue(who), note="Done.")


def test_leave_by_is_the_start_less_the_travel(session):
    assert session.leave_by == session.starts_at - 25 * MINUTE


def test_the_numbers_are_settings(alice, bob, settings):
    settings.BOOKINGS = {"TRAVEL_MINUTES": 5}
    session = make.visit(alice, bob)
    assert session.blocked_until - session.ends_at == 5 * MINUTE


def test_a_visit_that_is_called_off_in_a_pause_did_not_work_through_it(session, alice, bob):
    make.live(session)
    at = session.starts_at + 10 * MINUTE
    actions.pause_session(session, by=bob, reason="Fetching a part.", now=at)
    actions.cancel_booking(session.booking, by=alice, reason="other", now=at + HOUR)
    kept = make.fresh(session)
    assert kept.worked(at + DAY) == 10 * MINUTE
    assert kept.paused_at is None

"""Rule 13, for every address and every kind of topic: strangers get 404, the wrong role 403, the signed-out the
sign-in page. An address or a kind that is missing here fails; so does one that is here and no longer exists.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Flag, User
from bookings import actions
from bookings.tests import make
from notifications.unsubscribing import token_for
from realtime import journal, topics
from realtime.topics import Principal
from tests.conftest import Settled
from tests.crawl import browser
from tests.road import Road
from tests.world import World, admin_patterns, patterns
from tracking import actions as driving
from tracking.models import ShareLink, Shift

CAST = ("alice", "bob", "charlie", "dora", "ed", "frank", "")
IN = "in"  # sent to the sign-in page
GO = "go"  # sent to another page

#  name -> rows of (arguments, what alice (owner) bob (her technician) charlie (customer) dora (technician)
#  ed (driver) frank (admin) and the signed-out get with GET). A number is a status.
OWNERS = "200 403 404 403 403 403 in"
SIDES = "200 200 404 404 403 403 in"
WORKERS = "403 200 403 404 403 403 in"
DRIVERS = "403 403 403 403 200 403 in"
NOT_THIS_DRIVER = "403 403 403 403 404 403 in"
CUSTOMERS = "200 403 200 403 403 403 in"
TECHNICIANS = "403 200 403 200 403 403 in"
ADMINS = "403 403 403 403 403 200 in"
ALL = "200 200 200 200 200 200 200"
NOBODY = "404 404 404 404 404 404 404"
SIGNED_IN = "200 200 200 200 200 200 in"
NONE_YET = "404 404 404 404 404 404 in"  # theirs alone, and they have none
POST_ONLY = "405 405 405 405 405 405 405"
VISITORS = "go go go go go go 200"


def table(w: World, r: Road) -> dict[str, list[tuple[list[object], str]]]:
    """What everybody gets at every address."""
    pending, open_ = w.pending.booking_id, w.open.pk
    moving = [w.asked.booking_id, w.proposal.pk]
    session = session_of(w)
    return {
        "healthz": [([], ALL)],
        "readyz": [([], ALL)],
        "favicon": [([], "go go go go go go go")],
        "manifest": [([], ALL)],
        "metrics": [([], NOBODY)],  # asks for a token
        "realtime:poll": [([], "204 204 204 204 204 204 401")],  # nothing asked for, nothing new
        "realtime:say": [([], POST_ONLY)],
        "home": [([], "200 go 200 go go go 200")],
        # accounts
        "account_login": [([], VISITORS)],
        "account_logout": [([], SIGNED_IN)],
        "account_inactive": [([], ALL)],
        "account_signup": [([], VISITORS)],
        "signup_technician": [([], VISITORS)],
        "account_reauthenticate": [([], SIGNED_IN)],
        "account_email": [([], SIGNED_IN)],
        "account_email_verification_sent": [([], ALL)],
        "account_confirm_email": [(["no-such-key"], ALL)],  # says that the link is no good
        "account_change_password": [([], SIGNED_IN)],
        "account_set_password": [([], "go go go go go go in")],
        "account_reset_password": [([], ALL)],
        "account_reset_password_done": [([], ALL)],
        "account_reset_password_from_key": [(["0", "no-such-key"], ALL)],  # says that the link is no good
        "account_reset_password_from_key_done": [([], ALL)],
        # nobody of the cast has a second factor, or is in the middle of signing in with one
        "mfa_authenticate": [([], "go go go go go go in")],
        "mfa_login_webauthn": [([], "go go go go go go in")],
        "mfa_reauthenticate": [([], "go go go go go go in")],
        "mfa_reauthenticate_webauthn": [([], "go go go go go go in")],
        **{f"mfa_{name}": [([], SIGNED_IN)] for name in ("index", "activate_totp", "add_webauthn")},
        "mfa_deactivate_totp": [([], NONE_YET)],
        "mfa_remove_webauthn": [([1], NONE_YET)],
        "mfa_view_recovery_codes": [([], NONE_YET)],
        "mfa_download_recovery_codes": [([], NONE_YET)],
        "mfa_generate_recovery_codes": [([], SIGNED_IN)],
        "profile": [([], SIGNED_IN)],
        "profile_edit": [([], SIGNED_IN)],
        "trade_edit": [([], TECHNICIANS)],
        "photo": [([w.open.customer_id], "404 404 404 404 404 404 in")],  # she has none
        "credentials": [([], TECHNICIANS)],
        "credential_send": [(["background"], TECHNICIANS)],
        "credential_withdraw": [([w.paper.pk], WORKERS)],
        "credential_file": [([w.paper.pk], "404 200 404 404 404 200 in")],
        "profile_history": [([], SIGNED_IN)],
        "usersessions_list": [([], SIGNED_IN)],
        "sessions_end_others": [([], POST_ONLY)],
        "session_end": [([session], POST_ONLY)],
        # demo mode is off
        "demo:people": [([], NOBODY)],
        "demo:sign_in": [(["anna"], POST_ONLY)],
        "demo:photo": [(["anna"], NOBODY)],
        # the bell
        "notifications:list": [([], SIGNED_IN)],
        "notifications:go": [([w.notice.pk], "go 404 404 404 404 404 in")],
        "notifications:read": [([w.notice.pk], "200 404 404 404 404 404 in")],
        "notifications:clear": [([w.notice.pk], "200 404 404 404 404 404 in")],
        "notifications:read_all": [([], SIGNED_IN)],
        "notifications:clear_all": [([], SIGNED_IN)],
        "notifications:settings": [([], SIGNED_IN)],
        "notifications:quiet": [([], "405 405 405 405 405 405 in")],
        "notifications:pause": [([], SIGNED_IN)],
        "notifications:resume": [([], SIGNED_IN)],
        "notifications:unsubscribe": [
            (["no-such-token"], NOBODY),
            ([token_for(w.notice.user, [w.notice.kind])], ALL),  # the link in a mail: whoever has it
        ],
        # messages; Dora offered on another job, and admins read on the desk's page
        "chat:list": [([], "200 200 200 200 200 go in")],
        "chat:desk": [([], "go 200 200 200 200 go in")],  # Alice has written before
        "chat:about": [([w.bid.pk], "go go 404 404 404 go in")],
        "chat:replies": [([], SIGNED_IN)],
        "chat:conversation": [
            ([w.talk.pk], "200 200 404 404 404 go in"),
            ([w.desk_talk.pk], "200 404 404 404 404 go in"),
        ],
        "chat:older": [([w.talk.pk], "200 200 404 404 404 200 in")],
        "chat:send": [([w.talk.pk], POST_ONLY)],
        "chat:delete": [([w.said.pk], "200 403 404 404 404 403 in")],
        "chat:file": [([w.attached.pk], "200 200 404 404 404 200 in")],
        "chat:thumb": [([w.attached.pk], "200 200 404 404 404 200 in")],
        # the desk
        "desk:messages": [([], ADMINS)],
        "desk:compose": [([], ADMINS)],
        "desk:conversation": [([w.desk_talk.pk], ADMINS)],  # Alice reads it on her own page
        "desk:replies": [([], ADMINS)],
        "desk:reply_add": [([w.reply.role], ADMINS)],
        "desk:reply_change": [([w.reply.pk], ADMINS)],
        "desk:reply_remove": [([w.reply.pk], ADMINS)],
        "desk:reply_up": [([w.reply.pk], ADMINS)],
        "desk:reply_down": [([w.reply.pk], ADMINS)],
        # booking; Charlie has no draft and is sent to the first step
        "bookings:book": [([], CUSTOMERS)],
        "bookings:book_where": [([], "200 403 go 403 403 403 in")],
        "bookings:book_when": [([], "200 403 go 403 403 403 in")],
        "bookings:book_review": [([], "200 403 go 403 403 403 in")],
        "bookings:book_discard": [([], "200 403 go 403 403 403 in")],
        # a job: every technician while it is open, then only who had to do with it; admins work in the admin
        "bookings:job": [
            ([w.draft.pk], "404 404 404 404 404 404 in"),
            ([open_], "200 200 404 200 404 go in"),
            ([pending], "200 200 404 404 404 go in"),
            ([w.asked.booking_id], "200 200 404 200 404 go in"),  # Dora has offered, and may read that she lost
        ],
        "bookings:accept": [([open_, w.bid.pk, 1], OWNERS)],
        "bookings:reject": [([open_, w.bid.pk], OWNERS)],
        "bookings:cancel": [([pending], OWNERS)],
        "bookings:change_time": [([open_], OWNERS)],
        "bookings:start_by_tap": [([w.waiting.booking_id], OWNERS)],
        "bookings:new_code": [([w.waiting.booking_id], OWNERS)],
        "bookings:reschedule": [([pending], OWNERS)],
        "bookings:reschedule_accept": [(moving, OWNERS)],
        "bookings:reschedule_decline": [(moving, OWNERS)],
        "bookings:reschedule_withdraw": [(moving, OWNERS)],
        "bookings:contact": [([pending], OWNERS)],
        "bookings:no_show": [([pending], OWNERS)],
        "bookings:photo": [
            ([w.draft_photo.pk], "200 404 404 404 404 404 in"),
            ([w.open_photo.pk], "200 200 404 200 404 200 in"),
            ([w.visit_photo.pk], "200 200 404 404 404 200 in"),
        ],
        "bookings:completion_photo": [([w.finished_photo.pk], "200 200 404 404 404 200 in")],
        # the technician's side
        "bookings:today": [([], TECHNICIANS)],
        "bookings:marketplace": [([], TECHNICIANS)],
        "bookings:offer": [
            ([open_], TECHNICIANS),
            ([pending], "403 200 403 409 403 403 in"),  # Dora comes too late, and is told so for an hour
            ([w.draft.pk], "403 404 403 404 403 403 in"),
        ],
        "bookings:withdraw_offer": [([w.bid.pk], WORKERS)],
        # reviews: of finished jobs; a sealed one is nobody's but its author's, who has no address for it either
        "bookings:review": [
            ([w.finished.booking_id], SIDES),
            ([w.sealed.booking_id], SIDES),
            ([w.flagged.booking_id], "409 409 404 404 403 403 in"),  # open: nothing more is to be said
            ([w.asked.booking_id], "409 409 404 403 403 403 in"),  # Dora lost it; nobody has come yet
        ],
        "bookings:reviews_of": [([w.bid.technician_id], SIGNED_IN), ([w.open.customer_id], NONE_YET)],
        "bookings:flag_review": [
            ([w.published.pk], "200 403 404 404 403 403 in"),
            ([w.flagged.pk], "403 409 404 404 403 403 in"),
            ([w.sealed.pk], "404 404 404 404 403 403 in"),
        ],
        # disputes: what is said is nobody's but the two sides' and the desk's, which has its own page
        "bookings:dispute_open": [
            ([w.live.booking_id], SIDES),
            ([w.asked.booking_id], "409 409 404 403 403 403 in"),  # Dora lost it; nobody has come yet
        ],
        "bookings:dispute": [([w.claim.pk], "200 200 404 404 403 go in")],
        "bookings:dispute_answer": [([w.claim.pk], "200 403 404 404 403 403 in")],
        "bookings:dispute_add": [([w.claim.pk], SIDES), ([w.dispute.pk], "200 409 404 404 403 403 in")],
        "bookings:dispute_withdraw": [([w.claim.pk], "403 200 404 404 403 403 in")],
        "bookings:evidence": [
            ([w.proof.pk], "200 200 404 404 404 200 in"),
            ([w.hidden.pk], "200 404 404 404 404 200 in"),  # Bob is not asked yet
        ],
        "bookings:check_in": [([w.pending.pk], WORKERS)],
        "bookings:enter_code": [([w.waiting.pk], WORKERS)],
        "bookings:pause_session": [([w.live.pk], WORKERS)],
        "bookings:resume_session": [([w.paused.pk], WORKERS)],
        "bookings:complete_session": [([w.live.pk], WORKERS)],
        "bookings:stop_work": [([w.live.pk], WORKERS)],
        "bookings:release": [([w.pending.pk], WORKERS)],
        "bookings:contact_attempt": [([w.waiting.pk], WORKERS)],
        "bookings:report_no_show": [([w.waiting.pk], WORKERS)],
        "bookings:propose_move": [([w.pending.pk], WORKERS)],
        "bookings:accept_move": [([w.proposal.pk], WORKERS)],
        "bookings:decline_move": [([w.proposal.pk], WORKERS)],
        "bookings:withdraw_move": [([w.proposal.pk], WORKERS)],
        **table_of_the_road(w, r),
    }


def table_of_the_road(w: World, r: Road) -> dict[str, list[tuple[list[object], str]]]:
    """The part of it about drivers, trips and the desk's fleet."""
    ed, journey = r.coming.driver_id, [r.journey.pk]
    verbs = ("accept", "decline", "set_off", "arrive", "complete", "fail")
    return {
        "tracking:drive": [([], DRIVERS)],
        "tracking:gps": [([], "403 200 403 200 200 403 in")],
        "tracking:fixes": [([], POST_ONLY)],
        **{f"tracking:{name}": [([], DRIVERS)] for name in ("on", "break", "back", "off")},
        "tracking:seen": [([r.offer.pk], POST_ONLY)],
        **{f"tracking:{name}": [([r.offer.pk], DRIVERS), ([r.gils.pk], NOT_THIS_DRIVER)] for name in verbs},
        # who is on the way; Ed's trip is no technician's to turn back
        "tracking:on_my_way": [([w.pending.pk], WORKERS)],
        "tracking:turn_back": [([r.trip.pk], WORKERS), (journey, "403 404 403 404 403 403 in")],
        "tracking:share": [(journey, OWNERS)],
        "tracking:revoke_link": [([r.link.pk], OWNERS)],
        "tracking:shared": [
            ([r.link.token], ALL),
            ([r.revoked.token], "410 410 410 410 410 410 410"),
            (["made-up"], NOBODY),
        ],
        # the desk
        "desk:fleet": [([], ADMINS)],
        **{f"desk:driver{name}": [([ed], ADMINS)] for name in ("", "_track", "_ask", "_change")},
        "desk:leg_new": [([], ADMINS)],
        **{f"desk:leg{name}": [([r.free.pk], ADMINS)] for name in ("", "_offer", "_cancel")},
        "desk:dispatch_revoke": [([r.offer.pk], ADMINS)],
        **{f"desk:dispatch_{name}": [([r.gils.pk], ADMINS)] for name in ("cancel", "reassign")},
        "demo:switch": [([], POST_ONLY)],
        **table_of_the_desk(w, r),
    }


PERSON_VERBS = ("_suspend", "_lift", "_role", "_change", "_factor", "_sessions_end", "_export", "_erase")


def session_of(w: World) -> int:
    """A browser in which Alice is signed in."""
    found: int = User.objects.get(pk=w.open.customer_id).usersession_set.earliest("pk").pk
    return found


def table_of_the_desk(w: World, r: Road) -> dict[str, list[tuple[list[object], str]]]:
    """What everybody gets where the business is run."""
    pending, open_ = w.pending.booking_id, w.open.pk
    return {
        "desk:dashboard": [([], ADMINS)],
        "desk:audit": [([], ADMINS)],
        "desk:audit_export": [([], ADMINS)],
        **{f"desk:{name}": [([], ADMINS)] for name in ("flags", "health", "presence")},
        **{f"desk:flag{verb}": [([Flag.objects.get(name="live_desk").pk], ADMINS)] for verb in ("", "_on", "_off")},
        **{f"desk:booking{name}": [([], ADMINS)] for name in ("s", "_new", "s_export")},
        "desk:bookings_bulk": [([verb], ADMINS) for verb in ("accept", "move", "cancel")],
        "desk:booking": [([open_], ADMINS), ([w.draft.pk], "403 403 403 403 403 404 in")],
        **{f"desk:booking_{verb}": [([pending], ADMINS)] for verb in ("assign", "move", "cancel")},
        "desk:booking_step": [([pending, "check_in"], ADMINS)],
        "desk:booking_offer": [([open_, w.bid.pk, verb], ADMINS) for verb in ("accept", "decline", "withdraw")],
        "desk:reviews": [([], ADMINS)],
        "desk:review": [([w.flagged.pk], ADMINS), ([w.sealed.pk], "403 403 403 403 403 404 in")],
        **{f"desk:review_{verb}": [([w.flagged.pk], ADMINS)] for verb in ("keep", "hide")},
        "desk:review_flag": [([w.published.pk], ADMINS), ([w.sealed.pk], "403 403 403 403 403 404 in")],
        "desk:disputes": [([], ADMINS)],
        **{f"desk:dispute{name}": [([w.dispute.pk], ADMINS)] for name in ("", "_take_on", "_add")},
        "desk:dispute_decide": [([w.case.pk], ADMINS)],
        "desk:verification": [([], ADMINS)],
        **{f"desk:credential{name}": [([w.paper.pk], ADMINS)] for name in ("", "_approve", "_reject")},
        "desk:credential_suspend": [([w.held.pk], ADMINS)],
        "desk:people": [([], ADMINS)],
        "desk:note_add": [([w.open.customer_id], ADMINS)],
        "desk:note_remove": [([r.remark.pk], ADMINS)],
        **{f"desk:person{verb}": [([w.open.customer_id], ADMINS)] for verb in ("", *PERSON_VERBS)},
        "desk:person_session_end": [([w.open.customer_id, session_of(w)], ADMINS)],
    }


@pytest.fixture
def cast(settled: Settled) -> dict[str, User | None]:
    """Everybody by name; nobody under the empty one."""
    return {**settled.people, "": None}


@pytest.fixture
def browsers(cast: dict[str, User | None]) -> dict[str, Client]:
    """A signed-in browser for each, who has just proved their password."""
    return {name: browser(user) for name, user in cast.items()}


@pytest.fixture
def road(settled: Settled) -> Road:
    """Who is on the way to her, and who could be."""
    return settled.road


@pytest.fixture
def world(settled: Settled, browsers: dict[str, Client]) -> World:
    """Alice's bookings in every state; everybody has signed in."""
    return settled.world


def outcome(response) -> str:
    """A status, `in` for the sign-in page, `go` for another page."""
    if response.status_code not in (301, 302, 303):
        return str(response.status_code)
    return IN if response["Location"].split("?")[0] == reverse("account_login") else GO


def test_every_address_is_in_the_table_and_the_table_names_no_other(world, road):
    assert set(table(world, road)) == set(patterns())


@pytest.mark.parametrize("who", CAST)
def test_everybody_gets_what_the_table_says(world, road, browsers, who):
    wrong = []
    for name, rows in table(world, road).items():
        for arguments, expected in rows:
            url, wanted = reverse(name, args=arguments), expected.split()[CAST.index(who)]
            query = {"c": str(journal.now())} if name == "realtime:poll" else {}
            got = outcome(browsers[who].get(url, query))
            if got != wanted:
                wrong.append(f"{name} {url} wanted {wanted}, got {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", CAST)
def test_whoever_may_not_look_may_not_act_either_and_nothing_changes(world, road, browsers, who):
    """POST to every address that gives 403, 404 or the sign-in page to `who`: the same, or 405."""
    before = everything(world, road)
    wrong = []
    for name, rows in table(world, road).items():
        for arguments, expected in rows:
            url, wanted = reverse(name, args=arguments), expected.split()[CAST.index(who)]
            if wanted in {"403", "404", IN}:
                got = outcome(browsers[who].post(url))
                if got not in {wanted, "405"}:
                    wrong.append(f"{url} wanted {wanted}, got {got}")
    assert not wrong, "\n".join(wrong)
    assert everything(world, road) == before


def everything(world: World, road: Road) -> list[object]:
    """The states of all that a POST could have moved."""
    rows = (world.open, world.bid, world.asked, world.pending, world.waiting, world.live, world.paused)
    rows += (world.paper, world.held, world.dispute, world.claim, world.case)
    rows += (world.flagged, world.published, world.sealed)
    states = [make.fresh(row).status for row in (*rows, road.over, road.coming, road.offer, road.gils)]
    trips = [make.fresh(row).closed_at for row in (road.journey, road.trip)]
    counts = [type(row).objects.count() for row in (world.draft, road.free, road.offer, road.journey, road.link)]
    return [*states, *trips, *counts, make.fresh(road.link).revoked_at, list(Shift.objects.values_list("duty"))]


def test_a_session_and_a_photo_of_somebody_else_cannot_be_ended_or_removed(world, browsers, cast):
    own = cast["alice"].usersession_set.get()
    assert browsers["charlie"].post(reverse("session_end", args=[own.pk])).status_code == 404
    assert browsers[""].post(reverse("session_end", args=[own.pk])).status_code == 302
    assert browsers["alice"].get(reverse("profile")).status_code == 200


def test_djangos_admin_is_for_admins(world, browsers):
    """Everybody else is sent to a sign-in page, or refused; no address of it answers them."""
    wrong = []
    for name, row in admin_patterns().items():
        parts = [*row.pattern.converters, *row.pattern.regex.groupindex]
        url = reverse(name, kwargs={part: "bookings" if part == "app_label" else "1" for part in parts})
        for who in set(CAST) - {"frank"}:
            response = browsers[who].get(url)
            if response.status_code == 200 and name not in {"admin:login", "admin:jsi18n"}:
                wrong.append(f"{who}: {url}")
    assert not wrong, "\n".join(wrong)
    assert browsers["frank"].get(reverse("admin:index")).status_code == 200


# --- Topics ---------------------------------------------------------------------------------------


def audiences(w: World, r: Road, cast: dict[str, User | None]) -> dict[str, list[tuple[list[int | str], set[str]]]]:
    """Who of the cast belongs to topics of every kind."""
    alice, bob, dora = cast["alice"].pk, cast["bob"].pk, cast["dora"].pk
    pending, open_, ed = w.pending.booking_id, w.open.pk, cast["ed"].pk
    return {
        "user.{user_id}": [([alice], {"alice"}), ([bob], {"bob"})],
        "user.{user_id}.notices": [([alice], {"alice"}), ([bob], {"bob"})],
        "user.{user_id}.talks": [([alice], {"alice"}), ([bob], {"bob"})],
        "user.{user_id}.changes": [([alice], {"alice"}), ([bob], {"bob"})],
        "desk.people": [([], {"frank"})],
        "desk.person.{user_id}": [([alice], {"frank"}), ([cast["frank"].pk], {"frank"})],
        "desk.receipts.{conversation_id}": [([w.desk_talk.pk], {"frank"})],
        "desk.replies": [([], {"frank"})],
        "desk.messages": [([], {"frank"})],
        "desk.talks": [([], {"frank"})],
        "chat.{conversation_id}": [([w.talk.pk], {"alice", "bob", "frank"}), ([w.desk_talk.pk], {"alice", "frank"})],
        "person.{user_id}": [([bob], {"alice", "frank"}), ([alice], {"bob", "frank"}), ([dora], {"frank"})],
        "replies.{role:str}": [(["customer"], {"alice", "charlie"}), (["technician"], {"bob", "dora"})],
        "booking.{booking_id}.customer": [([open_], {"alice"}), ([pending], {"alice"}), ([w.draft.pk], {"alice"})],
        "marketplace": [([], {"bob", "dora"})],
        "marketplace.{booking_id}": [
            ([open_], {"bob", "dora"}),
            ([pending], {"bob", "dora"}),  # it has just gone, which is still news; it shows nothing but that
            ([w.draft.pk], set()),
        ],
        "booking.{booking_id}.technician.{user_id}": [
            ([open_, bob], {"bob"}),
            ([open_, dora], {"dora"}),
            ([pending, bob], {"bob"}),
            ([w.asked.booking_id, dora], {"dora"}),  # lost: their own offer's fate, no address (below)
            ([w.draft.pk, bob], set()),
            ([open_, alice], set()),
        ],
        # the road: only Alice sees who comes, and only while they come
        "user.{user_id}.drive": [([ed], {"ed"}), ([bob], {"bob"})],
        "user.{user_id}.fixes": [([ed], {"ed"}), ([bob], {"bob"})],
        "journey.{journey_id}": [([r.journey.pk], {"alice"}), ([r.trip.pk], {"alice"}), ([r.ended.pk], set())],
        "desk.fleet": [([], {"frank"})],
        "desk.dispatch": [([], {"frank"})],
        "dispute.{dispute_id}.{user_id}": [
            ([w.claim.pk, alice], {"alice"}),
            ([w.claim.pk, bob], {"bob"}),
            ([w.claim.pk, dora], set()),
        ],
        "reviews.{technician_id}": [([bob], set(CAST) - {""}), ([alice], set())],
        "desk.reviews.{show:str}": [(["flagged"], {"frank"}), (["submitted"], set())],
        "desk.review.{review_id}": [([w.flagged.pk], {"frank"})],
        "desk.disputes.{show:str}": [(["waiting"], {"frank"}), (["nonsense"], set())],
        "desk.dispute.{dispute_id}": [([w.claim.pk], {"frank"})],
        "desk.verification.{which:str}": [(["waiting"], {"frank"}), (["nonsense"], set())],
        "desk.credential.{credential_id}": [([w.paper.pk], {"frank"})],
        "desk.leg.{leg_id}": [([r.free.pk], {"frank"})],
        "desk.driver.{driver_id}": [([ed], {"frank"})],
        "desk.booking.{booking_id}": [([open_], {"frank"}), ([pending], {"frank"})],
        "desk.bookings": [([], {"frank"})],
        "desk.bookings.{show:str}": [(["late"], {"frank"})],
        "desk.figures": [([], {"frank"})],
        **{f"desk.{name}": [([], {"frank"})] for name in ("flags", "health", "presence")},
        "desk.charts": [([], {"frank"})],
        "desk.activity": [([], {"frank"})],
        "desk.waits": [([], {"frank"})],
    }


def declared() -> dict[str, topics.Topic]:
    """Every kind of topic, those of throw-away apps aside."""
    return {kind.pattern: kind for kind in topics.kinds() if not kind.pattern.startswith("board")}


def members(name: str, cast: dict[str, User | None]) -> set[str]:
    """Who of the cast hears of the topic; a made-up share link hears of none."""
    principals = {Principal("user", str(user.pk)): who for who, user in cast.items() if user is not None}
    found = topics.members(name, {*principals, Principal("link", "made-up")})
    return {principals[each] for each in found}


def test_every_kind_of_topic_is_in_the_table(world, road, cast):
    assert set(audiences(world, road, cast)) == set(declared())


def test_topics_are_heard_by_those_the_table_names(world, road, cast):
    wrong = []
    for pattern, rows in audiences(world, road, cast).items():
        for params, expected in rows:
            name = declared()[pattern](*params)
            if (got := members(name, cast)) != expected:
                wrong.append(f"{name}: wanted {sorted(expected)}, got {sorted(got)}")
    assert not wrong, "\n".join(wrong)


def test_whoever_is_deactivated_hears_of_no_topic_but_their_own(world, road, cast):
    """Their own carries nothing: the banner of a closed account is gone, and their sockets are ended."""
    for name in ("alice", "bob", "dora", "frank"):
        cast[name].is_active = False
        cast[name].save(update_fields=["is_active"])
    for pattern, rows in audiences(world, road, cast).items():
        for params, _ in rows:
            heard = members(declared()[pattern](*params), cast) - {"charlie", "ed"}  # who stay
            assert not heard or pattern.startswith("user.{user_id}"), (pattern, params)


def test_a_share_link_hears_of_its_own_journey_only_and_no_longer_than_it(world, road, cast):
    def hears(link: ShareLink) -> set[str]:
        principal = Principal("link", link.token)
        names = [declared()[kind](*params) for kind, rows in audiences(world, road, cast).items() for params, _ in rows]
        return {name for name in names if principal in topics.members(name, {principal})}

    own = declared()["journey.{journey_id}"](road.journey.pk)
    assert (hears(road.link), hears(road.revoked)) == ({own}, set())
    driving.arrive(road.coming, by=cast["ed"])
    assert hears(road.link) == set()


def test_after_a_release_the_technician_keeps_the_offers_fate_and_nothing_else(world, cast, browsers):
    actions.release(world.pending, by=cast["bob"], reason="Ill")
    html = browsers["bob"].get(reverse("bookings:job", args=[world.pending.booking_id])).content.decode()
    assert "You withdrew after winning." in html and "12 Inverness Street" not in html and "alice@" not in html

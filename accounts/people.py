"""What the desk does about one person beyond their role and their account: notes, corrections, sessions, a copy of
everything that is kept about them, and their erasure. Each leaves its line in the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from accounts import sessions
from accounts.access import require_desk
from accounts.actions import update_profile
from accounts.audit import record
from accounts.holdings import Held, holdings
from accounts.models import AccountHistory, AccountNote, User
from common.history import keep
from common.refusals import Conflict, Invalid
from common.streaming import PIECE, json_rows, zipped
from common.uploads import delete_later

README = """Everything that Callout keeps about {name}, as of {now:%-d %B %Y, %H:%M} UTC.

Each .json file holds the rows of one kind, a row a line. Times are in UTC, amounts in the currency beside them.
Files that were sent along are in the folder files/.
"""


def line(by: User, verb: str, user: User, *, now: datetime, reason: str = "", **more: object) -> None:
    """The audit's line of something done to a person."""
    details = {name: value for name, value in more.items() if value}
    record(
        by,
        verb,
        subject_kind="user",
        subject_id=user.pk,
        label=str(user),
        person=user,
        reason=reason,
        details=details,
        now=now,
    )


# --- Notes ----------------------------------------------------------------------------------------


@transaction.atomic
def add_note(user: User, *, by: User, text: str, now: datetime | None = None) -> AccountNote:
    """Keep something in mind about a person; only the desk reads it. Raises `Invalid` for no words."""
    require_desk(by)
    now, text = now or timezone.now(), text.strip()
    if not text:
        raise Invalid("The note is empty. Write what the desk should know.")
    note = AccountNote.objects.create(user=user, author=by, text=text, at=now)
    line(by, "noted", user, now=now)
    return note


@transaction.atomic
def remove_note(note: AccountNote, *, by: User, now: datetime | None = None) -> None:
    """Take a note away. Raises `Conflict` where somebody has done so."""
    require_desk(by)
    found = AccountNote.objects.select_for_update(of=("self",)).select_related("user").filter(pk=note.pk).first()
    if found is None:
        raise Conflict("Somebody has removed this note a moment ago.")
    found.delete()
    line(by, "removed_note", found.user, now=now or timezone.now())


# --- Corrections and sessions ---------------------------------------------------------------------


@transaction.atomic
def correct_person(
    user: User, *, by: User, name: str, phone: str, time_zone: str, reason: str, now: datetime | None = None
) -> User:
    """Change on a person's behalf how others see them. Raises `Invalid` where nothing changes."""
    require_desk(by)
    locked: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    wanted = {"name": name, "phone": phone, "time_zone": time_zone}
    changed = {key: [getattr(locked, key), value] for key, value in wanted.items() if getattr(locked, key) != value}
    if not changed:
        raise Invalid("Nothing is different. Change what is wrong, or go back.")
    found = update_profile(user, by=by, name=name, phone=phone, time_zone=time_zone)
    line(by, "corrected_person", found, now=now or timezone.now(), reason=reason, **changed)
    return found


@transaction.atomic
def end_one_session(row: UserSession, *, by: User, reason: str = "", now: datetime | None = None) -> None:
    """Sign one browser of a person out, its open pages included."""
    require_desk(by)
    sessions.end([row])
    line(by, "ended_session", row.user, now=now or timezone.now(), reason=reason)


@transaction.atomic
def end_every_session(user: User, *, by: User, reason: str, now: datetime | None = None) -> None:
    """Sign a person out everywhere. Raises `Invalid` for oneself: that is on one's own page."""
    require_desk(by)
    if by.pk == user.pk:
        raise Invalid("These are your own. Sign out elsewhere on “Where you are signed in” of your profile.")
    sessions.end_all_of(user)
    line(by, "ended_sessions", user, now=now or timezone.now(), reason=reason)


# --- A copy of everything -------------------------------------------------------------------------


def export_person(user: User, *, by: User, reason: str, now: datetime | None = None) -> Iterator[bytes]:
    """Everything that is kept about a person, as a ZIP archive that is made while it is read.

    The line in the audit is written at once, before the first byte.
    """
    require_desk(by)
    now = now or timezone.now()
    with transaction.atomic():
        line(by, "exported_person", user, now=now, reason=reason)
    return zipped(entries(user, now), now=now)


def entries(user: User, now: datetime) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The files of the archive as (path, content in parts)."""
    yield "README.txt", [README.format(name=user, now=now).encode()]
    for holding in holdings():
        for section in holding.sections(user):
            yield f"{holding.app}/{section.name}.json", json_rows(section.rows)
    lost = []
    for held in (held for holding in holdings() for held in holding.files(user)):
        if held.file.storage.exists(str(held.file.name)):
            yield safe(held), parts_of(held.file)
        else:
            lost.append(safe(held))
    if lost:
        yield (
            "files/MISSING.txt",
            [b"These were on file and are gone from the disk:\n", "\n".join(lost).encode()],
        )


def safe(held: Held) -> str:
    """The path in the archive: what a sender called a file names no folder."""
    folder, _, name = held.path.rpartition("/")
    return f"{folder}/{name.replace(chr(92), '_')}"


def parts_of(file: FieldFile) -> Iterator[bytes]:
    """A stored file, piece by piece."""
    with file.storage.open(str(file.name), "rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


# --- Erasing --------------------------------------------------------------------------------------


def why_not_erased(user: User) -> list[str]:
    """What must end before a person can be erased, as sentences; nothing where nothing stands in the way."""
    return [sentence for holding in holdings() for sentence in holding.running(user)]


@transaction.atomic
def erase_person(user: User, *, by: User, reason: str, now: datetime | None = None) -> User:
    """Remove a person's details for good: names, addresses, words and files. The books and histories stay.

    Their sessions end and the account is closed for ever. Raises `Conflict` where that was done, or while something
    of theirs still runs; `Invalid` for oneself.
    """
    require_desk(by)
    if by.pk == user.pk:
        raise Invalid("You cannot erase yourself. Ask another admin.")
    now = now or timezone.now()
    locked: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if locked.erased_at is not None:
        raise Conflict("This account is erased already.")
    # All that others may hold is held before anything is written: whoever is at work on it ends first, and what they
    # did is seen below. Nobody waits here for a row while somebody else waits for what was written.
    for holding in holdings():
        holding.claim(locked)
    if obstacles := why_not_erased(locked):
        raise Conflict(f"{locked} cannot be erased yet. {' '.join(obstacles)} See to that first.")
    for holding in holdings():
        holding.forget(locked, now)
    before = "active" if locked.is_active else "inactive"
    empty(locked, now)
    keep(AccountHistory, before, "erased", by=by, now=now, reason=reason, user=locked)
    return locked


def empty(user: User, now: datetime) -> None:
    """Take everything out of the account's own row; saving it ends sessions and sockets."""
    if user.photo:
        delete_later(user.photo)
    user.name = f"Former {user.get_role_display().lower()}"
    user.email = f"erased-{user.pk}@invalid"
    user.phone, user.photo, user.time_zone = "", "", settings.DEFAULT_ZONE
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login, user.erased_at = None, now
    user.set_unusable_password()
    user.groups.clear()
    user.user_permissions.clear()
    user.save()

"""Documents for tests: sent and decided in one line each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts import credentials
from accounts.models import Credential, CredentialKind, Role, Technician, User
from common.documents import Document

NOW = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
NEXT_YEAR = date(2028, 3, 1)
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def newcomer(name: str = "Nina") -> User:
    """A technician around Camden whom nobody has verified."""
    user = User.objects.create_user(f"{name.lower()}@example.org", name=f"{name} Test", role=Role.TECHNICIAN)
    Technician.objects.create(user=user, base_label="Camden", base_latitude=51.539, base_longitude=-0.1426)
    return user


def document(name: str = "passport.jpg", content: bytes = b"a picture") -> Document:
    """A file that was looked at; what is in it matters to nobody here."""
    return Document(name, ContentFile(content, name=f"x.{name.rpartition('.')[2]}"))


def upload(name: str = "passport.jpg") -> SimpleUploadedFile:
    """A file as a browser sends it: a picture, or a PDF by its name."""
    if name.endswith(".pdf"):
        return SimpleUploadedFile(name, PDF, content_type="application/pdf")
    out = BytesIO()
    Image.new("RGB", (48, 32), "teal").save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


def sent(by: User, kind: str = CredentialKind.IDENTITY, *, now: datetime = NOW, **changes: Any) -> Credential:
    """A document of a technician that waits."""
    values = {"document": document(), "valid_until": NEXT_YEAR, **changes}
    return credentials.submit_credential(by.technician, by=by, kind=kind, now=now, **values)


def held(by: User, kind: str = CredentialKind.IDENTITY, *, now: datetime = NOW, **changes: Any) -> Credential:
    """One that was approved."""
    return credentials.approve_credential(sent(by, kind, now=now, **changes), by=None, now=now)


def verified(by: User, *, now: datetime = NOW, **changes: Any) -> tuple[Credential, Credential]:
    """Identity and insurance, approved."""
    return held(by, now=now, **changes), held(by, CredentialKind.INSURANCE, now=now, **changes)

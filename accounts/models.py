"""People: one user with one role, and what a technician adds to it."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from waffle.managers import FlagManager
from waffle.models import AbstractUserFlag

from common.constraints import known
from common.history import HistoryRow
from common.zones import validate_zone
from realtime.models import LiveModel, LiveQuerySet


class Role(models.TextChoices):
    CUSTOMER = "customer", "Customer"
    TECHNICIAN = "technician", "Technician"
    DRIVER = "driver", "Driver"
    ADMIN = "admin", "Admin"


class UserManager(BaseUserManager["User"].from_queryset(LiveQuerySet)):  # type: ignore[misc]
    """Makes users by e-mail address; there is no user name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Save and return a user; without a password they cannot sign in until they reset it."""
        user = User(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Save and return an admin with every permission."""
        return self.create_user(
            email, password, **{"name": "Admin", **fields, "role": Role.ADMIN, "is_staff": True, "is_superuser": True}
        )


def photo_path(user: User, name: str) -> str:
    """Where a profile photo is kept: a random name, so that a path tells nothing and nobody's name is in it."""
    return f"people/{uuid.uuid4().hex}.jpg"


class User(LiveModel, AbstractBaseUser, PermissionsMixin):
    """A person who signs in. Their role says which pages are theirs."""

    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=80, help_text="As other people see you.")
    role = models.CharField(max_length=12, choices=Role, default=Role.CUSTOMER)
    phone = models.CharField(max_length=30, blank=True)
    time_zone = models.CharField(max_length=50, default=settings.DEFAULT_ZONE, validators=[validate_zone])
    photo = models.ImageField(upload_to=photo_path, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When their details were removed."
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_in_any_case"),
            known("role", Role, "user_role_is_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["role", "joined_at"], name="user_joined")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def first_name(self) -> str:
        """What other people call them on a page."""
        return self.name.split()[0] if self.name.strip() else "Somebody"

    def get_full_name(self) -> str:
        """The name in full (Django's admin and allauth ask for it)."""
        return self.name


class Skill(models.Model):
    """A trade: plumbing, electrics, locks."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    icon = models.CharField(max_length=40, default="wrench", help_text="A name in the icon sprite.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Technician(LiveModel):
    """What a technician adds to a user: skills, area, hours, and whether the desk has verified them."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="technician", primary_key=True)
    skills = models.ManyToManyField(Skill, related_name="technicians", blank=True)
    about = models.TextField(blank=True, max_length=600)
    base_label = models.CharField("base", max_length=80, help_text="A neighbourhood or postcode area, e.g. Camden.")
    base_latitude = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    base_longitude = models.FloatField(validators=[MinValueValidator(-180), MaxValueValidator(180)])
    radius_km = models.PositiveSmallIntegerField(default=15, validators=[MinValueValidator(1), MaxValueValidator(100)])
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["base_latitude", "base_longitude"], name="technician_base")]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_verified(self) -> bool:
        """Only the verified may bid."""
        return self.verified_at is not None


class WorkingHours(models.Model):
    """One stretch of a week in which a technician takes visits, in the technician's own time zone."""

    technician = models.ForeignKey(Technician, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(
        choices=[
            (i, d) for i, d in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))
        ]
    )
    starts = models.TimeField()
    ends = models.TimeField()

    class Meta:
        ordering = ("weekday", "starts")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="hours_end_after_start"),
            models.UniqueConstraint(fields=["technician", "weekday"], name="hours_once_a_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}-{self.ends:%H:%M}"


class CredentialKind(models.TextChoices):
    """What a technician can prove. The desk asks everybody for the first two before they may bid."""

    IDENTITY = "identity", "Proof of identity"
    INSURANCE = "insurance", "Liability insurance"
    TRADE = "trade", "Trade certificate"
    BACKGROUND = "background", "Background check"


class CredentialStatus(models.TextChoices):
    """Where one document stands."""

    PENDING = "pending", "Being checked"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Refused"
    EXPIRED = "expired", "Expired"
    SUSPENDED = "suspended", "Suspended"


def credential_path(credential: models.Model, name: str) -> str:
    """Where a document is kept: a random name with the ending of what it was found to be."""
    return f"credentials/{uuid.uuid4().hex}.{name.rpartition('.')[2]}"


class Credential(LiveModel):
    """One document of a technician. A newer one of the same kind takes its place once it is approved."""

    technician = models.ForeignKey(Technician, on_delete=models.CASCADE, related_name="credentials")
    kind = models.CharField(max_length=10, choices=CredentialKind)
    number = models.CharField("number or reference", max_length=60, blank=True)
    file = models.FileField(upload_to=credential_path)
    name = models.CharField(max_length=100, help_text="What its sender called the file.")
    valid_until = models.DateField(null=True, blank=True, help_text="The last day it holds; empty: it does not end.")
    status = models.CharField(max_length=10, choices=CredentialStatus, default=CredentialStatus.PENDING)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was refused or suspended.")
    submitted_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True, editable=False, help_text="When they were told that it runs out.")

    class Meta:
        ordering = ("-submitted_at", "-id")
        constraints: ClassVar = [
            known("kind", CredentialKind, "credential_kind_is_known"),
            known("status", CredentialStatus, "credential_status_is_known"),
            models.UniqueConstraint(
                fields=["technician", "kind"],
                condition=models.Q(status=CredentialStatus.PENDING),
                name="credential_one_is_checked_a_kind",
            ),
            models.UniqueConstraint(
                fields=["technician", "kind"],
                condition=models.Q(status=CredentialStatus.APPROVED),
                name="credential_one_holds_a_kind",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=(CredentialStatus.REJECTED, CredentialStatus.SUSPENDED))
                | ~models.Q(reason=""),
                name="credential_refusal_says_why",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["submitted_at"],
                condition=models.Q(status=CredentialStatus.PENDING),
                name="credential_queue",
            ),
            models.Index(
                fields=["valid_until"],
                condition=models.Q(status=CredentialStatus.APPROVED),
                name="credential_expiry",
            ),
            models.Index(fields=["decided_at"], name="credential_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.technician}"


class CredentialHistory(HistoryRow):
    """The transitions of a document."""

    subject = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        indexes: ClassVar = [
            *HistoryRow.Meta.indexes,
            models.Index(fields=["subject", "at"], name="credential_history_order"),
        ]


class AccountNote(LiveModel):
    """What the desk keeps in mind about a person; only the desk reads it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=1000)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return self.text[:60]


class DeskAction(LiveModel):
    """Something the desk did that moved no state: an export, a note, a changed flag. Rows are only added.

    Together with the histories it is the audit: nothing the desk does is missing from it.
    """

    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=40, help_text="What was done, in lower_snake_case: exported_bookings.")
    subject_kind = models.CharField(max_length=20, blank=True, help_text="booking, user, leg, flag, ...")
    subject_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=120, blank=True, help_text="What the object was called then.")
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", help_text="Concerned.")
    reason = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict, help_text="What changed: {field: [before, after]}.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "id")
        indexes: ClassVar = [
            models.Index(fields=["at"], name="desk_action_order"),
            models.Index(fields=["person", "at"], name="desk_action_about"),
        ]

    def __str__(self) -> str:
        return f"{self.verb}: {self.label}"


class LiveFlagManager(FlagManager.from_queryset(LiveQuerySet)):  # type: ignore[misc]
    """Waffle's, whose rows are live."""


class Flag(LiveModel, AbstractUserFlag):
    """A switch for a part of the site. Its share of people is a stable one: see `accounts.flags`."""

    roles = models.JSONField(default=list, blank=True, help_text="Roles it is on for, whatever the share.")

    objects: ClassVar[LiveFlagManager] = LiveFlagManager()

    class Meta(AbstractUserFlag.Meta):
        abstract = False

    def is_active(self, request: HttpRequest, read_only: bool = False) -> bool:
        """For waffle's own tags and decorators: the answer that everything else gives, with no cookie and no dice."""
        from accounts.flags import is_on

        return is_on(self.name, getattr(request, "user", None))


class AccountHistory(HistoryRow):
    """What the desk did to an account: verified, unverified, active, inactive, or a new role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        verbose_name_plural = "account history"

    def __str__(self) -> str:
        return f"{self.user_id}: {self.from_state} to {self.to_state}"

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

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_in_any_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_is_known"),
        ]

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


class AccountHistory(HistoryRow):
    """What the desk did to an account: verified, unverified, active, inactive, or a new role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="history")

    class Meta(HistoryRow.Meta):
        verbose_name_plural = "account history"

    def __str__(self) -> str:
        return f"{self.user_id}: {self.from_state} to {self.to_state}"

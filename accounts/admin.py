"""Accounts in Django's admin: the rows as they are, and verifying by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from waffle.models import Sample, Switch

from accounts import actions
from accounts.access import signed_in
from accounts.models import AccountHistory, Role, Skill, Technician, User, WorkingHours
from accounts.raw import Audited, ReadOnly
from accounts.stepping import steps_up_to_change
from common.refusals import Refusal

# Django's own login page knows no rate limit; ours does.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Behind it lie money and roles in the raw: whoever changes something proves who they are.
plainly = admin.site.admin_view


def admin_view(view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
    """Every page of it goes through here."""
    return plainly(steps_up_to_change(view), cacheable)


admin.site.admin_view = admin_view  # type: ignore[method-assign,assignment]
# Second factors are nobody's to read or edit: they are set up by their owner and reset as a whole.
# Sessions are ended on the desk's page of a person, and flags turned on its own; switches and samples are not used.
admin.site.unregister([Authenticator, EmailAddress, Group, Sample, Switch, UserSession])
admin.site.site_header = admin.site.site_title = "Callout desk"

Verb = Callable[[], object]


def row_by_row(request: HttpRequest, verbs: list[tuple[str, Verb]], done: str) -> None:
    """Do each and report each: what one refuses does not stop the others."""
    for label, verb in verbs:
        try:
            verb()
        except Refusal as refusal:
            messages.warning(request, refusal.sentence)
        else:
            messages.success(request, f"{label}: {done}.")


class NewUserForm(AdminUserCreationForm[User]):
    """A new person, by e-mail address, with a password (or without one, to be set by a reset)."""

    class Meta:
        model = User
        fields = ("email", "name", "role", "time_zone")

    def clean_email(self) -> str:
        """The address in lower case: it is compared without regard to case."""
        email: str = self.cleaned_data["email"].lower()
        return email

    def clean_role(self) -> str:
        """A technician needs a trade on file, which is added here after the person."""
        role: str = self.cleaned_data["role"]
        if role == Role.TECHNICIAN:
            raise forms.ValidationError("Make a customer first, add the technician, then change the role.")
        return role

    def save(self, commit: bool = True) -> User:
        """Admins are staff, or they could not come in here."""
        user: User = super().save(commit=False)
        user.is_staff = user.role == Role.ADMIN
        if commit:
            user.save()
            self.save_m2m()
        return user


class HistoryInline(ReadOnly, admin.TabularInline[AccountHistory, User]):
    """What the desk did to an account. Nobody edits the past."""

    model = AccountHistory
    fk_name = "user"
    fields = readonly_fields = ("at", "from_state", "to_state", "actor", "reason")
    extra = 0


@admin.register(Group)
class GroupAdmin(Audited, DjangoGroupAdmin):
    """Who of the desk may see and edit which raw rows."""


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnly, admin.ModelAdmin[EmailAddress]):
    """The addresses that people sign in with; changed with the person."""

    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__name")


@admin.register(User)
class UserAdmin(Audited, DjangoUserAdmin[User]):
    """People. Closing an account ends their sessions and sockets."""

    add_form = NewUserForm
    list_display = ("email", "name", "role", "is_active", "joined_at")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    ordering = ("-joined_at",)
    readonly_fields = ("role", "is_active", "is_staff", "last_login", "joined_at")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("As others see them", {"fields": ("name", "phone", "time_zone")}),
        ("Access", {"fields": ("role", "is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "role", "time_zone", "usable_password", "password1", "password2")}),
    )
    inlines: ClassVar = [HistoryInline]
    actions = ("switch_off", "switch_on", "make_customer", "make_technician", "make_driver", "make_admin")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Once there, a role and a closing go through the actions, which write history."""
        return self.readonly_fields if obj else ("last_login", "joined_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the desk erases people, and the books stay."""
        return False

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """The password and its line in the audit, or neither."""
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        """Save, and keep allauth's copy of the address in step."""
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            EmailAddress.objects.filter(user_id=obj.pk).delete()
            EmailAddress.objects.create(user=obj, email=obj.email, primary=True, verified=True)

    @admin.action(description="Close the account (ends all sessions)")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Deactivate each."""
        by = signed_in(request)
        row_by_row(request, [(str(user), partial(actions.deactivate, user, by=by)) for user in queryset], "closed")

    @admin.action(description="Open the account again")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Reactivate each."""
        by = signed_in(request)
        row_by_row(request, [(str(user), partial(actions.reactivate, user, by=by)) for user in queryset], "open again")

    @admin.action(description="Make them a customer")
    def make_customer(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Change the role of each."""
        self._make(request, queryset, Role.CUSTOMER)

    @admin.action(description="Make them a technician")
    def make_technician(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Change the role of each."""
        self._make(request, queryset, Role.TECHNICIAN)

    @admin.action(description="Make them a driver")
    def make_driver(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Change the role of each."""
        self._make(request, queryset, Role.DRIVER)

    @admin.action(description="Make them an admin")
    def make_admin(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Change the role of each."""
        self._make(request, queryset, Role.ADMIN)

    def _make(self, request: HttpRequest, queryset: QuerySet[User], role: Role) -> None:
        change, by = partial(actions.change_role, role=role), signed_in(request)
        row_by_row(request, [(str(user), partial(change, user, by=by)) for user in queryset], f"now {role.label}")


class HoursInline(admin.TabularInline[WorkingHours, Technician]):
    """The working hours of a technician."""

    model = WorkingHours
    extra = 0


@admin.register(Technician)
class TechnicianAdmin(Audited, admin.ModelAdmin[Technician]):
    """Technicians, and the desk's word that they may bid."""

    list_display = ("user", "base_label", "radius_km", "verified_at")
    list_filter = (("verified_at", admin.EmptyFieldListFilter), "skills")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "base_label")
    autocomplete_fields = ("user",)
    filter_horizontal = ("skills",)
    readonly_fields = ("verified_at",)
    inlines: ClassVar = [HoursInline]
    actions = ("verify", "unverify")

    def get_readonly_fields(self, request: HttpRequest, obj: Technician | None = None) -> tuple[str, ...]:
        """Whose trade it is does not change."""
        return ("verified_at", "user") if obj else ("verified_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: their offers and visits are in the books."""
        return False

    @admin.action(description="Verify: they may bid")
    def verify(self, request: HttpRequest, queryset: QuerySet[Technician]) -> None:
        """Verify each; their open pages say so."""
        by = signed_in(request)
        rows = queryset.select_related("user")
        row_by_row(request, [(str(t), partial(actions.verify_technician, t, by=by)) for t in rows], "verified")

    @admin.action(description="Take the verification back")
    def unverify(self, request: HttpRequest, queryset: QuerySet[Technician]) -> None:
        """Take the right to bid from each."""
        by = signed_in(request)
        rows = queryset.select_related("user")
        row_by_row(request, [(str(t), partial(actions.unverify_technician, t, by=by)) for t in rows], "unverified")


@admin.register(Skill)
class SkillAdmin(Audited, admin.ModelAdmin[Skill]):
    """Trades to choose from."""

    list_display = ("name", "slug", "icon")
    prepopulated_fields: ClassVar = {"slug": ("name",)}

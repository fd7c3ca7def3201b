"""Who may do what: the role of a page, and the only ways to fetch what belongs to another person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.usersessions.models import UserSession
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.fields.files import ImageFieldFile
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.models import Credential, Role, Technician, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """The person of a page behind `login_required`. Raises `PermissionDenied` for anybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def role_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """A view for some roles only: who is signed out goes to the login page, who has another role gets 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if signed_in(request).role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def require_desk(by: User | None) -> None:
    """Raise `PermissionDenied` unless an active admin (or None, the system) does it."""
    if by is not None and not (by.role == Role.ADMIN and by.is_active):
        raise PermissionDenied("Only the desk may do that.")


def desk(user_ids: set[int]) -> set[int]:
    """The active admins among `user_ids`: who belongs to the desk's topics. One query."""
    return set(User.objects.filter(pk__in=user_ids, role=Role.ADMIN, is_active=True).values_list("pk", flat=True))


def admins() -> list[int]:
    """The active admins: whom the desk's notices go to. One query."""
    return list(User.objects.filter(role=Role.ADMIN, is_active=True).values_list("pk", flat=True))


def technician_of(user: User) -> Technician:
    """What `user` adds as a technician, with its hours and skills. Raises `Http404` where there is none."""
    found = Technician.objects.select_related("user").prefetch_related("skills", "hours").filter(pk=user.pk).first()
    if found is None:
        raise Http404
    return found


def own_credential(user: User, pk: int) -> Credential:
    """One of `user`'s own documents. Raises `Http404` for everybody else's."""
    found = Credential.objects.select_related("technician__user").filter(pk=pk, technician=user.pk).first()
    if found is None:
        raise Http404
    return found


def credential_for(viewer: User, pk: int) -> Credential:
    """A document, for its technician and the desk. Raises `Http404` for strangers."""
    if viewer.role != Role.ADMIN:
        return own_credential(viewer, pk)
    found = Credential.objects.select_related("technician__user").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def photo_of(viewer: User, user_id: int) -> ImageFieldFile:
    """The photo of a person: of a technician for everybody, of others for themselves and the desk.

    No page shows a customer's face to others, and ids can be counted through. Raises `Http404` for strangers,
    without a photo, and once the account is closed.
    """
    person: User | None = User.objects.only("photo", "role").filter(pk=user_id, is_active=True).first()
    if person is None or not person.photo:
        raise Http404
    if person.role != Role.TECHNICIAN and viewer.pk != person.pk and viewer.role != Role.ADMIN:
        raise Http404
    return person.photo


def session_of(user: User, session_id: int) -> UserSession:
    """One of `user`'s own sessions. Raises `Http404` for everybody else's."""
    found: UserSession | None = UserSession.objects.filter(pk=session_id, user_id=user.pk).first()
    if found is None:
        raise Http404
    return found

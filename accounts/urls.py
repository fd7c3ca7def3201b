"""Addresses of accounts. allauth's views are named one by one: what is not listed does not exist here."""

from allauth.account import views as allauth_views
from django.urls import path, re_path

from accounts import entrance, views
from realtime.pages import live_page

urlpatterns = [
    path("login/", allauth_views.login, name="account_login"),
    path("logout/", live_page(allauth_views.logout), name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("signup/", entrance.CustomerSignUp.as_view(), name="account_signup"),
    path("signup/technician/", entrance.TechnicianSignUp.as_view(), name="signup_technician"),
    path("reauthenticate/", live_page(allauth_views.reauthenticate), name="account_reauthenticate"),
    path("profile/email/", live_page(allauth_views.email), name="account_email"),
    path("confirm-email/", live_page(allauth_views.email_verification_sent), name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", live_page(entrance.confirm_email), name="account_confirm_email"),
    path("profile/password/", live_page(allauth_views.password_change), name="account_change_password"),
    path("profile/password/set/", live_page(allauth_views.password_set), name="account_set_password"),
    path("password/reset/", live_page(allauth_views.password_reset), name="account_reset_password"),
    path("password/reset/done/", live_page(allauth_views.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        live_page(allauth_views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        live_page(allauth_views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path("profile/", views.profile, name="profile"),
    path("profile/edit/", views.edit_profile, name="profile_edit"),
    path("profile/trade/", views.edit_trade, name="trade_edit"),
    path("people/<int:user_id>/photo/", views.photo, name="photo"),
    path("profile/sessions/", views.session_list, name="usersessions_list"),
    path("profile/sessions/end-others/", views.end_other_sessions, name="sessions_end_others"),
    path("profile/sessions/<int:session_id>/end/", views.end_session, name="session_end"),
]

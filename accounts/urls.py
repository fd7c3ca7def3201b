"""Addresses of accounts. allauth's views are named one by one: what is not listed does not exist here."""

from allauth.account import views as allauth_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from django.urls import path, re_path

from accounts import entrance, factor_views, views, views_changes, views_credentials
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
    path("login/code/", mfa_views.authenticate, name="mfa_authenticate"),
    path("login/passkey/", passkey_views.login_webauthn, name="mfa_login_webauthn"),
    path("reauthenticate/code/", live_page(factor_views.Again.as_view()), name="mfa_reauthenticate"),
    path("reauthenticate/passkey/", live_page(factor_views.AgainPasskey.as_view()), name="mfa_reauthenticate_webauthn"),
    path("profile/second-factor/", factor_views.overview, name="mfa_index"),
    path("profile/second-factor/app/", live_page(factor_views.AddApp.as_view()), name="mfa_activate_totp"),
    path("profile/second-factor/app/remove/", live_page(app_views.deactivate_totp), name="mfa_deactivate_totp"),
    path("profile/second-factor/passkey/", live_page(factor_views.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "profile/second-factor/passkey/<int:pk>/remove/",
        live_page(factor_views.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path("profile/second-factor/codes/", live_page(code_views.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "profile/second-factor/codes/new/",
        live_page(code_views.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("profile/second-factor/codes/file/", code_views.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("profile/", views.profile, name="profile"),
    path("profile/edit/", views.edit_profile, name="profile_edit"),
    path("profile/trade/", views.edit_trade, name="trade_edit"),
    path("profile/history/", views_changes.history, name="profile_history"),
    path("profile/documents/", views_credentials.documents, name="credentials"),
    path("profile/documents/send/<slug:kind>/", views_credentials.send, name="credential_send"),
    path("profile/documents/<int:pk>/take-back/", views_credentials.withdraw, name="credential_withdraw"),
    path("documents/<int:pk>/", views_credentials.file, name="credential_file"),
    path("people/<int:user_id>/photo/", views.photo, name="photo"),
    path("profile/sessions/", views.session_list, name="usersessions_list"),
    path("profile/sessions/end-others/", views.end_other_sessions, name="sessions_end_others"),
    path("profile/sessions/<int:session_id>/end/", views.end_session, name="session_end"),
]

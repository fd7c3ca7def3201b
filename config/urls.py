"""The site's addresses: one include per app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

from common.views import nothing_here
from realtime.views import metrics

urlpatterns = [
    path("", include("common.urls")),
    path("live/", include("realtime.urls")),
    path("metrics", metrics, name="metrics"),
    path("accounts/", include("accounts.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("bookings.urls")),
    path("messages/", include("chat.urls")),
    path("", include("tracking.urls")),
    path("desk/", include("adminpanel.urls")),
    path("demo/", include("demo.urls")),
    path("admin/", admin.site.urls),
    *(path(f"{name.rpartition('.')[2]}/", include(f"{name}.urls")) for name in settings.EXTRA_APPS),
    *([re_path(r"^.+/$", nothing_here)] if settings.DEMO else []),
]

handler429 = "accounts.entrance.too_fast"  # asked for by allauth's rate limits

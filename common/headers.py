"""Headers that every answer carries, files included: what a browser may do on our behalf, and who may look in.

The content security policy is django-csp's; no-sniff, the referrer, frames and the opener are Django's.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# What our own pages use is allowed to them and to nobody they might embed; the rest is switched off for everybody.
OURS = (
    "clipboard-write",
    "fullscreen",
    "geolocation",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
)
NOBODYS = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
    "xr-spatial-tracking",
)
HEADERS = {
    "Permissions-Policy": ", ".join([*(f"{name}=(self)" for name in OURS), *(f"{name}=()" for name in NOBODYS)]),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}


class HeadersMiddleware:
    """Puts `HEADERS` on every answer that has not said otherwise itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

"""The ASGI application: HTTP goes to Django, the one socket path to the live consumer."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 (needs the app registry)

from realtime.routing import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(sockets)})

"""Every setting of Callout, read from the environment once and checked at the start.

An unsafe or malformed value stops the start with a sentence that says what to do. `docs/deploy.md`
lists the variables; `.env.example` shows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from adminpanel.health.numbers import DEFAULTS as HEALTH_NUMBERS
from bookings.rules.numbers import DEFAULTS as BOOKING_NUMBERS
from chat.rules.numbers import DEFAULTS as CHAT_NUMBERS
from notifications.numbers import DEFAULTS as NOTIFICATION_NUMBERS
from tracking.rules.numbers import DEFAULTS as TRACKING_NUMBERS

# Lets annotations such as ModelForm[User] stand at run time as they do for the type checker.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))


def refuse(sentence: str) -> ImproperlyConfigured:
    """The error that stops the start; `sentence` says which variable and what to set."""
    return ImproperlyConfigured(sentence)


def flag(name: str, default: bool) -> bool:
    """A yes/no variable. Raises `ImproperlyConfigured` for anything but on/off, true/false, yes/no, 1/0."""
    raw = os.environ.get(name, "").strip().lower()
    if raw == "":
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise refuse(f"{name} is {raw!r}; set it to on or off.")


def number(name: str, default: float, *, least: float = 0.0) -> float:
    """A number of seconds, bytes or pieces. Raises `ImproperlyConfigured` when it is no number or too small."""
    raw = os.environ.get(name, "").strip()
    if raw == "":
        return default
    try:
        value = float(raw)
    except ValueError:
        raise refuse(f"{name} is {raw!r}; set it to a number.") from None
    if not value >= least:
        raise refuse(f"{name} is {raw}; the least that works is {least:g}.")
    return value


def whole(name: str, default: int, *, least: int = 0) -> int:
    """Like `number`, for counts."""
    return int(number(name, default, least=least))


def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
    """One of a few words. Raises `ImproperlyConfigured` for any other."""
    raw = os.environ.get(name, "").strip() or default
    if raw not in allowed:
        raise refuse(f"{name} is {raw!r}; set it to one of: {', '.join(allowed)}.")
    return raw


def words(name: str) -> list[str]:
    """A comma-separated list, empty when unset."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


# --- Safety ---------------------------------------------------------------------------------------

DEBUG = flag("DEBUG", default=False)
DEMO = flag("DEMO", default=False)

SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise refuse("SECRET_KEY is not set; set it to at least 50 random characters (or DEBUG=on for a trial).")
    SECRET_KEY = "only-for-a-trial-on-this-machine-" + "x" * 30
if not DEBUG and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    raise refuse("SECRET_KEY is too weak; set it to at least 50 random characters.")

ALLOWED_HOSTS = words("ALLOWED_HOSTS") or (["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
if not ALLOWED_HOSTS:
    raise refuse("ALLOWED_HOSTS is not set; name the hosts you serve, separated by commas.")
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise refuse("ALLOWED_HOSTS is *; name the hosts you serve, separated by commas.")

CSRF_TRUSTED_ORIGINS = words("TRUSTED_ORIGINS")
for origin in CSRF_TRUSTED_ORIGINS:
    if urlsplit(origin).scheme not in {"http", "https"} or not urlsplit(origin).hostname:
        raise refuse(f"TRUSTED_ORIGINS has {origin!r}; write it as https://host or https://host:port.")

# Behind a TLS proxy that sets X-Forwarded-Proto itself. Off, the header is never believed.
HTTPS = flag("HTTPS", default=not DEBUG)
if flag("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # or all people behind the proxy would share one rate limit
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = whole("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Applications ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # the templates of form widgets, for FORM_RENDERER
    "channels",
    "csp",
    "django_htmx",
    "django_filters",
    "django_prometheus",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "allauth.mfa",
    "waffle",
    "realtime",
    "common",
    "accounts",
    "notifications",
    "bookings",
    "tracking",
    "chat",
    "adminpanel",
    "demo",
]
# Further apps of one's own, found on the Python path and served under /<label>/.
EXTRA_APPS = words("EXTRA_APPS")
INSTALLED_APPS += EXTRA_APPS

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "common.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.limits.StrangersMiddleware",
    "accounts.guards.SecondFactorMiddleware",
    "common.refusals.RefusalMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "common.context.site",
            ],
            "builtins": ["realtime.templatetags.live", "common.templatetags.ui"],
        },
    }
]

# --- Database, channel layer, cache ---------------------------------------------------------------

VAR_DIR = Path(os.environ.get("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

try:
    database: dict[str, Any] = dict(env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'callout.sqlite3'}"))
except (ValueError, ImproperlyConfigured):
    raise refuse("DATABASE_URL cannot be read; write it as postgres://user:password@host:5432/name.") from None
if database["ENGINE"] == "django.db.backends.sqlite3":
    # Immediate transactions: a write waits for the lock at its start instead of failing in its middle.
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    # Tests need a file: threads and the in-memory database do not go together.
    database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
elif database["ENGINE"] == "django.db.backends.postgresql":
    # A pool, because under ASGI each request has a fresh thread and CONN_MAX_AGE would never reuse a
    # connection; no prepared statements and no server-side cursors, for PgBouncer in transaction mode.
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        "pool": {"min_size": 2, "max_size": whole("DATABASE_POOL", 20, least=4), "timeout": 15},
        "prepare_threshold": None,
        # A lost host is noticed within seconds, not when TCP gives up after a quarter of an hour.
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    database["CONN_HEALTH_CHECKS"] = True
    database["DISABLE_SERVER_SIDE_CURSORS"] = True
else:
    raise refuse("DATABASE_URL names a database that Callout does not run on; use postgres:// or sqlite:///.")
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "").strip()
if REDIS_URL and urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    raise refuse("REDIS_URL cannot be read; write it as redis://host:6379/0.")
if REDIS_URL:
    # Pub/sub, not the core layer: that one drops silently at capacity and loses its groups on FLUSHALL.
    # redis-py's own 5 s socket time-out would kill a subscription that merely idles.
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [
                    {
                        "address": REDIS_URL,
                        "socket_timeout": None,
                        "socket_connect_timeout": 2,
                        "socket_keepalive": True,
                        "health_check_interval": 15,
                        "max_connections": 1000,
                    }
                ],
                "prefix": os.environ.get("REDIS_PREFIX", "callout"),
            },
        }
    }
else:
    # One process, whose hub joins its groups once and stays: nothing may expire.
    IN_MEMORY = {"capacity": 100_000, "group_expiry": 10**9}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": IN_MEMORY}}

# The cache holds rate limits only. In the database it needs nothing more, and no Redis to be up.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "callout_cache"}}

# --- The live mechanism ---------------------------------------------------------------------------
# Numbers of the domain. All are seconds unless the name says otherwise; tests shrink them.

LIVE: dict[str, Any] = {
    "TRANSPORT": choice("LIVE_TRANSPORT", ("socket", "poll"), "socket"),
    "TAIL_EVERY": number("LIVE_TAIL_EVERY", 0.05 if "sqlite3" in database["ENGINE"] else 0.25, least=0.01),
    "HEARTBEAT_EVERY": number("LIVE_HEARTBEAT_EVERY", 25, least=0.2),
    "OFFLINE_AFTER": number("LIVE_OFFLINE_AFTER", 60, least=0.5),
    "AWAY_AFTER": number("LIVE_AWAY_AFTER", 60, least=0.5),
    "HELLO_WITHIN": number("LIVE_HELLO_WITHIN", 10, least=0.5),
    "ACK_WITHIN": number("LIVE_ACK_WITHIN", 20, least=0.5),
    "WINDOW_FRAMES": whole("LIVE_WINDOW_FRAMES", 256, least=2),
    "WINDOW_BYTES": whole("LIVE_WINDOW_BYTES", 1024 * 1024, least=4096),
    "MESSAGE_BYTES": whole("LIVE_MESSAGE_BYTES", 64 * 1024, least=1024),
    "RETURN_SPREAD": number("LIVE_RETURN_SPREAD", 5),
    "PRESENCE_EVERY": number("LIVE_PRESENCE_EVERY", 5, least=0.1),
    "KEEP_JOURNAL": number("LIVE_KEEP_JOURNAL", 3600, least=1),
    # Told to the browser.
    "TROUBLE_AFTER": number("LIVE_TROUBLE_AFTER", 3, least=0.1),
    "POLL_EVERY": number("LIVE_POLL_EVERY", 10, least=0.1),
    "POLL_EVERY_CLOSE": number("LIVE_POLL_EVERY_CLOSE", 3, least=0.1),
    "POLL_EVERY_DASHBOARD": number("LIVE_POLL_EVERY_DASHBOARD", 15, least=0.1),
    "POLL_AT_MOST": number("LIVE_POLL_AT_MOST", 30, least=0.2),
    "RETRY_FROM": number("LIVE_RETRY_FROM", 0.5, least=0.05),
    "RETRY_AT_MOST": number("LIVE_RETRY_AT_MOST", 30, least=0.1),
    "HIDDEN_RESYNC_AFTER": number("LIVE_HIDDEN_RESYNC_AFTER", 20, least=0.1),
}

# Flags that the desk cannot turn while the environment says so: FLAGS="live_sockets=off,live_desk=on".


def switches(variable: str) -> dict[str, bool]:
    """A list of NAME=on or NAME=off. Raises `ImproperlyConfigured` for anything else."""
    found = {}
    for pair in words(variable):
        name, _, word = pair.partition("=")
        if not name or word not in {"on", "off"}:
            raise refuse(f"{variable} has {pair!r}; write NAME=on or NAME=off.")
        found[name] = word == "on"
    return found


FLAGS = switches("FLAGS")

METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise refuse("METRICS_TOKEN is too short to guard anything; set at least 16 random characters.")

# --- People ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["demo.backends.DemoIsOver", "allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
WAFFLE_FLAG_MODEL = "accounts.Flag"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "add_email": "accounts.forms.ChangeEmailForm",
    "login": "accounts.password_forms.LoginForm",
    "reset_password": "accounts.password_forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.password_forms.ResetPasswordKeyForm",
    "change_password": "accounts.password_forms.ChangePasswordForm",
    "set_password": "accounts.password_forms.SetPasswordForm",
    "reauthenticate": "accounts.password_forms.ReauthenticateForm",
}
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key,20/h/key"}  # the last two lock an account for a while
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = choice("EMAIL_VERIFICATION", ("none", "optional", "mandatory"), "optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Callout: "
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password or address is told to the old address too
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # an unlocked screen must not be enough to take an account over
ACCOUNT_CHANGE_EMAIL = True
# The desk proves itself with something besides the password, and again before it moves money or roles. In a demo
# everybody can be everybody with one click, so neither would mean anything.
SECOND_FACTOR = flag("SECOND_FACTOR", default=not DEMO)
STEP_UP_MINUTES = whole("STEP_UP_MINUTES", 0 if DEMO else 15)  # 0: never asked
MFA_ADAPTER = "accounts.adapter.FactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.factor_forms.AuthenticateForm",
    "reauthenticate": "accounts.factor_forms.ReauthenticateForm",
    "activate_totp": "accounts.factor_forms.ActivateAppForm",
    "add_webauthn": "accounts.factor_forms.AddPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_ALLOW_UNVERIFIED_EMAIL = True  # whom that endangers is asked to confirm first: accounts.factor_views
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PRESERVE_USERNAME_CASING = False
USERSESSIONS_TRACK_ACTIVITY = False  # a write a request would break the cost rule; presence knows who is here

# --- Mail -----------------------------------------------------------------------------------------

try:
    mail = env.email_url("EMAIL_URL", default="consolemail://")
except (ValueError, KeyError, ImproperlyConfigured):
    raise refuse("EMAIL_URL cannot be read; write it as smtp+tls://user:password@host:587.") from None
globals().update({key: value for key, value in mail.items() if key.startswith("EMAIL_")})
# A mail server that hangs must not keep a mail in the clock's hand until another clock takes it.
EMAIL_TIMEOUT = whole("EMAIL_TIMEOUT", 10, least=1)
# What links in mails begin with: mails are written by the clock, which no request tells where the site is.
SITE_URL = os.environ.get("SITE_URL", "").rstrip("/") or "http://127.0.0.1:8000"
if urlsplit(SITE_URL).scheme not in {"http", "https"} or not urlsplit(SITE_URL).hostname:
    raise refuse(f"SITE_URL is {SITE_URL!r}; write it as https://host.")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("FROM_EMAIL", "Callout <callout@localhost>")

# --- Language, time, money, maps ------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_ZONE = os.environ.get("DEFAULT_ZONE", "Europe/London")
if DEFAULT_ZONE not in available_timezones():
    raise refuse(f"DEFAULT_ZONE is {DEFAULT_ZONE!r}; set it to an IANA zone such as Europe/London.")
DEFAULT_CURRENCY = os.environ.get("DEFAULT_CURRENCY", "GBP")
if not (len(DEFAULT_CURRENCY) == 3 and DEFAULT_CURRENCY.isascii() and DEFAULT_CURRENCY.isupper()):
    raise refuse(f"DEFAULT_CURRENCY is {DEFAULT_CURRENCY!r}; set it to an ISO 4217 code such as GBP.")

# Numbers of the rules that this site overrides, listed in docs/domain.md: BOOKINGS="TRAVEL_MINUTES=40,PHOTOS_MOST=8".


def figures(variable: str, known: Mapping[str, int]) -> dict[str, int]:
    """A list of NAME=number. Raises `ImproperlyConfigured` for a name that is not `known`, or no whole number."""
    found = {}
    for pair in words(variable):
        name, _, figure = pair.partition("=")
        if name not in known or not figure.isdecimal():
            raise refuse(f"{variable} has {pair!r}; write NAME=number with a name of docs/domain.md.")
        found[name] = int(figure)
    return found


BOOKINGS = figures("BOOKINGS", BOOKING_NUMBERS)
NOTIFICATIONS = figures("NOTIFICATIONS", NOTIFICATION_NUMBERS)
CHAT = figures("CHAT", CHAT_NUMBERS)
TRACKING = figures("TRACKING", TRACKING_NUMBERS)
HEALTH = figures("HEALTH", HEALTH_NUMBERS)
# An XYZ tile server, e.g. https://tiles.example.org/{z}/{x}/{y}.png; empty: the vendored base layer.
MAP_TILES = os.environ.get("MAP_TILES", "")
MAP_ATTRIBUTION = os.environ.get("MAP_ATTRIBUTION", "")
# A Nominatim-compatible search URL; empty: people place the pin themselves.
GEOCODER_URL = os.environ.get("GEOCODER_URL", "")
# A routing server with the API of OSRM, for how long somebody still takes; empty: our own estimate.
ROUTING_URL = os.environ.get("ROUTING_URL", "")
for name, url in {"MAP_TILES": MAP_TILES, "GEOCODER_URL": GEOCODER_URL, "ROUTING_URL": ROUTING_URL}.items():
    if url and urlsplit(url).scheme not in {"http", "https"}:
        raise refuse(f"{name} is {url!r}; write it as https://host/path.")

# --- Files ----------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Uploads have no URL of their own: they are served through views that ask who is looking.
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "common.staticfiles.ModuleManifestStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

tile_host = [f"{urlsplit(MAP_TILES).scheme}://{urlsplit(MAP_TILES).netloc}"] if MAP_TILES else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *tile_host],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- Logs -----------------------------------------------------------------------------------------

LOG_LEVEL = choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": "ext://common.logs.renderer",
            "foreign_pre_chain": "ext://common.logs.chain",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers would say everything a second time.
        "django": {"handlers": [], "level": LOG_LEVEL},
        "daphne": {"level": "WARNING"},
    },
}

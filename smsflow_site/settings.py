"""Settings of the bundled site, from the environment. Safe for production by default.

docs/production.md lists the variables. ``SMSFLOW_DEMO=1`` gives every one of them a
default that suits a demo on one's own machine, and nothing else.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from smsflow_plugin.conf import DEFAULTS
from smsflow_site.env import database, email, flag, number, origin, queue, words

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("SMSFLOW_VAR", BASE_DIR / "var")).resolve()

DEMO = flag("SMSFLOW_DEMO")
DEBUG = flag("DEBUG")
SIMULATOR = flag("SMSFLOW_SIMULATOR", DEMO)
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://localhost:{number('PORT', 8000)}").rstrip("/")

# Secrets ---------------------------------------------------------------------------------

#: Commands that neither store nor sign anything run on a fresh checkout, without secrets.
WITHOUT_SECRETS = ("smsflow_read_reply",)
SECRET_KEY = os.environ.get("SECRET_KEY", "demo-only-not-secret-" * 3 if DEMO else "")
if not SECRET_KEY and sys.argv[1:2] and sys.argv[1] in WITHOUT_SECRETS:
    SECRET_KEY = secrets.token_urlsafe(50)
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text (or SMSFLOW_DEMO=1 for a demo).")
DEMO_ENCRYPTION_KEY = "ZGVtby1vbmx5LWRlbW8tb25seS1kZW1vLW9ubHktMzI="

# Addresses -------------------------------------------------------------------------------

ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEMO or DEBUG else "")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS", origin(PUBLIC_URL))
if flag("TRUST_PROXY"):
    # only behind a proxy that sets these headers itself, whatever its callers send
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

SECURE = not (DEMO or DEBUG)
SECURE_SSL_REDIRECT = flag("SECURE_SSL_REDIRECT", SECURE)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = number("SECURE_HSTS_SECONDS", 365 * 24 * 3600 if SECURE else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("SECURE_HSTS_INCLUDE_SUBDOMAINS")
SECURE_HSTS_PRELOAD = flag("SECURE_HSTS_PRELOAD")
# what stands beside us under the same domain is not ours to decide
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Storage ---------------------------------------------------------------------------------

DATABASES = {"default": database(os.environ.get("DATABASE_URL", f"sqlite:///{VAR_DIR / 'smsflow.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
HUEY = queue(
    os.environ.get("HUEY_URL", f"sqlite:///{VAR_DIR / 'huey.sqlite3'}"),
    name=os.environ.get("HUEY_NAME", "smsflow"),
    workers=number("HUEY_WORKERS", 2),
    worker_type=os.environ.get("HUEY_WORKER_TYPE", "thread"),
)
# Wagtail's own background work, on the same queue; on commit, or it would not find the rows
TASKS = {"default": {"BACKEND": "huey.contrib.djhuey.tasks_backend.HueyBackend", "ENQUEUE_ON_COMMIT": True}}

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "smsflow_site.static.StaticStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()

# E-mail: the demo's lie as files in var/mail -----------------------------------------------

globals().update(
    email(os.environ.get("EMAIL_URL", f"file://{VAR_DIR / 'mail'}" if DEMO else "smtp://localhost:25?tls=0"))
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "smsflow@localhost")

# Django ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "smsflow_plugin",
    "smsflow_plugin.admin_panels",
    "smsflow_plugin.integrations.shopify",
    "smsflow_plugin.integrations.outgoing",
    "smsflow_plugin.integrations.sinch",
    "smsflow_plugin.integrations.simulator",
    "smsflow_site.demo",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.contrib.settings",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "phonenumber_field",
    "huey.contrib.djhuey",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "smsflow_plugin.links.domains.LinkDomainMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "smsflow_site.urls"
WSGI_APPLICATION = "smsflow_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
LOGIN_URL = "wagtailadmin_login"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("da", "Dansk")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
# a flow is one large form
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "WARNING" if DEMO else "INFO").upper()},
    "loggers": {
        # one line for every task would bury the lines that matter; with no handler of its own run_huey adds one
        "huey": {
            "handlers": ["console"],
            "level": os.environ.get("LOG_LEVEL_HUEY", "WARNING").upper(),
            "propagate": False,
        },
    },
}

# Wagtail ---------------------------------------------------------------------------------

WAGTAIL_SITE_NAME = "SMSFlow"
WAGTAILADMIN_BASE_URL = PUBLIC_URL
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

# SMSFlow ---------------------------------------------------------------------------------

SMSFLOW = {
    "PUBLIC_URL": PUBLIC_URL,
    "ENCRYPTION_KEYS": words("SMSFLOW_ENCRYPTION_KEYS", DEMO_ENCRYPTION_KEY if DEMO else ""),
    "PHONE_PEPPER": words("SMSFLOW_PHONE_PEPPER", "demo-only-not-secret" if DEMO else ""),
    "DEMO": DEMO,
    "SIMULATOR": SIMULATOR,
    "SIMULATOR_URL": os.environ.get("SMSFLOW_SIMULATOR_URL", "http://127.0.0.1:8089").rstrip("/"),
    "TRUSTED_PROXIES": number("TRUSTED_PROXIES", 0),
    "BATCH_SIZE": number("SMSFLOW_BATCH_SIZE", 500),
    "RECONCILE_AFTER": number("SMSFLOW_RECONCILE_AFTER", 60),
}
if SIMULATOR:
    # the simulator's "fast-forward" moves this clock
    SMSFLOW["CLOCK"] = "smsflow_plugin.integrations.simulator.clock.now"
    SMSFLOW["DISCOUNT_MAKERS"] = {"shopify": "smsflow_plugin.integrations.simulator.discounts.SimulatedDiscounts"}
    # the stand-in beside the phone network
    SMSFLOW["SHOPIFY_URL"] = f"{SMSFLOW['SIMULATOR_URL']}/shopify/{{shop}}"
    # what Shopify has no webhooks for: waitlists, appointments, subscriptions, cases, own events
    SMSFLOW["TRANSLATORS"] = {
        **DEFAULTS["TRANSLATORS"],
        "simulator": "smsflow_plugin.integrations.simulator.translate.translate",
    }
    SMSFLOW["WEBHOOK_URLS"] = {**DEFAULTS["WEBHOOK_URLS"], "simulator": "smsflow_plugin.integrations.simulator.urls"}

"""Settings of the tests: the bundled site, with SQLite unless DATABASE_URL says otherwise."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")
os.environ.setdefault("HUEY_URL", "sqlite:///:memory:")

from smsflow_site.settings import *  # noqa: F403
from smsflow_site.settings import DATABASES, SMSFLOW, STORAGES

ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SECURE_HSTS_SECONDS = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if "postgresql" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": f"test_smsflow{os.environ.get('SMSFLOW_TEST_SUFFIX', '')}"}

SMSFLOW = {
    **SMSFLOW,
    "PUBLIC_URL": "http://testserver",
    "ENCRYPTION_KEYS": ["dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="],
}
HUEY = {"huey_class": "huey.MemoryHuey", "name": "tests", "immediate": False}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
LOGGING_CONFIG = None

# two tests have pictures with the same id in folders of their own
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "renditions": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

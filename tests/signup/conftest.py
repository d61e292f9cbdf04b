"""Forms, and visitors who fill them in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.models import OptInForm, Store
from tests.conftest import TestClock

ADA = "+12025550123"


def make_form(store: Store, **values: Any) -> OptInForm:
    defaults = {
        "name": "Footer",
        "terms_url": "https://sierra-gear.example/terms",
        "privacy_url": "https://sierra-gear.example/privacy",
        "disclosures": {"en": ""},
    }
    return OptInForm.objects.create(store=store, **{**defaults, **values})


@pytest.fixture
def form(store: Store, still: TestClock) -> OptInForm:
    return make_form(store)


@pytest.fixture(autouse=True)
def _understands_the_test_source(settings: Any) -> None:
    path = "tests.engine.helpers.translate"
    translators = {
        **settings.SMSFLOW.get("TRANSLATORS", {}),
        "test": path,
        "form": "smsflow_plugin.signup.translate.translate",
    }
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": translators}


@dataclass
class Visitor:
    """Somebody with a browser. ``patience`` is how many seconds they take to fill in a form."""

    form: OptInForm
    still: TestClock
    ip: str = "203.0.113.7"
    patience: int = 20

    def __post_init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)

    @property
    def url(self) -> str:
        return reverse("smsflow:join", args=[self.form.token])

    def opens(self, **headers: str) -> HttpResponse:
        return self.client.get(self.url, REMOTE_ADDR=self.ip, **headers)

    def slip(self) -> str:
        return slip_in(self.opens())

    def sends(
        self, phone: str = ADA, *, slip: str | None = None, origin: str = "http://testserver", **fields: str
    ) -> HttpResponse:
        """Open the form, fill it in and send it; with ``slip`` the page has been open already."""
        if slip is None:
            slip = self.slip()
            self.still.move(seconds=self.patience)
        data = {"phone": phone, "agreed": "yes", "slip": slip, "lang": "en", **fields}
        headers = {"HTTP_ORIGIN": origin} if origin else {}
        return self.client.post(self.url, data, REMOTE_ADDR=self.ip, HTTP_USER_AGENT="Mozilla/5.0 (test)", **headers)


@pytest.fixture
def visitor(form: OptInForm, still: TestClock) -> Visitor:
    return Visitor(form, still)


def slip_in(response: HttpResponse) -> str:
    found = re.search(r'name="slip" value="([^"]+)"', response.content.decode())
    assert found, response.content.decode()
    return found.group(1)


def pump() -> None:
    while ingest():
        pass
    while advance():
        pass

"""The exact words of a form, kept for good: a proof of consent names them by their hash."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from smsflow_plugin import bulk, clock
from smsflow_plugin.signup.disclosures import standard_disclosure, version_hash
from smsflow_plugin.signup.models import DisclosureVersion, OptInForm
from smsflow_plugin.signup.numbers import dial_prefix
from smsflow_plugin.signup.page_words import LANGUAGES, base, words


def offered_languages(form: OptInForm) -> list[str]:
    """Return the languages of a form, the store's own first."""
    own = base(form.store.language)
    return [own, *(code for code in LANGUAGES if code != own and code in form.disclosures)]


def disclosure(form: OptInForm, language: str) -> str:
    """Return what people agree to in ``language``."""
    written = str(form.disclosures.get(language) or "").strip()
    return written or standard_disclosure(form.store.country, language, form.store.brand, form.programme)


def wording(form: OptInForm, language: str) -> dict[str, Any]:
    """Return every word of the form. What the store has written itself is in its own language only."""
    standard, own = words(language), language == base(form.store.language)
    introduction = standard["introduction"].replace("{brand}", form.store.brand)
    return {
        "language": language,
        "words": standard,
        "heading": (own and form.heading) or standard["heading"],
        "introduction": (own and form.introduction) or introduction,
        "button": (own and form.button) or standard["button"],
        "disclosure": disclosure(form, language),
        "phone_help": standard["phone_help"].replace("{prefix}", dial_prefix(form.store.country)),
    }


def current_version(form: OptInForm, language: str) -> DisclosureVersion:
    """Return the version that stands on the form now, and keep it if it is a new one."""
    said = wording(form, language)
    html = render_to_string("smsflow/join/request.html", {"form": form, **said}).strip()
    text = said["disclosure"]
    name = version_hash(text, language, html)
    known = DisclosureVersion.objects.filter(form=form, sha256=name).first()
    if known is None:
        row = (form.store_id, form.pk, name, language, text, html, clock.now())
        # two visitors at once: one of them writes it
        bulk.insert(
            DisclosureVersion,
            ("store_id", "form_id", "sha256", "language", "text", "html", "created_at"),
            [row],
        )
        known = DisclosureVersion.objects.get(form=form, sha256=name)
    return known


def keep_versions(form: OptInForm) -> None:
    """Keep the words of every language, when they are saved."""
    for language in offered_languages(form):
        current_version(form, language)

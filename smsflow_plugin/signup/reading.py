"""Reads what somebody has filled in, and says of each field what is wrong with it. Nothing typed is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from smsflow_plugin.signup.models import OptInForm
from smsflow_plugin.signup.numbers import NotUsable, Number, read_number

#: What no person sees, and bots fill in.
TRAP = "website"


@dataclass
class Filled:
    """The form as it came back. ``errors`` holds keys of ``page_words`` by field."""

    phone: str = ""
    first_name: str = ""
    email: str = ""
    agreed: bool = False
    is_bot: bool = False
    number: Number | None = None
    errors: dict[str, str] = field(default_factory=dict)


def read(form: OptInForm, data: Mapping[str, str]) -> Filled:
    """Read what was posted."""
    filled = Filled(
        phone=_clean(data.get("phone", ""), 40),
        first_name=_clean(data.get("first_name", ""), 100) if form.ask_first_name else "",
        email=_clean(data.get("email", ""), 254) if form.ask_email else "",
        agreed=data.get("agreed") == "yes",
        is_bot=bool(data.get(TRAP)),
    )
    try:
        filled.number = read_number(filled.phone, form.store.country)
    except NotUsable as problem:
        filled.errors["phone"] = str(problem)
    else:
        if filled.number.region not in allowed_countries(form):
            filled.errors["phone"] = "number_country"
    if filled.email:
        try:
            validate_email(filled.email)
        except ValidationError:
            filled.errors["email"] = "email_wrong"
    if not filled.agreed:
        filled.errors["agreed"] = "box_missing"
    return filled


def allowed_countries(form: OptInForm) -> list[str]:
    return list(form.countries) or [form.store.country]


def _clean(text: str, length: int) -> str:
    plain = "".join(character for character in text if character.isprintable())
    return plain.encode("utf-8", "replace").decode().strip()[:length]

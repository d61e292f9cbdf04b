"""What a person is asked before a template becomes a flow: form fields, defaults, and what fills the steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.replies import reserved
from smsflow_plugin.flows.library.definitions import FlowTemplate, Setting
from smsflow_plugin.flows.models import Segment
from smsflow_plugin.stores.models import Store

#: What copy says where a link was left empty.
SHOP = "{{ store.url | default: '' }}"
#: How many hours before its end a sale is called for the last time.
LAST_HOURS = 3
#: Anything that Liquid or a setting's own brackets would take for something else.
_MARKUP = re.compile(r"\{\{|\{%|\[\[|\]\]")


def form_fields(template: FlowTemplate, segments: Iterable[Segment] | None = None) -> dict[str, forms.Field]:
    """Return a form field for each setting, by name. ``segments`` are those that may be chosen."""
    fields = {setting.name: _field(setting) for setting in template.settings}
    for setting in template.settings:
        if setting.kind == "segment":
            chosen = Segment.objects.filter(pk__in=[segment.pk for segment in segments or ()])
            fields[setting.name].queryset = chosen.select_related("store").order_by("store__name", "name")  # type: ignore[attr-defined]
    return fields


def defaults(template: FlowTemplate, store: Store) -> dict[str, Any]:
    """Return the values that a form for this store starts with. A time is wall time in the store's zone."""
    return {
        setting.name: _tomorrow(store) if setting.kind == "moment" else setting.default for setting in template.settings
    }


def fillings(template: FlowTemplate, store: Store, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what stands for each ``[[name]]``; ``values`` are cleaned, and defaults stand in for the rest.

    A number also brings its half, quarter and eighth (``[[name/2]]``), and how long it is until the
    last call (``[[name-last]]``).
    """
    given = {**defaults(template, store), **(values or {})}
    filled: dict[str, Any] = {}
    for setting in template.settings:
        value = given[setting.name]
        filled[setting.name] = _filling(setting, value, store)
        if setting.kind == "number":
            number = int(value)
            for part in (2, 4, 8):
                filled[f"{setting.name}/{part}"] = max(1, number // part)
            filled[f"{setting.name}-last"] = max(1, number - LAST_HOURS)
    return filled


def in_zone(value: datetime, store: Store) -> datetime:
    """Return a time as a form gives it: wall time in the store's zone, unless it says another."""
    return value if value.tzinfo else value.replace(tzinfo=ZoneInfo(store.timezone))


def _filling(setting: Setting, value: Any, store: Store) -> Any:
    match setting.kind:
        case "link":
            return value or SHOP
        case "moment":
            return in_zone(value, store).isoformat()
        case "segment":
            return getattr(value, "pk", value) or None
    return value


def _tomorrow(store: Store) -> datetime:
    """Return ten o'clock tomorrow on the store's clock, without a zone: that is what a form shows."""
    day = clock.now().astimezone(ZoneInfo(store.timezone)).date() + timedelta(days=1)
    return datetime.combine(day, time(10))


def _field(setting: Setting) -> forms.Field:
    words: dict[str, Any] = {"label": setting.label, "help_text": setting.help}
    match setting.kind:
        case "number" | "percent":
            return forms.IntegerField(
                min_value=setting.minimum, max_value=setting.maximum, initial=setting.default, **words
            )
        case "link":
            return forms.URLField(required=False, assume_scheme="https", max_length=200, validators=[_plain], **words)
        case "emails":
            return EmailsField(required=False, max_length=500, **words)
        case "keyword":
            return KeywordField(max_length=20, initial=setting.default, **words)
        case "moment":
            return forms.DateTimeField(
                widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
                input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
                **words,
            )
        case "segment":
            return SegmentField(Segment.objects.none(), required=False, empty_label=_("Everybody"), **words)
    return forms.CharField(
        required=bool(setting.default), max_length=60, initial=setting.default, validators=[_plain], **words
    )


def _plain(value: str) -> None:
    if _MARKUP.search(value):
        raise ValidationError(_("This may not hold double brackets or braces."))


class SegmentField(forms.ModelChoiceField):
    """Names the store as well: one person may see several."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.store}: {obj.name}"


class EmailsField(forms.CharField):
    """E-mail addresses with commas between."""

    def clean(self, value: Any) -> str:
        addresses = [address.strip() for address in str(super().clean(value)).split(",") if address.strip()]
        for address in addresses:
            validate_email(address)
        return ", ".join(addresses)


class KeywordField(forms.CharField):
    """A word that people text, which must not mean something else already."""

    def clean(self, value: Any) -> str:
        word = str(super().clean(value)).strip().upper()
        if not re.fullmatch(r"\w+", word):
            raise ValidationError(_("Give one word of letters and digits."))
        if reserved(word):
            raise ValidationError(
                _("“%(word)s” is taken: it opts people in or out, or asks for help."), params={"word": word}
            )
        return word

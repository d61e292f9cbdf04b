"""Print why a text, or the newest texts of a person, were sent, put off or not sent."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.core.management.base import BaseCommand, CommandError

from smsflow_plugin.measurement.deciding import Story, Told, stories_of, story_of_message
from smsflow_plugin.models import Contact, Message, Store

_INDENT = " " * 21


class Command(BaseCommand):
    help = "Prints why a text, or the newest texts of a person, were sent, put off or not sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", help="The number of a message, or a phone number (+1202…).")
        parser.add_argument("--limit", type=int, default=5, help="Texts of a person to print (5).")
        parser.add_argument("--json", action="store_true", help="Print JSON, with times in UTC.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] < 1:
            raise CommandError("--limit must be at least 1.")
        found = stories(options["what"], options["limit"])
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(story) for story in found], ensure_ascii=False, indent=2))
            return
        if not found:
            self.stdout.write("Nothing was decided yet.")
        for story in found:
            self._print(story)

    def _print(self, story: Story) -> None:
        names = [str(story.contact or "nobody any more"), str(story.store), story.flow]
        self.stdout.write(" · ".join(name for name in names if name) + f" · times in {story.zone}")
        for line in (story.step, story.verdict, *(f"│ {line}" for line in _text(story)), story.outcome):
            if line:
                self.stdout.write(f"  {line}")
        for one in story.told:
            self._print_told(one, ZoneInfo(story.zone))
        self.stdout.write("")

    def _print_told(self, one: Told, zone: ZoneInfo) -> None:
        gate = " (when it was about to leave)" if one.at_gate else ""
        self.stdout.write(f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {one.sentence}{gate}")
        for line in one.lines:
            self.stdout.write(_INDENT + line)
        for clock in one.clocks:
            self.stdout.write(f"{_INDENT}{clock.zone} ({clock.words}): {clock.local}")
        if one.policy:
            self.stdout.write(f"{_INDENT}rules: version {one.policy}")


def stories(what: str, limit: int) -> list[Story]:
    """Return the story of the message of this number, or the newest ones of whoever has this phone number.

    :raises CommandError: if there is neither.
    """
    if what.isdecimal() and len(what) < 19:
        texts = Message.objects.select_related("store", "contact", "contact__store", "flow")
        message = texts.filter(pk=int(what)).first()
        if message is not None:
            return [story_of_message(message)]
    people = list(Contact.objects.filter(phone__in=_numbers(what)).select_related("store").order_by("pk"))
    if not people:
        raise CommandError(f"There is no message and nobody with the number “{what}”. Give a number in full (+4520…).")
    return [story for person in people for story in stories_of(person, limit)]


def _numbers(what: str) -> set[str]:
    """Return how the number is stored, read as one of every country that a store is in."""
    countries = {None} if what.startswith("+") else set(Store.objects.values_list("country", flat=True))
    found = set()
    for country in countries:
        try:
            number = phonenumbers.parse(what, country)
        except phonenumbers.NumberParseException:
            continue
        found.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return found


def _text(story: Story) -> list[str]:
    return story.message.body.splitlines() if story.message else []


def _as_json(story: Story) -> dict[str, Any]:
    return {
        "store": story.store.name,
        "contact": story.contact.pk if story.contact else None,
        "timezone": story.zone,
        "flow": story.flow,
        "step": story.step,
        "message": story.message.pk if story.message else None,
        "verdict": story.verdict,
        "outcome": story.outcome,
        "decisions": [
            {
                "id": one.pk,
                "at": one.at.isoformat(),
                "verdict": one.verdict,
                "sentence": one.sentence,
                "lines": list(one.lines),
                "places": [{"zone": clock.zone, "local": clock.local, "words": clock.words} for clock in one.clocks],
                "policy": one.policy,
                "at_gate": one.at_gate,
            }
            for one in story.told
        ],
    }

"""The answers to STOP, HELP and START: short, with the brand, and without advertising."""

from __future__ import annotations

import pytest

from smsflow_plugin.audience.keyword_replies import help_reply, start_reply, stop_reply
from smsflow_plugin.messaging.parts import GSM, count_parts

LANGUAGES = ["en", "da", "de", "es", "fr", "en-GB", "fr_CA", "is", ""]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_names_the_brand_and_the_contact_in_one_gsm_part(language: str) -> None:
    for answer in (stop_reply, help_reply, start_reply):
        said = answer("Sierra Gear", "help@example.com", language)
        assert said.startswith("Sierra Gear: ")
        assert "help@example.com" in said
        parts = count_parts(said)
        assert (parts.encoding, parts.parts) == (GSM, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_and_start_say_how_to_leave_and_stop_does_not_advertise(language: str) -> None:
    assert "STOP" in help_reply("B", "c", language)
    assert "STOP" in start_reply("B", "c", language)
    assert "STOP" not in stop_reply("B", "c", language)


def test_without_a_contact_the_answers_leave_it_out() -> None:
    assert stop_reply("B", "", "en") == "B: You are unsubscribed and will get no more messages."
    assert "{" not in help_reply("B", "", "da")


def test_an_answer_takes_its_words_literally() -> None:
    assert stop_reply("{contact} {0}", "{brand}", "en").startswith("{contact} {0}: ")

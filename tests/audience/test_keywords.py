"""STOP, HELP and START, and the many replies that are none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.keywords import Keyword, classify, help_reply, start_reply, stop_reply
from smsflow_plugin.messaging.parts import GSM, count_parts

STOPS = """
STOP|stop|Stop.|STOP!!!|  stop\t|"STOP"|'stop'|S.T.O.P.|s t o p|ＳＴＯＰ|Stop 🙏|🛑|🛑🛑|🛑 STOP|STOP STOP STOP
stop, stop!
Stopp|stopall|STOP ALL|UNSUBSCRIBE|unsub|Unsubscribe me|CANCEL|END|QUIT|REVOKE|OPTOUT|OPT OUT|opt-out
Opt out.|remove|remove me
please stop|Stop please|stop pls|STOP NOW|ok stop|Hi, stop please. Thanks!|stop texting me
please stop texting me|stop messages
Take me off your list|Don’t text me|don't text me|no more texts|wrong number|leave me alone
sotp|stpo|unsuscribe|unsubcribe|cancle
ARRET|arrêt|Arrêter|ARRÊTEZ svp|désabonner|Désinscrire|baja|BAJA por favor|Parar|no más|cancelar|Darme de baja
Abmelden|abbestellen bitte|afmelden|uitschrijven|Afmeld|frameld tak|Afmeld mig|avsluta|avregistrera|avmeld
lopeta
annulla|disiscrivi|sair|rezygnuję|wypisz|odhlásit|zrušit|İPTAL|iptal
"""
INNOCENT = """
when does the sale end|When does it end?|cancel my order|can I cancel order 1001|I want to quit smoking lol
shop|step|send|top|quiet
stops|stopped by today|non-stop|the bus stop|stop by the store|Don't stop!|please don’t stop the offers
never stop|stop it or not?
start of the sale?|is the start at 9|helpful|thanks for your help|can you help me find my order
info about sizes|more info please
remove item 2 from my order|end of story|yes|no|ok|YES please|thanks|thank you|ja|sí|oui|hi|Peru|basta|ret
td|alto|alta|please|🙏|👍|❤️
my order number is 1001|what is the return policy|where is my parcel|joined already|unstoppable|bajas
helper|???|.|1|2
"""


def lines(table: str) -> list[str]:
    return [message for line in table.strip("\n").split("\n") for message in line.split("|")]


@pytest.mark.parametrize("body", lines(STOPS))
def test_this_means_stop(body: str) -> None:
    assert classify(body) is Keyword.STOP


@pytest.mark.parametrize("body", lines(INNOCENT))
def test_this_means_nothing_of_the_kind(body: str) -> None:
    assert classify(body) is None


@pytest.mark.parametrize(
    "body",
    lines(
        "HELP|help!|Help please|help me|INFO|info pls|AIDE|ayuda|Hilfe bitte|Hjælp|hjälp|hjelp|apua|aiuto|ajuda"
        "|pomoc|yardım"
    ),
)
def test_this_asks_for_help(body: str) -> None:
    assert classify(body) is Keyword.HELP


@pytest.mark.parametrize(
    "body",
    lines("START|Start.|start please|UNSTOP|subscribe|JOIN|opt in|Tilmeld|anmelden|début|NONARRET|aloita|inizia"),
)
def test_this_means_start(body: str) -> None:
    assert classify(body) is Keyword.START


@pytest.mark.parametrize(
    ("body", "language", "keyword"),
    [
        ("Peru", "fi", Keyword.STOP),
        ("basta!", "it-IT", Keyword.STOP),
        ("ret", "tr", Keyword.STOP),
        ("TD", "fr_CA", Keyword.STOP),
        ("Alto", "es", Keyword.STOP),
        ("alta", "es-MX", Keyword.START),
        ("peru", "es", None),
        ("basta", "es", None),
        ("stop", "fi", Keyword.STOP),
    ],
)
def test_some_words_are_keywords_in_their_own_language_only(body: str, language: str, keyword: Keyword | None) -> None:
    assert classify(body, language) is keyword


def test_a_keyword_inside_a_long_message_is_for_a_person_to_read() -> None:
    assert (
        classify("I was about to say stop but then I read your mail and now I wonder what it is all about, please")
        is None
    )


def test_somebody_who_says_it_thirty_times_means_it() -> None:
    assert classify("STOP " * 30) is Keyword.STOP


@given(st.text(max_size=250), st.text(max_size=5))
def test_any_message_can_be_read(body: str, language: str) -> None:
    assert classify(body, language) in (None, *Keyword)


@given(
    st.sampled_from(["stop", "unsubscribe", "arret", "abmelden"]),
    st.sampled_from(["", " ", "!", "...", " 🛑", "\n", "\u200b"]),
)
def test_case_and_decoration_do_not_matter(word: str, decoration: str) -> None:
    for spelling in (word, word.upper(), word.title()):
        assert classify(decoration + spelling + decoration) is Keyword.STOP


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

"""What is in the inbox of the demo: what answers by itself, what people wrote, and what staff did with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from smsflow_plugin import clock
from smsflow_plugin.engine.thread_actions import AddNote, AssignThread, CloseThread, ReplyInThread
from smsflow_plugin.messaging.sender_actions import SaveSender
from smsflow_plugin.models import Autoresponder, CannedReply, Keyword, Sender, Store, Thread
from smsflow_site.demo.people import Happening
from smsflow_site.demo.shops import NORDIC, SIERRA

#: Who answers people in which store.
STAFF = {SIERRA: "support", NORDIC: "admin"}

#: For each store, conversations: how many minutes ago, who does what, with which words. One list is one person's.
TALKS: Mapping[str, tuple[tuple[tuple[int, str, str], ...], ...]] = {
    SIERRA: (
        (
            (2900, "says", "My jacket came with a broken zipper"),
            (2880, "answers", "We are sorry! A new one leaves today. Keep the other."),
            (2872, "says", "Wow, that was quick. Thank you!"),
            (2865, "closes", ""),
        ),
        (
            (190, "says", "Do the trail shoes run small?"),
            (176, "assigns", ""),
            (175, "answers", "Half a size. Most people take the next one up. Which size do you wear?"),
            (168, "says", "9.5, so I'd take the 10?"),
            (160, "notes", "Size 10 is sold out until Friday. Asked the warehouse."),
        ),
        ((42, "says", "Can I still change the address of my order? I moved last week"),),
        ((1500, "says", "HOURS"),),
    ),
    NORDIC: (((65, "says", "Hej, har I sencha igen snart?"),),),
}

#: So long after what somebody wrote in between, such as “Thanks!”, staff closes the conversation.
CLOSED_AFTER = timedelta(minutes=50)


def with_talks(story: Iterable[Happening], now: datetime) -> list[Happening]:
    """Return the story with what is in the inbox: people who agreed to texts and said nothing else talk with staff."""
    story = list(story)
    lives: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in story:
        lives[one.domain, one.phone].add(one.does)
    old = [
        Happening(one.at + CLOSED_AFTER, one.domain, one.phone, "closes")
        for one in story
        if one.does == "says" and one.says != "STOP" and one.at + CLOSED_AFTER < now
    ]
    return sorted([*story, *old, *_talks(lives, now)])


def _talks(lives: Mapping[tuple[str, str], set[str]], now: datetime) -> Iterator[Happening]:
    for domain, talks in TALKS.items():
        people = [
            phone for (where, phone), did in lives.items() if where == domain and "opts-in" in did and "says" not in did
        ]
        for phone, talk in zip(people, talks, strict=False):
            for minutes, does, says in talk:
                yield Happening(now - timedelta(minutes=minutes), domain, phone, does, says)


# What staff does ---------------------------------------------------------------------------------


def do(store: Store, happening: Happening) -> None:
    """Let staff do something in a conversation; where there is none, there is nothing to do."""
    thread = Thread.objects.filter(store=store, contact__phone=happening.phone).first()
    user = get_user_model().objects.get(username=STAFF[happening.domain])
    if thread is not None:
        DOINGS[happening.does](thread, user, happening.says)


def _answers(thread: Thread, user: Any, says: str) -> None:
    key = f"demo-{thread.pk}-{clock.now():%Y%m%d%H%M}"
    ReplyInThread(thread, user, body=says, key=key).execute(skip_permission_checks=True)


def _assigns(thread: Thread, user: Any, _says: str) -> None:
    AssignThread(thread, user, to=user).execute(skip_permission_checks=True)


def _notes(thread: Thread, user: Any, says: str) -> None:
    AddNote(thread, user, body=says).execute(skip_permission_checks=True)


def _closes(thread: Thread, user: Any, _says: str) -> None:
    CloseThread(thread, user).execute(skip_permission_checks=True)


DOINGS: Mapping[str, Callable[[Thread, Any, str], None]] = {
    "answers": _answers,
    "assigns": _assigns,
    "notes": _notes,
    "closes": _closes,
}


# What answers by itself --------------------------------------------------------------------------

KEYWORDS: Mapping[str, tuple[dict[str, Any], ...]] = {
    SIERRA: (
        {"words": ["HOURS", "OPEN"], "reply": {"en": "We are here Monday to Friday, 9 am to 5 pm Eastern."}},
        {
            "words": ["RETURN", "REFUND"],
            "match": Keyword.Match.ANYWHERE,
            "reply": {"en": "You can send everything back for 30 days. We look into it and text you."},
            "tag": "return",
            "tell_staff": True,
        },
    ),
    NORDIC: ({"words": ["ÅBNINGSTIDER"], "reply": {"da": "Vi svarer mandag til fredag kl. 9-17."}},),
}
AUTORESPONDER = {
    SIERRA: {"en": "Thanks for your text! We are back at 9 am Eastern and will answer then."},
    NORDIC: {"da": "Tak for din besked! Vi svarer igen i morgen kl. 9."},
}
CANNED = {
    SIERRA: (
        ("On its way", "Hi {{ contact.first_name }}, your parcel is on its way."),
        ("Returns", "You can send it back for 30 days. Shall we text you the label?"),
        ("We look into it", "Thanks, {{ contact.first_name }}. We look into it and text you today."),
    ),
    NORDIC: (("Vi ser på det", "Tak, {{ contact.first_name }}. Vi ser på det og skriver i dag."),),
}
#: A second number, for marketing, so that answers to an order stand alone on people's phones.
SECOND_SENDERS = {SIERRA: "+12025550199"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def set_up(stores: Mapping[str, Store]) -> None:
    """Give the stores, by domain, their keywords, autoresponders, canned replies and numbers."""
    for domain, store in stores.items():
        for place, line in enumerate(KEYWORDS[domain]):
            Keyword.objects.create(store=store, position=place, **line)
        hours = {day: ["09:00", "17:00"] for day in WEEKDAYS}
        Autoresponder.objects.create(store=store, active=True, reply=AUTORESPONDER[domain], office_hours=hours)
        for name, body in CANNED[domain]:
            CannedReply.objects.create(store=store, name=name, body=body, language=store.language)
        if domain in SECOND_SENDERS:
            second = Sender(store=store, address=SECOND_SENDERS[domain], use=Sender.Use.MARKETING, position=1)
            SaveSender(Sender(store=store, address=store.sender)).execute(skip_permission_checks=True)
            SaveSender(second).execute(skip_permission_checks=True)

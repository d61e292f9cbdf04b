"""The people of the demo and what they did. Names are made up; the numbers belong to nobody."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from smsflow_plugin.integrations.simulator.payload_parts import Customer
from smsflow_site.demo.shops import NORDIC, SIERRA

AMERICANS = """Maya Brooks, Ethan Cole, Olivia Hayes, Noah Bennett, Ava Ramirez, Liam Foster, Sofia Nguyen, Mason Reed,
Chloe Parker, Lucas Ward, Zoe Kim, Henry Walsh, Nora Patel, Owen Murphy, Ruby Sanders, Caleb Price, Hazel Ortiz,
Isaac Grant, Lily Chen, Jack Turner, Stella Diaz, Wyatt Long, Ivy Russell, Leo Griffin, Alice Hughes, Eli Palmer,
Clara Jensen, Miles Hunter, Naomi Fox, Theo Lane"""
DANES = """Freja Holm, Oscar Lund, Ida Kjær, William Dahl, Clara Bach, Malthe Friis, Alma Krogh, Noah Juhl,
Ella Winther, Emil Skov, Sofie Bech, August Munk, Agnes Toft, Viggo Lind, Karla Ravn, Aksel Bruun, Luna Damgaard,
Carl Vester, Asta Kofoed, Valdemar Riis, Johanne Bang, Storm Hald, Liva Brandt, Hugo Nørby, Maja Søgaard, Otto Vang"""
#: Province and postcode, for the time zone.
PLACES = (("NY", "10001"), ("CA", "94103"), ("CO", "80202"), ("WA", "98101"), ("IL", "60601"), ("TX", "78701"))


#: Minutes after which somebody has surely been reminded of their cart.
_REMINDED = 100


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """Somebody does something: ``joins``, ``clicks`` the link of their last text, a word of ``shopping.DOINGS``, or
    ``says`` something in a text.

    With ``has-birthday`` it says the date.
    """

    at: datetime
    domain: str
    phone: str
    does: str
    says: str = ""


def customers(domain: str) -> list[Customer]:
    if domain == SIERRA:
        return [
            _customer(7_000_000_000_000 + n, name, f"+120255501{n:02d}", "US", *PLACES[n % len(PLACES)])
            for n, name in enumerate(_names(AMERICANS), start=1)
        ]
    return [
        _customer(7_100_000_000_000 + n, name, f"+45200000{n:02d}", "DK", "", "1500")
        for n, name in enumerate(_names(DANES), start=1)
    ]


def happenings(now: datetime, *, days: int = 21) -> list[Happening]:
    """Return what everybody did in the ``days`` before ``now``, in order. The same every time."""
    chance = random.Random("smsflow-demo")  # noqa: S311 - a story, not a secret
    found: list[Happening] = []
    for domain, zone in ((SIERRA, "America/New_York"), (NORDIC, "Europe/Copenhagen")):
        people = customers(domain)
        for place, customer in enumerate(people):
            joined = now - timedelta(days=days - 1 - place * (days - 2) / len(people))
            joined = _in_daytime(joined, ZoneInfo(zone), chance)
            found += (Happening(at, domain, customer.phone, *what) for at, what in _life(joined, chance))
            if place % 3 == 0:
                # every third has told it, and the first of them has it next week
                birthday = now + timedelta(days=7 + place * 11)
                date = f"{1970 + place}-{birthday:%m-%d}" if f"{birthday:%m-%d}" != "02-29" else "1992-02-29"
                found.append(Happening(joined + timedelta(minutes=4), domain, customer.phone, "has-birthday", date))
    return sorted(one for one in found if one.at < now - timedelta(minutes=5))


def _life(joined: datetime, chance: random.Random) -> Iterator[tuple[datetime, Sequence[str]]]:
    """Yield what one person does after making an account."""
    yield joined, ("joins",)
    if chance.random() < 0.12:
        return  # an account, but no texts
    yield joined + timedelta(minutes=2), ("opts-in",)
    if chance.random() < 0.15:
        yield joined + timedelta(minutes=chance.randint(10, 300)), ("says", chance.choice(["Thanks!", "👍", "Cool"]))
    shops_at = joined + timedelta(days=chance.randint(1, 4), minutes=chance.randint(0, 200))
    if chance.random() < 0.5:
        yield shops_at, ("abandons",)
        later = chance.choice([35, 140, 300])
        shops_at += timedelta(minutes=later)
        if later > _REMINDED:
            yield shops_at - timedelta(minutes=4), ("clicks",)
    elif joined.day % 2:
        yield shops_at - timedelta(hours=3), ("clicks",)
    if chance.random() < 0.6:
        yield shops_at, ("orders",)
        yield shops_at + timedelta(days=1, hours=2), ("parcel-sent",)
        yield shops_at + timedelta(days=3), ("parcel-delivered",)
    if chance.random() < 0.1:
        yield shops_at + timedelta(days=4, hours=1), ("says", "STOP")


def _in_daytime(moment: datetime, zone: ZoneInfo, chance: random.Random) -> datetime:
    local = moment.astimezone(zone)
    return local.replace(hour=chance.randint(10, 17), minute=chance.randint(0, 59), second=0, microsecond=0)


def _names(text: str) -> list[str]:
    return [" ".join(name.split()) for name in text.split(",")]


def _customer(number: int, name: str, phone: str, country: str, province: str, postcode: str) -> Customer:
    first, _, last = name.partition(" ")
    address = f"{first}.{last}@example.com".lower().translate(str.maketrans("æøå", "eoa"))
    return Customer(
        id=number,
        first_name=first,
        last_name=last,
        email=address,
        phone=phone,
        country=country,
        province=province,
        postcode=postcode,
    )

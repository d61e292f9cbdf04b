"""Which of a store's numbers and names texts whom. Pure: no Django, no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smsflow_plugin.messaging.country_rules import Misfit, Sender, misfit, sender_kind
from smsflow_plugin.messaging.pictures import carries_pictures

ALL, SERVICE, MARKETING = "all", "service", "marketing"

#: Texts that ask for an answer, or are one: they come from a number if there is any.
_ASKS = frozenset({"reply", "optin"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sender of a store. ``countries`` are two-letter codes; empty means everywhere else."""

    address: str
    channel: str = "sms"
    use: str = ALL
    countries: frozenset[str] = frozenset()
    active: bool = True
    #: The store's connection that it sends through; None: the one that sends by default.
    connection_id: int | None = None

    @property
    def is_name(self) -> bool:
        return sender_kind(self.address) is Sender.ALPHANUMERIC


@dataclass(frozen=True, slots=True)
class Senders:
    """All senders of one store in its order, and the one that sends what no other may (``Store.sender``)."""

    own: Candidate
    others: tuple[Candidate, ...] = ()

    @property
    def all(self) -> tuple[Candidate, ...]:
        known = {sender.address for sender in self.others}
        return self.others if self.own.address in known else (*self.others, self.own)

    def named(self, address: str) -> Candidate | None:
        """Return the sender with this address, however it is written."""
        wanted = folded(address)
        return next((sender for sender in self.all if folded(sender.address) == wanted), None) if wanted else None


def choose(
    senders: Senders,
    *,
    message_class: str,
    country: str = "",
    sticky: str = "",
    texted: str = "",
    picture: bool = False,
) -> Candidate:
    """Return who sends a text. There is always one: what no other may send, the store's own sender does.

    :param message_class: that of the message.
    :param country: of the person's number; empty if nobody knows.
    :param sticky: the number that the person was texted from before.
    :param texted: the number that they have written to: it is the one that answers.
    :param picture: whether a picture goes with the text.
    """
    if texted and (found := senders.named(texted)) and found.active and not found.is_name:
        return found
    if not senders.others:
        return senders.own
    fitting = [one for one in senders.all if may_send(one, message_class, country)]
    if sticky and (kept := next((one for one in fitting if one.address == sticky), None)):
        return kept
    ranked = sorted(enumerate(fitting), key=lambda pair: _rank(pair[1], pair[0], message_class, country, picture))
    return ranked[0][1] if ranked else _last_resort(senders, message_class)


def may_send(sender: Candidate, message_class: str, country: str) -> bool:
    """Return whether a sender may send texts of this class to this country."""
    return sender.active and _used_for(sender, message_class) and may_text(sender, country)


def may_text(sender: Candidate, country: str) -> bool:
    """Return whether a sender may text people of this country at all."""
    if sender.countries and country not in sender.countries:
        return False
    # a country that takes no texts takes them from nobody: that is for others to say
    return not country or misfit(sender.address, country) not in (Misfit.KIND, Misfit.FRENCH_LONG_CODE)


def keeps(senders: Senders, sticky: str, address: str, country: str) -> str:
    """Return from which number somebody is texted from now on, who is texted from ``address`` now.

    They keep the number they had, as long as it may still text them. A name sticks to nobody: it cannot be answered.
    """
    had = next((one for one in senders.all if one.address == sticky), None)
    if had is not None and had.active and not had.is_name and may_text(had, country):
        return sticky
    return sticky if sender_kind(address) is Sender.ALPHANUMERIC else address


def folded(address: str) -> str:
    """Return an address as it is compared: gateways leave out the "+" and blanks."""
    return address.replace(" ", "").removeprefix("+").casefold()


def _used_for(sender: Candidate, message_class: str) -> bool:
    return sender.use in (ALL, MARKETING if message_class == MARKETING else SERVICE)


def _rank(
    sender: Candidate, place: int, message_class: str, country: str, picture: bool
) -> tuple[bool, bool, bool, bool, int]:
    """Order senders that may: the first wins."""
    return (
        not (country and country in sender.countries),
        picture and not carries_pictures(sender.channel, country),
        message_class in _ASKS and sender.is_name,
        sender.use == ALL,
        place,
    )


def _last_resort(senders: Senders, message_class: str) -> Candidate:
    """Return who sends what nobody is named for: never one that is kept for something else, if there is another."""
    own = senders.named(senders.own.address) or senders.own
    if own.active and _used_for(own, message_class):
        return own
    return next((one for one in senders.others if one.active and _used_for(one, message_class)), own)


def candidates(rows: Iterable[Sequence[object]]) -> tuple[Candidate, ...]:
    """Return senders read from the database, given as (address, channel, use, countries, active, connection id)."""
    found = []
    for address, channel, use, countries, active, connection_id in rows:
        codes = frozenset(str(code).upper() for code in countries) if isinstance(countries, list) else frozenset()
        pk = connection_id if isinstance(connection_id, int) else None
        found.append(Candidate(str(address), str(channel), str(use), codes, bool(active), pk))
    return tuple(found)

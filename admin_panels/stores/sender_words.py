"""What is wrong with a store's sender in its country, as a sentence."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.messaging.country_rules import Misfit, Sender, misfit, rules_of, sender_kind
from smsflow_plugin.models import Store

KINDS = {
    Sender.LONG_CODE: gettext_lazy("a long number"),
    Sender.TOLL_FREE: gettext_lazy("a toll-free number"),
    Sender.SHORT_CODE: gettext_lazy("a short number"),
    Sender.ALPHANUMERIC: gettext_lazy("a name"),
}


def sender_warning(store: Store) -> str:
    """Return why the store's sender does not suit its country; empty if it does, or if nobody knows."""
    return misfit_words(store.sender, store.country)


def misfit_words(sender: str, country: str) -> str:
    """Return why texts from ``sender`` do not suit a country; empty if they do, or if nobody knows."""
    rules, words = rules_of(country), {"country": country, "sender": sender}
    match misfit(sender, country):
        case Misfit.BLOCKED:
            return _("Texts to %(country)s do not arrive: %(why)s") % {**words, "why": rules.blocked}
        case Misfit.FRENCH_LONG_CODE:
            return (
                _(
                    "Texts from %(sender)s do not arrive: numbers with +33 6 and +33 7 carry no texts of applications. "
                    "Use a short number or a name."
                )
                % words
            )
        case Misfit.KIND:
            kinds = ", ".join(str(KINDS[kind]) for kind in Sender if kind in rules.senders)
            return _("Texts to %(country)s cannot come from %(kind)s. These can send there: %(kinds)s.") % {
                **words,
                "kind": KINDS[sender_kind(sender)],
                "kinds": kinds,
            }
        case Misfit.NO_REPLIES:
            return (
                _(
                    "Nobody can answer a text from “%(sender)s”, so STOP cannot arrive: put the link to people's "
                    "own page into your texts."
                )
                % words
            )
    return ""

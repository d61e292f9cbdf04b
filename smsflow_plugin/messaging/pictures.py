"""Which texts can take a picture along. Pure."""

from __future__ import annotations

#: Where MMS exists for shops; elsewhere a picture needs a channel of the Internet.
MMS_COUNTRIES = frozenset({"US", "CA", "AU", "PR"})
#: Channels that carry pictures, whatever the country.
ANYWHERE = frozenset({"rcs", "whatsapp"})


def carries_pictures(channel: str, country: str) -> bool:
    """Return whether a text on this channel of a sender can take a picture to a number of that country."""
    return channel in ANYWHERE or (channel == "mms" and country in MMS_COUNTRIES)

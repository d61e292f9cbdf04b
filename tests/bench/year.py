"""A year of a store that never was, always the same one for a seed, whose truth is known.

People join, get texts, click, answer, order, send back and opt out, by chance (``lives``). Two experiments run: two
wordings of a text, and a holdout of a flow; how much they truly change is set in ``setting``. All facts are written as
the pumps would have written them (``writing``); what they come to is added up beside it (``adding``), in ``Truth``.
Only orders are not credited here: the project does that (``attribution.recompute``), and the truth has its own idea of
it. People come in chunks, and are forgotten once they are written: memory does not grow with their number.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import connection, transaction

from smsflow_plugin import bulk
from smsflow_plugin.attribution.recompute import recompute
from smsflow_plugin.engine import offers
from smsflow_plugin.models import Contact, Store
from tests.bench.adding import Adder
from tests.bench.lives import Lives
from tests.bench.setting import Setting
from tests.bench.truth import Truth
from tests.bench.writing import Writer

CHUNK = 500


def make_year(store: Store, contacts: int, seed: int, texts: int = 10) -> Truth:
    """Fill ``store``, which is empty, with a year that ends yesterday on its clock, and credit its orders.

    :param seed: no two years in one database may have the same.
    :param texts: about how many each person gets.
    """
    year = Setting(store, seed)
    lives, writer, adder = Lives(year, texts), Writer(year), Adder(year)
    for first in range(0, contacts, CHUNK):
        people = [lives.person(contact) for contact in _contacts(year, first, min(CHUNK, contacts - first))]
        with transaction.atomic():
            writer.write(people)
        for person in people:
            adder.add_up(person)
    if connection.vendor == "postgresql":
        # as its own housekeeping would have done in a real year: plans go by what is known of the tables
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    recompute(store, offers.gifts)
    return year.truth


def _contacts(year: Setting, first: int, count: int) -> Iterable[Contact]:
    names = {uuid.UUID(int=year.chance.getrandbits(128)): f"+1{2_010_000_000 + first + n}" for n in range(count)}
    rows = [(year.store.pk, key, phone, "Ada", "US") for key, phone in names.items()]
    made = bulk.insert(Contact, ("store_id", "uuid", "phone", "first_name", "country"), rows)
    assert made == count, "These people are there already: another year of this seed has made them."
    return list(Contact.objects.filter(store=year.store, uuid__in=names).order_by("phone"))

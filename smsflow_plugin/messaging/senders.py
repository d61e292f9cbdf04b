"""From where a store's texts come: its numbers and names, and which of them sends to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.messaging.choosing import Candidate, Senders, candidates
from smsflow_plugin.stores.models import Connection, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Sender(models.Model):
    """One number or name of a store, and the connection that sends from it. (store, address) is unique.

    A store without rows here sends from ``Store.sender`` through its only connection.
    """

    class Channel(models.TextChoices):
        SMS = "sms", _("Text messages (SMS)")
        MMS = "mms", _("SMS, and pictures as MMS")
        RCS = "rcs", _("RCS, and SMS where a phone has none")
        WHATSAPP = "whatsapp", _("WhatsApp")

    class Use(models.TextChoices):
        ALL = "all", _("All texts")
        SERVICE = "service", _("Service texts and answers only")
        MARKETING = "marketing", _("Marketing only")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="senders", verbose_name=_("store"))
    #: None: the store's connection that sends by default.
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("sends through")
    )
    address = models.CharField(_("number or name"), max_length=20)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices, default=Channel.SMS)
    use = models.CharField(_("used for"), max_length=9, choices=Use.choices, default=Use.ALL)
    #: Two-letter codes; empty: every country for which no other sender is named.
    countries = models.JSONField(_("countries"), default=list, blank=True)
    #: Texts a second that this sender may send; empty: as the store's rules say.
    texts_per_second = models.DecimalField(_("texts a second"), max_digits=8, decimal_places=3, null=True, blank=True)
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("place"), default=0)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["store", "address"], name="smsflow_sender_address")]

    def __str__(self) -> str:
        return self.address


#: What is asked of a row to choose among a store's senders.
CHOSEN_BY = ("address", "channel", "use", "countries", "active", "connection_id")


def senders_of(stores: Iterable[Store]) -> dict[int, Senders]:
    """Return the senders of these stores. One query."""
    own = {store.pk: store.sender for store in stores}
    rows: dict[int, list[Any]] = defaultdict(list)
    for store_id, *values in Sender.objects.filter(store_id__in=own).values_list("store_id", *CHOSEN_BY):
        rows[store_id].append(values)
    return {pk: Senders(Candidate(address), candidates(rows[pk])) for pk, address in own.items()}

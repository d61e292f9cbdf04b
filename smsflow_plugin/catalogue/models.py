"""What a store sells, as far as flows ask for it, and who is interested in what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Variant(models.Model):
    """One variant of a product: what it costs, and how many there are."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    variant_id = models.CharField(max_length=40)
    product_id = models.CharField(max_length=40, blank=True)
    title = models.CharField(_("title"), max_length=200)
    variant = models.CharField(_("variant"), max_length=100, blank=True)
    url = models.URLField(_("web address"), max_length=500, blank=True)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    #: None: the shop does not count it, there is always some.
    available = models.IntegerField(_("in stock"), null=True, blank=True)
    #: The vendor's own time of the newest word about it; older ones are dropped.
    said_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=clock.now)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("product variant")
        verbose_name_plural = _("product variants")
        constraints = [models.UniqueConstraint(fields=["store", "variant_id"], name="smsflow_variant_id")]

    def __str__(self) -> str:
        return f"{self.title} {self.variant}".strip()


class Interest(models.Model):
    """Somebody waits for a variant to come back, or looked at it."""

    class Kind(models.TextChoices):
        WAITLIST = "waitlist", _("Waits for it")
        VIEWED = "viewed", _("Looked at it")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="interests")
    variant_id = models.CharField(max_length=40)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    since = models.DateTimeField(_("since"), default=clock.now)
    #: The price when the person looked.
    price = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    #: When a back_in_stock or price_dropped event was made for it; null while the person waits.
    told_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("interest")
        verbose_name_plural = _("interests")
        constraints = [
            models.UniqueConstraint(fields=["contact", "variant_id", "kind"], name="smsflow_interest_variant")
        ]
        indexes = [models.Index(fields=["store", "variant_id", "kind", "since"], name="smsflow_interest_queue")]

    def __str__(self) -> str:
        return f"{self.contact}: {self.variant_id}"

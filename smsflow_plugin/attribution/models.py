"""What texts are given credit for, and who took part in which experiment."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Conversion(models.Model):
    """An order, and the one text that it is credited to. (store, order) is unique.

    Orders that no text is credited to have no row. Kept up to date with refunds and cancellations.
    """

    class Model(models.TextChoices):
        CLICK = "click", _("Last click")
        CODE = "code", _("Discount code")
        DELIVERED = "delivered", _("Delivery alone")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    #: The shop's id of the order, as events name it.
    order = models.CharField(_("order"), max_length=255)
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.CASCADE, related_name="conversions", verbose_name=_("contact")
    )
    ordered_at = models.DateTimeField(_("ordered at"))
    model = models.CharField(_("credited by"), max_length=9, choices=Model.choices)
    #: No constraint: texts are purged earlier than what they earned.
    message_id = models.BigIntegerField(null=True, editable=False)
    flow_id = models.BigIntegerField(default=0, editable=False)
    version_id = models.BigIntegerField(default=0, editable=False)
    step = models.CharField(max_length=36, blank=True)
    variant = models.CharField(max_length=12, blank=True)
    message_class = models.CharField(max_length=10, blank=True)
    #: When the text was queued, and when its link was clicked.
    sent_at = models.DateTimeField(_("text of"))
    clicked_at = models.DateTimeField(_("clicked at"), null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2, default=0)
    refunded = models.DecimalField(_("refunded"), max_digits=14, decimal_places=2, default=0)
    cancelled = models.BooleanField(_("cancelled"), default=False)
    #: What is left: total less refunds, nothing of a cancelled order.
    revenue = models.DecimalField(_("revenue"), max_digits=14, decimal_places=2, default=0)
    #: What spoke for this text, for whoever asks: the window, the clicks, the code.
    because = models.JSONField(default=dict)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("attributed order")
        verbose_name_plural = _("attributed orders")
        constraints = [models.UniqueConstraint(fields=["store", "order"], name="smsflow_conversion_order")]
        indexes = [
            models.Index(fields=["store", "ordered_at"], name="smsflow_conversion_ordered"),
            models.Index(fields=["store", "sent_at"], name="smsflow_conversion_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.order}: {self.revenue}"


class Exposure(models.Model):
    """When somebody first came to where an experiment made a difference. (store, experiment, contact) is unique.

    Whoever is held out has a row as well, of the moment at which their text would have gone.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    #: "flow:12:step@3f9a1c", "flow:12@10" for a flow's holdout, "store:2026-Q4@10" for the holdout of the whole store;
    #: see ``engine.trials``.
    experiment = models.CharField(_("experiment"), max_length=80)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="exposures", verbose_name=_("contact"))
    #: "A", "B", …; "held" and "sent" of a holdout.
    arm = models.CharField(_("variant"), max_length=12)
    flow_id = models.BigIntegerField(default=0, editable=False)
    step = models.CharField(max_length=36, blank=True)
    enrollment_id = models.BigIntegerField(null=True, editable=False)
    at = models.DateTimeField(_("at"), default=clock.now)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")
        constraints = [
            models.UniqueConstraint(fields=["store", "experiment", "contact"], name="smsflow_exposure_contact")
        ]
        indexes = [models.Index(fields=["store", "experiment", "at"], name="smsflow_exposure_list")]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.arm}"

"""The rules that a store sets for all of its texts."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin.governance.rules import PolicyRules
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Policy(models.Model):
    """Quiet hours, caps and the minimum gap of one store. Marketing obeys all of them."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="policy", verbose_name=_("store"))
    opens_at = models.TimeField(_("texts from"), default=time(9), help_text=_("In the recipient's own time zone."))
    closes_at = models.TimeField(_("texts until"), default=time(20), help_text=_("In the recipient's own time zone."))
    cap_per_day = models.PositiveSmallIntegerField(
        _("texts per person in 24 hours"), default=2, validators=[MinValueValidator(1)]
    )
    cap_per_week = models.PositiveSmallIntegerField(
        _("texts per person in 7 days"), default=5, validators=[MinValueValidator(1)]
    )
    minimum_gap = models.PositiveSmallIntegerField(_("minutes between two texts to one person"), default=60)
    quiet_service = models.BooleanField(
        _("quiet hours for service texts too"),
        default=False,
        help_text=_("Order and delivery news then also wait for the morning."),
    )

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")

    def __str__(self) -> str:
        return str(_("Rules of %(store)s") % {"store": self.store})

    def clean(self) -> None:
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise ValidationError({"closes_at": _("This must be later than the time from which texts may be sent.")})
        if self.cap_per_day and self.cap_per_week and self.cap_per_day > self.cap_per_week:
            raise ValidationError({"cap_per_week": _("This cannot be lower than the number of texts in 24 hours.")})

    @property
    def rules(self) -> PolicyRules:
        """The same as a plain value for ``decide()``."""
        return PolicyRules(
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            cap_per_day=self.cap_per_day,
            cap_per_week=self.cap_per_week,
            minimum_gap_minutes=self.minimum_gap,
            quiet_service=self.quiet_service,
        )

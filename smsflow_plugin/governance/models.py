"""The rules that the site and each store set for texts, and every version of them that decided on one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from wagtail.models import DraftStateMixin, LockableMixin, RevisionMixin

from smsflow_plugin import clock
from smsflow_plugin.governance.layers import layer_values, rows_problem
from smsflow_plugin.governance.policy import Layer, Level
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

_PERCENT = [MinValueValidator(0), MaxValueValidator(100)]
_AS_ABOVE = _("Empty: as on the level above.")


class Policy(DraftStateMixin, LockableMixin, RevisionMixin, models.Model):
    """The rules of one store, or of the whole site where ``store`` is empty.

    Whatever is empty is as on the level above: the site's for a store, and what is built in for the site
    (``governance.policy.PolicyRules``). Only what is published counts. JSON columns hold what
    ``governance.layers`` reads.
    """

    class Blocked(models.TextChoices):
        HOLD = "hold", _("Wait until it may go")
        DROP = "drop", _("Drop it")
        STALE = "stale", _("Wait, but drop it when it would come too late")

    store = models.OneToOneField(
        Store, null=True, blank=True, editable=False, on_delete=models.CASCADE, related_name="policy"
    )
    #: Seven days from Monday on: ["09:00", "20:00"], or null for a closed day. Null as a whole: as above.
    week = models.JSONField(_("hours for texts"), null=True, blank=True)
    holidays_off = models.BooleanField(_("no texts on public holidays"), null=True, blank=True)
    strict = models.BooleanField(
        _("only when every place where the person may be is open"),
        null=True,
        blank=True,
        help_text=_("Otherwise the most likely place alone counts."),
    )
    #: Rows that narrow the law's table: see ``governance.law``.
    stricter_law = models.JSONField(_("stricter rows"), default=list, blank=True)
    quiet_service = models.BooleanField(
        _("quiet hours for service texts too"),
        null=True,
        blank=True,
        help_text=_("Order and delivery news then also wait for the morning."),
    )
    #: Rows of {"limit", "window", "scope", "of"}: see ``governance.policy.Cap``.
    caps = models.JSONField(_("caps"), default=list, blank=True)
    minimum_gap = models.PositiveSmallIntegerField(
        _("minutes between two texts to one person"), null=True, blank=True, help_text=_AS_ABOVE
    )
    look_ahead = models.PositiveSmallIntegerField(
        _("minutes to look ahead"),
        null=True,
        blank=True,
        help_text=_("A promotion leaves the place of a more important text that is planned within this time."),
    )
    when_blocked = models.CharField(
        _("when a text may not go yet"), max_length=5, choices=Blocked.choices, blank=True, help_text=_AS_ABOVE
    )
    #: Ids of flows, the most important first. Within each class this order decides.
    flow_order = models.JSONField(_("order of the flows"), default=list, blank=True)
    recent_buyer_hours = models.PositiveSmallIntegerField(
        _("hours without promotions after an order"), null=True, blank=True, help_text=_AS_ABOVE
    )
    skip_open_cases = models.BooleanField(_("no promotions while a support case is open"), null=True, blank=True)
    #: Ids of flows.
    exclusive_flows = models.JSONField(_("no promotions for people in these flows"), default=list, blank=True)
    #: Two-letter codes; null: as above.
    cart_countries = models.JSONField(_("countries with the rule for carts"), null=True, blank=True)
    cart_confirmed = models.BooleanField(_("cart reminders need a confirmed opt-in there"), null=True, blank=True)
    double_opt_in_countries = models.JSONField(_("countries with double opt-in"), null=True, blank=True)
    blocked_countries = models.JSONField(_("countries that get no marketing"), null=True, blank=True)
    discounts = models.PositiveSmallIntegerField(
        _("discounts for one person"), null=True, blank=True, help_text=_("In so many days as stand beside it.")
    )
    discount_days = models.PositiveSmallIntegerField(
        _("days"), null=True, blank=True, validators=[MinValueValidator(1)], help_text=_AS_ABOVE
    )
    margin_floor = models.DecimalField(
        _("margin that must be left, percent"),
        max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT,
        help_text=_("Of the order, after the discount."),
    )  # fmt: skip
    gross_margin = models.DecimalField(
        _("usual margin, percent"),
        max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT,
        help_text=_("What the store earns of an order without a discount."),
    )  # fmt: skip
    escalate_unredeemed = models.BooleanField(
        _("a bigger discount only when the last one was not used"), null=True, blank=True
    )
    budget_day = models.DecimalField(_("budget per day"), max_digits=12, decimal_places=2, null=True, blank=True)
    budget_month = models.DecimalField(_("budget per month"), max_digits=12, decimal_places=2, null=True, blank=True)
    price_ceiling = models.DecimalField(
        _("most that one text may cost"), max_digits=9, decimal_places=4, null=True, blank=True
    )
    #: What one part costs, in the store's currency, by country: {"US": "0.0083", "": "0.05"}.
    prices = models.JSONField(_("price of a part by country"), default=dict, blank=True)
    texts_per_second = models.DecimalField(
        _("texts per second"),
        max_digits=7, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)],
        help_text=_("As many as your number may send."),
    )  # fmt: skip
    breaker_opt_outs = models.DecimalField(
        _("opt-outs, percent"), max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT
    )
    breaker_failures = models.DecimalField(
        _("failed texts, percent"), max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT
    )
    breaker_volume = models.DecimalField(
        _("times as many texts as usual"), max_digits=6, decimal_places=2, null=True, blank=True
    )
    breaker_spend = models.DecimalField(
        _("spend of one flow in 24 hours"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    breaker_least = models.PositiveIntegerField(
        _("texts before a rate says anything"), null=True, blank=True, help_text=_AS_ABOVE
    )
    holdout = models.PositiveSmallIntegerField(
        _("percent of people who get no marketing"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(50)],
        help_text=_("By chance, others in each quarter. What they buy all the same shows what texts do."),
    )
    #: Names of settings that the level below may make looser than this one.
    may_loosen = models.JSONField(_("stores may loosen"), default=list, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        constraints = [
            # one for the site: of several with no store one would count, and nobody could say which
            models.UniqueConstraint(
                Coalesce("store_id", 0), name="smsflow_policy_of_site", condition=Q(store__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return str(_("Rules of %(store)s") % {"store": self.store}) if self.store_id else str(_("Rules of the site"))

    def clean(self) -> None:
        rows_problem(self)

    @property
    def layer(self) -> Layer:
        """What this level sets, as plain values."""
        level = Level.STORE if self.store_id else Level.SITE
        return Layer(level, layer_values(self), frozenset(self.may_loosen))

    def with_content_json(self, content: Any) -> Policy:
        """Return the policy as in ``content``, but of its own store."""
        policy: Policy = super().with_content_json(content)
        policy.store_id = self.store_id
        return policy


class PolicyVersion(models.Model):
    """Rules that decided on a text, as they stood then. Written when they are first used, and never changed."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    rules = models.JSONField()
    #: Which level each setting came from.
    origin = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of the rules")
        verbose_name_plural = _("versions of the rules")
        constraints = [models.UniqueConstraint(fields=["store", "digest"], name="smsflow_policy_digest")]

    def __str__(self) -> str:
        return self.digest[:8]


class PanicStop(models.Model):
    """Somebody has stopped all texts of a store, or of the whole site, until somebody lets them go again."""

    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(_("why"), max_length=200, blank=True)
    stopped_at = models.DateTimeField(_("stopped at"), default=clock.now)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("stopped by")
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("released by")
    )

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("panic stop")
        verbose_name_plural = _("panic stops")
        constraints = [
            models.UniqueConstraint(
                Coalesce("store_id", 0),
                name="smsflow_panic_open",
                condition=Q(released_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return str(self.store or _("The whole site"))

"""What is kept of a shop until it is known whose it is, and what has to be asked of it or done for it."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

#: What the law gives for an answer.
TIME_TO_ANSWER = timedelta(days=30)


class AnonymousCart(models.Model):
    """One state of a cart that is nobody's yet. A checkout or an order with its token says whose it is."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=80)
    #: The key of the event that comes of it: the token and when the cart was changed.
    key = models.CharField(max_length=160)
    at = models.DateTimeField()
    cart = models.JSONField(default=dict)
    stored_at = models.DateTimeField(default=clock.now)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("cart of nobody yet")
        verbose_name_plural = _("carts of nobody yet")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_shopify_cart_key")]
        indexes = [
            models.Index(fields=["store", "token"], name="smsflow_shopify_cart_token"),
            models.Index(fields=["stored_at"], name="smsflow_shopify_cart_age"),
        ]

    def __str__(self) -> str:
        return self.key


class StockItem(models.Model):
    """Which variant an article of the stock is: the news of the stock name articles only."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    item_id = models.CharField(max_length=40)
    variant_id = models.CharField(max_length=40)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("article of the stock")
        verbose_name_plural = _("articles of the stock")
        constraints = [models.UniqueConstraint(fields=["store", "item_id"], name="smsflow_shopify_item_id")]

    def __str__(self) -> str:
        return f"{self.item_id} → {self.variant_id}"


class Question(models.Model):
    """Something that a webhook did not say, and that the shop has to be asked. Asked by a task, never by a view."""

    class Kind(models.TextChoices):
        STOCK = "stock", _("How many there are of an article")
        PICKUP = "pickup", _("Which order can be picked up")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    about = models.CharField(max_length=80)
    #: When it happened that we ask about.
    at = models.DateTimeField()
    #: What Shopify has answered, as far as it could not be used yet.
    answer = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=clock.now)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("question to the shop")
        verbose_name_plural = _("questions to the shop")
        constraints = [models.UniqueConstraint(fields=["store", "kind", "about"], name="smsflow_shopify_question")]
        indexes = [models.Index(fields=["not_before"], name="smsflow_shopify_question_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


class PixelEvent(models.Model):
    """What a browser says that somebody did in the shop. Anybody can say so: see ``integrations.shopify.pixel``."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    event_id = models.CharField(max_length=80)
    client_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=30)
    #: The token of the checkout that was started: the only way from a browser to a person.
    checkout = models.CharField(max_length=80, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    #: A keyed hash of the connection that it came over, for the limits.
    caller = models.CharField(max_length=64)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit of nobody yet")
        verbose_name_plural = _("visits of nobody yet")
        constraints = [models.UniqueConstraint(fields=["store", "event_id"], name="smsflow_shopify_pixel_id")]
        indexes = [
            models.Index(fields=["store", "client_id"], name="smsflow_shopify_pixel_client"),
            models.Index(fields=["store", "received_at"], name="smsflow_shopify_pixel_rate"),
            models.Index(fields=["caller", "received_at"], name="smsflow_shopify_pixel_caller"),
            models.Index(fields=["checkout"], name="smsflow_shopify_pixel_known", condition=~Q(checkout="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class Visitor(models.Model):
    """Whose browser it is: it has started a checkout of which Shopify itself told us whose it is.

    It names the checkout and no contact: people turn out to be others, and are erased.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    client_id = models.CharField(_("browser"), max_length=80)
    checkout = models.CharField(max_length=80)
    linked_at = models.DateTimeField(_("known since"), default=clock.now)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("browser of a person")
        verbose_name_plural = _("browsers of people")
        constraints = [models.UniqueConstraint(fields=["store", "client_id"], name="smsflow_shopify_visitor")]

    def __str__(self) -> str:
        return self.client_id


class PrivacyRequest(models.Model):
    """What the law lets people ask for by way of Shopify: what is known about them, or that nothing is any more.

    It outlives its store, so that one can show that everything of it was deleted. What says who the person
    is goes as soon as it is done.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", _("Tell a person what is known about them")
        ERASE = "erase", _("Erase a person")
        SHOP = "shop", _("Erase everything of the shop")

    class State(models.TextChoices):
        OPEN = "open", _("To be done")
        HELD = "held", _("Waits for a person")
        DONE = "done", _("Done")
        VOID = "void", _("Not to be done")

    store = models.ForeignKey(Store, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("store"))
    shop = models.CharField(_("shop"), max_length=255)
    kind = models.CharField(_("what is asked for"), max_length=6, choices=Kind.choices)
    key = models.CharField(max_length=255)
    customer = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    email = models.CharField(max_length=254, blank=True)
    orders = models.JSONField(default=list)
    asked_at = models.DateTimeField(_("asked for at"))
    due_at = models.DateTimeField(_("due at"))
    #: Nothing is done before: what deletes a whole store leaves time to notice.
    not_before = models.DateTimeField(default=clock.now)
    state = models.CharField(_("state"), max_length=4, choices=State.choices, default=State.OPEN)
    outcome = models.CharField(_("what became of it"), max_length=255, blank=True)
    people = models.PositiveIntegerField(_("people"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.CharField(_("done by"), max_length=150, blank=True)
    file = models.BinaryField(null=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="smsflow_shopify_privacy_key")]
        indexes = [models.Index(fields=["not_before"], name="smsflow_shopify_privacy_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.shop})"

"""Short links: where each leads, whom it was sent to, and every time that it was opened."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Link(models.Model):
    """A short address in one text to one person. ``code`` is unique on the whole site.

    Where it leads stands here and nowhere in the address, so it can never be made to lead elsewhere.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    code = models.CharField(max_length=16, unique=True)
    target = models.TextField(_("leads to"))
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.CASCADE, related_name="links", verbose_name=_("contact")
    )
    message = models.ForeignKey(
        Message, null=True, on_delete=models.CASCADE, related_name="links", verbose_name=_("message")
    )
    created_at = models.DateTimeField(default=clock.now)
    #: From then on it leads to the store's home.
    expires_at = models.DateTimeField(null=True, blank=True)
    #: When a human being first opened it.
    clicked_at = models.DateTimeField(_("first clicked at"), null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("short link")
        verbose_name_plural = _("short links")

    def __str__(self) -> str:
        return self.code


class Click(models.Model):
    """One time that a short link was opened, by whomever or whatever. Only human beings count."""

    class Kind(models.TextChoices):
        HUMAN = "human", _("Person")
        PREVIEW = "preview", _("Preview in a message app")
        BOT = "bot", _("Robot or scanner")
        PREFETCH = "prefetch", _("Fetched ahead by a browser")
        HEAD = "head", _("Looked at without opening")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="clicks", verbose_name=_("short link"))
    at = models.DateTimeField(_("at"), default=clock.now)
    kind = models.CharField(_("by"), max_length=8, choices=Kind.choices)
    #: Why it was taken for that: the word that was found, in English.
    because = models.CharField(max_length=60, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        indexes = [models.Index(fields=["store", "at"], name="smsflow_click_list")]

    def __str__(self) -> str:
        return f"{self.link_id} {self.kind}"

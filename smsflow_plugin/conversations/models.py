"""Threads between a store's people and its staff, and what answers by itself.

The texts themselves are not copied: what a person wrote is an ``Event`` of the kind "message_received", what
they got is a ``Message``. A thread holds what only people know of it: who looks after it, and whether it is done.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Thread(models.Model):
    """The conversation with one contact, for ever: it is closed, and opens again when the person writes anew."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SNOOZED = "snoozed", _("Snoozed")
        CLOSED = "closed", _("Closed")

    class Needs(models.TextChoices):
        """Why somebody should look."""

        ANSWER = "answer", _("Nothing answered their text")
        PERSON = "person", _("A flow handed them over")
        STARTED = "started", _("Staff started it")
        TOLD = "told", _("They answered staff")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="thread", verbose_name=_("contact"))
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.OPEN)
    needs = models.CharField(_("opened because"), max_length=8, choices=Needs.choices, default=Needs.ANSWER)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    #: Texts of the person that nobody has looked at.
    unread = models.PositiveIntegerField(_("unread"), default=0)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    #: The person's last text, and the last text of either side: lists are sorted by it.
    heard_at = models.DateTimeField(_("last text from them"), null=True, blank=True)
    last_at = models.DateTimeField(_("last text"), default=clock.now)
    last_words = models.CharField(_("last words"), max_length=160, blank=True)
    last_from_person = models.BooleanField(default=True)
    opened_at = models.DateTimeField(_("opened at"), default=clock.now)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    #: When staff took the person over through this thread and nobody wrote since, automation comes back at this time.
    hand_back_at = models.DateTimeField(_("automation comes back at"), null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        indexes = [
            models.Index(fields=["store", "state", "last_at"], name="smsflow_thread_list"),
            # lists of several stores
            models.Index(fields=["last_at", "id"], name="smsflow_thread_newest"),
            models.Index(fields=["assigned_to", "state"], name="smsflow_thread_assigned"),
            models.Index(fields=["snoozed_until"], name="smsflow_thread_snoozed", condition=Q(state="snoozed")),
            models.Index(fields=["hand_back_at"], name="smsflow_thread_back", condition=Q(hand_back_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.contact)


class ThreadNote(models.Model):
    """A line in a thread that the person never sees: a note of staff, or what staff did."""

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        ASSIGNED = "assigned", _("Assigned")
        UNASSIGNED = "unassigned", _("Assigned to nobody")
        SNOOZED = "snoozed", _("Snoozed")
        CLOSED = "closed", _("Closed")
        OPENED = "opened", _("Opened again")
        TAKEN_OVER = "taken_over", _("Taken over from the flows")
        HANDED_BACK = "handed_back", _("Given back to the flows")
        OPT_OUT = "opt_out", _("Opt-out recorded")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(_("kind"), max_length=11, choices=Kind.choices, default=Kind.NOTE)
    body = models.TextField(_("note"), blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    #: Kept beside the author, who may leave; empty for what happened by itself.
    author_name = models.CharField(_("by"), max_length=150, blank=True)
    at = models.DateTimeField(_("at"), default=clock.now)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["thread", "at"], name="smsflow_thread_note")]

    def __str__(self) -> str:
        return self.body[:40] or str(self.get_kind_display())


class ThreadVisitor(models.Model):
    """Who has a thread open, so that two people who answer at once see each other. (thread, user) is unique."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="visitors")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(default=clock.now)
    #: The last time that something was typed into the answer.
    typed_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("visitor of a conversation")
        verbose_name_plural = _("visitors of conversations")
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="smsflow_thread_visitor")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.thread_id}"


class CannedReply(models.Model):
    """Words that staff uses often. May hold Liquid, as all copy; filled in before staff sees it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=60)
    body = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=8, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["store", "name", "language"], name="smsflow_canned_name")]

    def __str__(self) -> str:
        return self.name


class Keyword(models.Model):
    """A line of a store's keyword table: what somebody gets who texts one of these words.

    Asked after STOP, HELP and START and after a question that the person was asked; before the autoresponder.
    """

    class Match(models.TextChoices):
        WHOLE = "whole", _("The text is this word")
        FIRST = "first", _("The text begins with it")
        ANYWHERE = "anywhere", _("The word stands somewhere in the text")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    #: Folded when compared; one word cannot stand in two lines of a store that are compared in the same way.
    words = models.JSONField(_("words"), default=list)
    match = models.CharField(_("how it is compared"), max_length=8, choices=Match.choices, default=Match.WHOLE)
    #: Copy by language, as in flows: {"en": "We open at nine."}; empty: no answer.
    reply = models.JSONField(_("answer"), default=dict, blank=True)
    tag = models.CharField(_("tag that they get"), max_length=60, blank=True)
    flow = models.ForeignKey(
        Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("flow that it starts")
    )
    #: Whether staff is asked to look as well.
    tell_staff = models.BooleanField(_("puts them into the inbox"), default=False)
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("place"), default=0)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("keyword")
        verbose_name_plural = _("keywords")
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["store", "active"], name="smsflow_keyword_store")]

    def __str__(self) -> str:
        return ", ".join(str(word) for word in self.words) if isinstance(self.words, list) else ""


class Autoresponder(models.Model):
    """What a store answers to texts that nothing else has taken: at most one answer a person in 24 hours."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    active = models.BooleanField(_("active"), default=False)
    #: Copy by language.
    reply = models.JSONField(_("answer"), default=dict, blank=True)
    #: Only outside of these hours of the store's clock; empty: always. ``{"mon": ["09:00", "17:00"], …}``.
    office_hours = models.JSONField(_("office hours"), default=dict, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("autoresponder")
        verbose_name_plural = _("autoresponders")

    def __str__(self) -> str:
        return str(self.store)

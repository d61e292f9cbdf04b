"""Texts that a person sends by hand."""

from __future__ import annotations

import uuid
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.suppression import suppressed_numbers
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging import spending
from smsflow_plugin.messaging.choosing import choose
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.parts import count_parts, to_gsm
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.nudge import nudge
from smsflow_plugin.stores.models import Connection, Store

#: Longer texts are refused by gateways, or cost more than anybody expects of a test.
MAX_LENGTH = 1000


class SendTestText(BaseAction):  # type: ignore[misc]
    """Put a text to one number into the outbox of a store.

    :param instance: the store.
    :param to: the number as somebody types it; without a prefix it is of the store's country.
    :param body: the text, sent as it stands.
    :param key: makes the text unique, so that a form sent twice is one text.
    :param sender: from which of the store's numbers and names; empty: from the one that would text this number.
    :param media_url: the public address of a picture that goes with it.
    """

    action_name = "send_test_text"
    permission_policy_action = "add"

    def __init__(
        self,
        instance: Store,
        user: Any = None,
        *,
        to: str,
        body: str,
        key: str = "",
        sender: str = "",
        media_url: str = "",
    ) -> None:
        super().__init__(instance, user=user)
        self.to = to
        self.sender = sender
        self.body = body.strip()
        self.media_url = media_url
        self.key = f"test:{key or uuid.uuid4()}"

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Message)
        return bool(policy.user_has_permission_for_instance(self.user, "add", Message(store=self.instance)))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Message:
        """Queue the text and return it.

        :raises ValidationError: with a sentence for the field ``to`` or ``body``, or for the form,
            when the text cannot or must not be sent.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        self._check_store()
        number = parse_number(self.to, self.instance.country)
        if not self.body:
            raise ValidationError({"body": _("Write a text.")})
        contact = Contact.objects.select_for_update().filter(store=self.instance, phone=number).first()
        if contact and Contact.Consent.REVOKED in (contact.marketing_consent, contact.service_consent):
            raise ValidationError({"to": _("This number has opted out of the texts of this store.")})
        # whoever was erased has no contact any more that could say so
        if suppressed_numbers([(self.instance.pk, number)]):
            raise ValidationError({"to": _("This number is on the suppression list of this store.")})
        message, created = Message.objects.get_or_create(
            store=self.instance, key=self.key, defaults=self._values(number, contact)
        )
        if created:
            spent = (self.instance.pk, self.instance.timezone, message.message_class, message.cost, message.parts)
            spending.count_texts([spent], clock.now())
            nudge("dispatch")
            log(
                instance=message,
                action="smsflow.send_test_text",
                user=self.user,
                timestamp=clock.now(),
                data={"to": number},
            )
        return message

    def _check_store(self) -> None:
        if self.instance.status != Store.Status.ACTIVE:
            raise ValidationError(_("Nothing is sent for this store, because it is not active."))
        if not Connection.objects.filter(store=self.instance, kind__in=smsflow_settings.GATEWAYS).exists():
            raise ValidationError(_("Connect the store to a gateway first."))

    def _values(self, number: str, contact: Contact | None) -> dict[str, Any]:
        body = to_gsm(self.body)
        parts = count_parts(body)
        price = spending.price_list([self.instance])
        priced = price(self.instance.pk, number, parts.parts, contact.country if contact else "")
        return {
            **priced._asdict(),
            "contact": contact,
            "purpose": "test",
            "message_class": Message.Class.SERVICE,
            "sender": self._sender(priced.country, contact),
            "to": number,
            "body": body,
            "media_url": self.media_url,
            "parts": parts.parts,
            "encoding": parts.encoding,
        }

    def _sender(self, country: str, contact: Contact | None) -> str:
        senders = senders_of([self.instance])[self.instance.pk]
        if self.sender:
            named = senders.named(self.sender)
            if named is None:
                raise ValidationError(_("This sender is none of the store's."))
            return named.address
        sticky = contact.sender if contact else ""
        kind, picture = Message.Class.SERVICE.value, bool(self.media_url)
        return choose(senders, message_class=kind, country=country, sticky=sticky, picture=picture).address


def parse_number(text: str, country: str) -> str:
    """Return ``text`` as an E.164 number.

    :raises ValidationError: for the field ``to``, if nobody can have that number.
    """
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValidationError(
            {"to": _("This is not a phone number. Write it with its country prefix, for example +45 or +1.")}
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

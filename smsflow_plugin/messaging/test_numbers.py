"""Numbers of people who work in a store, proved by a code, to which texts of a draft are sent for a look."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.messaging.actions import MAX_LENGTH, SendTestText, parse_number
from smsflow_plugin.messaging.models import Message, TestNumber
from smsflow_plugin.stores.models import Store

CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=10)
MAX_WRONG_CODES = 5
#: Between two codes to one number.
CODE_PAUSE = timedelta(minutes=1)
#: Codes of one store in a day, and to one number: nobody is pestered through us.
CODES_PER_DAY, CODES_PER_NUMBER = 20, 5
#: Test texts of one store in an hour.
TESTS_PER_HOUR = 60


class _TestNumberAction(BaseAction):  # type: ignore[misc]
    """Asks for the right to send texts by hand in the number's store."""

    permission_policy_action = "add"

    @property
    def store(self) -> Store:
        store: Store = self.instance.store
        return store

    def user_has_permission(self) -> bool:
        return SendTestText(self.store, self.user, to="", body="").user_has_permission()

    def log(self) -> None:
        log(
            instance=self.instance,
            action=f"smsflow.{self.action_name}",
            user=self.user,
            timestamp=clock.now(),
            data={"number": self.instance.phone},
        )


class AddTestNumber(_TestNumberAction):
    """Send a code to a number, new or not proved yet.

    :param instance: the store.
    """

    action_name = "add_test_number"

    def __init__(self, instance: Store, user: Any = None, *, phone: str, label: str = "") -> None:
        super().__init__(instance, user=user)
        self.phone = phone
        self.label = label

    @property
    def store(self) -> Store:
        store: Store = self.instance
        return store

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> TestNumber:
        """Queue the code and return the number.

        :raises ValidationError: with a sentence for ``to`` or for the form, if no code can be sent there now.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        store = self.store
        # one at a time in a store: two requests at once would both pass the limits
        Store.objects.select_for_update().get(pk=store.pk)
        number, created = TestNumber.objects.get_or_create(
            store=store, phone=parse_number(self.phone, store.country), defaults=self._values()
        )
        if number.verified_at:
            raise ValidationError({"to": _("This number is verified already.")})
        self._check_limits(number, created)
        now, code = clock.now(), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        number.code_hash = make_password(code)
        number.code_sent_at, number.wrong_codes = now, 0
        number.label = self.label or number.label
        number.save()
        self._send(number, code)
        self.instance = number
        self.log()
        return number

    def log(self) -> None:
        log(
            instance=self.instance,
            action="smsflow.add_test_number",
            user=self.user,
            timestamp=clock.now(),
            data={"number": self.instance.phone},
        )

    def _values(self) -> dict[str, str]:
        return {"added_by": self.user.get_username() if self.user else ""}

    def _check_limits(self, number: TestNumber, created: bool) -> None:
        now = clock.now()
        if not created and number.code_sent_at and number.code_sent_at > now - CODE_PAUSE:
            raise ValidationError(_("A code was sent just now. Wait a minute before you ask for another."))
        codes = Message.objects.filter(
            store=number.store, key__startswith="test:code:", queued_at__gt=now - timedelta(days=1)
        )
        if codes.count() >= CODES_PER_DAY or codes.filter(to=number.phone).count() >= CODES_PER_NUMBER:
            raise ValidationError(_("Too many codes were sent today. Try again tomorrow."))

    def _send(self, number: TestNumber, code: str) -> None:
        body = _("%(brand)s: your code is %(code)s. It is for test texts; tell it to nobody.") % {
            "brand": number.store.brand or number.store.name,
            "code": code,
        }
        key = f"code:{number.pk}:{number.code_sent_at:%Y%m%d%H%M%S%f}"
        SendTestText(number.store, self.user, to=number.phone, body=body, key=key).execute(skip_permission_checks=True)


class VerifyTestNumber(_TestNumberAction):
    """Prove a number by the code that was sent to it."""

    action_name = "verify_test_number"

    def __init__(self, instance: TestNumber, user: Any = None, *, code: str) -> None:
        super().__init__(instance, user=user)
        self.code = code.replace(" ", "")

    def execute(self, skip_permission_checks: bool = False) -> TestNumber:
        """Mark the number as verified and return it.

        :raises ValidationError: with a sentence for ``code``, if it is not that code, or no longer.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        with transaction.atomic():
            # guesses wait for each other; a wrong one is counted although it is refused
            number = TestNumber.objects.select_for_update().select_related("store").get(pk=self.instance.pk)
            refusal = self._refusal(number)
            if refusal is None:
                number.verified_at, number.code_hash = clock.now(), ""
            number.save()
        if refusal is not None:
            raise ValidationError({"code": refusal})
        self.instance = number
        self.log()
        return number

    def _refusal(self, number: TestNumber) -> str | None:
        if number.verified_at:
            return None
        if not number.code_hash or not number.code_sent_at or clock.now() > number.code_sent_at + CODE_LASTS:
            return _("This code is no longer good. Ask for a new one.")
        if number.wrong_codes >= MAX_WRONG_CODES:
            return _("The code was wrong too often. Ask for a new one.")
        if not check_password(self.code, number.code_hash):
            number.wrong_codes += 1
            return _("This is not the code.")
        return None


class RemoveTestNumber(_TestNumberAction):
    action_name = "remove_test_number"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> None:
        self.check(skip_permission_checks=skip_permission_checks)
        self.log()
        self.instance.delete()


class SendToTestNumber(BaseAction):  # type: ignore[misc]
    """Put texts into the outbox for a verified number.

    :param instance: the number.
    :param bodies: the texts as they are to arrive.
    :param key: makes the texts unique, so that a form sent twice sends once.
    :param pictures: the public addresses of their pictures, "" for none; all may be missing.

    The caller has asked whether the person may see these texts.
    """

    action_name = "send_to_test_number"
    permission_policy_action = "add"

    def __init__(
        self,
        instance: TestNumber,
        user: Any = None,
        *,
        bodies: list[str],
        key: str,
        pictures: Sequence[str] = (),
    ) -> None:
        super().__init__(instance, user=user)
        self.bodies = bodies
        self.pictures = pictures or [""] * len(bodies)
        self.key = key

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> list[Message]:
        """Queue the texts and return them.

        :raises ValidationError: if the number is not verified, has opted out, or too much was sent.
        """
        number = self.instance
        if (
            not skip_permission_checks
            and not SendTestText(number.store, self.user, to="", body="").user_has_permission()
        ):
            self.check()
        if not number.verified_at:
            raise ValidationError(_("This number is not verified."))
        Store.objects.select_for_update().get(pk=number.store_id)
        lately = Message.objects.filter(
            store=number.store_id, purpose="test", queued_at__gt=clock.now() - timedelta(hours=1)
        )
        if lately.count() + len(self.bodies) > TESTS_PER_HOUR:
            raise ValidationError(_("Too many test texts were sent in the last hour. Wait a while."))
        if any(len(body) > MAX_LENGTH for body in self.bodies):
            raise ValidationError(_("A text is longer than %(limit)d characters.") % {"limit": MAX_LENGTH})
        return [
            SendTestText(
                number.store, self.user, to=number.phone, body=body, key=f"{self.key}:{position}", media_url=picture
            ).execute(skip_permission_checks=True)
            for position, (body, picture) in enumerate(zip(self.bodies, self.pictures, strict=True))
        ]

"""E-mails of flows, through the site's own e-mail backend: to people who agreed to them, and to staff."""

from __future__ import annotations

import smtplib
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.validators import validate_email
from django.utils.html import format_html, linebreaks, urlize
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.performing import Failed, Job
from smsflow_plugin.integrations.outgoing.unsubscribing import link
from smsflow_plugin.stores.models import Store


def to_person(job: Job) -> Any:
    """Write to the person, if they agreed to e-mails; with a link that ends them."""
    contact = job.contact
    problem = refusal(contact, job.message_class)
    if problem:
        raise Failed(problem)
    address = link(contact)
    with override(job.payload.get("language") or job.store.language):
        bye = _("No more e-mails like this: %(link)s") % {"link": address}
    message = EmailMessage(
        subject=_one_line(job.payload.get("subject")),
        body=f"{job.payload.get('body') or ''}\n\n--\n{job.store.brand}\n{bye}\n",
        from_email=_sender(job.store),
        to=[contact.email],
        reply_to=_reply_to(job.store),
        # one click in the mail program (RFC 8058)
        headers={"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
    return _send(message)


def to_staff(job: Job) -> Any:
    """Write to the people who run the store, as text and as HTML that says the same."""
    to = [address for address in job.payload.get("to") or () if _is_address(address)]
    if not to:
        raise Failed(_("There is no address to write to."))
    body = str(job.payload.get("body") or "")
    message = EmailMultiAlternatives(
        subject=_one_line(job.payload.get("subject")),
        body=body,
        from_email=_sender(job.store),
        to=to,
    )
    html = job.payload.get("html") or _as_html(body, job.store.language)
    message.attach_alternative(str(html), "text/html")
    return _send(message)


def refusal(contact: Contact, message_class: str) -> str:
    """Return why the person gets no e-mail of this class, or an empty string."""
    if not _is_address(contact.email):
        return _("The person has no e-mail address.")
    if contact.email_consent == Contact.Consent.REVOKED:
        return _("The person wants no e-mails.")
    if message_class != "service" and contact.email_consent != Contact.Consent.GRANTED:
        return _("The person has not agreed to e-mails.")
    return ""


def _as_html(body: str, language: str) -> SafeString:
    """Return a letter with its paragraphs and links, and nothing in it that somebody wrote as HTML."""
    paragraphs = SafeString(linebreaks(urlize(body, autoescape=True)))
    page = '<!doctype html><html lang="{}"><body style="font-family: sans-serif; line-height: 1.5">{}</body></html>'
    return format_html(page, language, paragraphs)


def _send(message: EmailMessage) -> Any:
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise Failed(_("The address was refused.")) from error
    except smtplib.SMTPException as error:
        # the server may have taken it before the connection broke: only a clear refusal is safe to repeat
        temporary = isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 500
        raise Failed(f"{type(error).__name__}: {error}", again=temporary) from error
    except ConnectionRefusedError as error:
        raise Failed(_("The mail server cannot be reached."), again=True) from error
    return {"sent": True}


def _sender(store: Store) -> str:
    """Return the site's own address under the store's name: only that one is allowed to send."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((_one_line(store.brand), address))


def _reply_to(store: Store) -> list[str]:
    return [store.help_contact] if _is_address(store.help_contact) else []


def _one_line(text: object) -> str:
    # a line break in a header would be a header of its own
    return " ".join(str(text or "").split())


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True

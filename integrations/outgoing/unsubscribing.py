"""The link under every e-mail with which a person ends them, without logging in."""

from __future__ import annotations

from django.core import signing
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from smsflow_plugin import clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import Consent, Proof
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conf import smsflow_settings

_SALT = "smsflow.unsubscribe"


def link(contact: Contact) -> str:
    """Return the address of the page on which this person ends their e-mails."""
    token = signing.dumps(str(contact.uuid), salt=_SALT)
    return f"{smsflow_settings.PUBLIC_URL}{reverse('smsflow:outgoing:unsubscribe', args=(token,))}"


# mail programs post without a cookie (RFC 8058); the signed token says who it is
@csrf_exempt
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask first: link scanners open every link of an e-mail. A post ends the e-mails."""
    try:
        uuid = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise Http404 from None
    contact = Contact.objects.select_related("store").filter(uuid=uuid).first()
    if contact is None:
        raise Http404
    if request.method == "POST":
        end_emails(contact)
    done = contact.email_consent == Contact.Consent.REVOKED
    return render(request, "smsflow_outgoing/unsubscribe.html", {"store": contact.store, "done": done})


def end_emails(contact: Contact) -> None:
    """Record that the person wants no more e-mails. Saying so twice changes nothing."""
    now = clock.now()
    with transaction.atomic():
        locked = Contact.objects.select_for_update().get(pk=contact.pk)
        if locked.email_consent == Contact.Consent.REVOKED:
            contact.email_consent = locked.email_consent
            return
        locked.email_consent = Contact.Consent.REVOKED
        key = f"email:{locked.uuid}:{now.isoformat()}"
        consent = Consent("revoked", "email", "email_link", now, key, own_words=True, proof=Proof(channel="email"))
        ledger.append([ledger.Statement(locked, consent)], now)
        locked.save(update_fields=["email_consent", "ledger_head"])
    contact.email_consent = Contact.Consent.REVOKED

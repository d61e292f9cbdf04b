"""The link with which a person comes to their own page, from any text and without logging in.

It says nothing of them but which contact it is, and works for as long as the contact is there: it also
stands in texts of long ago.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conf import smsflow_settings

_SALT = "smsflow.preferences"


def preference_url(contact: Contact) -> str:
    """Return the address of the person's own page."""
    path = reverse("smsflow:preferences", args=(preference_token(contact),))
    return f"{smsflow_settings.PUBLIC_URL}{path}"


def preference_token(contact: Contact) -> str:
    # short, as it stands in texts: 22 characters for the contact, and the signature
    name = urlsafe_b64encode(contact.uuid.bytes).rstrip(b"=").decode()
    return Signer(salt=_SALT).sign(f"{contact.store_id}.{name}").replace(":", "~")


def contact_of(token: str) -> Contact | None:
    """Return whose link it is, or None if it is nobody's."""
    try:
        store_id, _dot, name = Signer(salt=_SALT).unsign(token.replace("~", ":")).partition(".")
        uuid = UUID(bytes=urlsafe_b64decode(name + "=="))
    except (BadSignature, ValueError):
        return None
    return Contact.objects.select_related("store").filter(uuid=uuid, store_id=store_id).first()

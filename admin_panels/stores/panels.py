"""Parts of the store's form that show something instead of asking for it."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList, Panel, TabbedInterface

from smsflow_plugin.admin_panels.stores.forms import (
    CONVERSATION_FIELDS,
    OPERATOR_ORIGINS,
    SHOPIFY_FIELDS,
    SINCH_FIELDS,
    StoreForm,
)
from smsflow_plugin.admin_panels.stores.link_fields import CREDIT_FIELDS, LINK_FIELDS
from smsflow_plugin.admin_panels.stores.sender_words import sender_warning
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.country_rules import as_of, rules_of
from smsflow_plugin.models import Connection, Store, StoreMembership


def vendor_address(kind: str, connection: Connection | None) -> str:
    """Return the address that the vendor must call; empty while there is none."""
    try:
        if kind == "shopify":
            path = reverse("smsflow:shopify:webhooks")
        elif connection is not None:
            path = reverse(f"smsflow:{kind}:callbacks", args=(connection.token,))
        else:
            return ""
    except NoReverseMatch:
        # the site has not included smsflow_plugin.urls
        return ""
    return f"{smsflow_settings.PUBLIC_URL}{path}"


class AddressPanel(Panel):  # type: ignore[misc]
    """The address to enter at the vendor, with a button that copies it."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def clone_kwargs(self) -> dict[str, Any]:
        return {**super().clone_kwargs(), "kind": self.kind}

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "smsflow/stores/address.html"

        def is_shown(self) -> bool:
            return bool(self.form.may(Connection))

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            connection = self.form.connections.get(self.panel.kind)
            context["address"] = vendor_address(self.panel.kind, connection)
            context["connected"] = connection is not None
            context["kind"] = self.panel.kind
            return context


class WebhookSecretPanel(Panel):  # type: ignore[misc]
    """The secret with which other systems check that a flow's webhook is from this store."""

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "smsflow/stores/webhook_secret.html"

        def is_shown(self) -> bool:
            return self.instance.pk is not None and bool(self.form.may(Connection))

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            connection = self.form.connections.get("webhook")
            context["secret"] = connection.secrets.get("secret", "") if connection else ""
            return context


class PeoplePanel(Panel):  # type: ignore[misc]
    """Who works in the store, with the way to the page where that is changed."""

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "smsflow/stores/people_panel.html"

        def is_shown(self) -> bool:
            return self.instance.pk is not None and bool(self.form.may(StoreMembership))

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            memberships = self.instance.memberships.select_related("user", "role")
            context["memberships"] = memberships.order_by("role__name", "pk")
            context["people_url"] = reverse("smsflow_stores:people", args=(self.instance.pk,))
            return context


class SenderPanel(Panel):  # type: ignore[misc]
    """Says so if texts from the store's sender do not suit its country."""

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "smsflow/stores/sender.html"

        def is_shown(self) -> bool:
            return self.instance.pk is not None and bool(sender_warning(self.instance))

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["warning"] = sender_warning(self.instance)
            context["source"], context["as_of"] = rules_of(self.instance.country).source, as_of()
            return context


def _fields(names: tuple[str, ...]) -> list[FieldPanel]:
    return [FieldPanel(name) for name in names]


STORE_PANELS = TabbedInterface(
    [
        ObjectList(
            [
                MultiFieldPanel(_fields(("name", "brand", "website", "status")), heading=_("Store")),
                MultiFieldPanel(
                    _fields(("country", "timezone", "language", "currency")), heading=_("Where its customers are")
                ),
                MultiFieldPanel(_fields(("sender", "help_contact")), heading=_("Texts")),
                SenderPanel(heading=_("Sender and country")),
            ],
            heading=_("Store"),
        ),
        ObjectList(
            [
                MultiFieldPanel(_fields(LINK_FIELDS), heading=_("Short links")),
                MultiFieldPanel(_fields(CREDIT_FIELDS), heading=_("What an order is credited to")),
            ],
            heading=_("Links and credit"),
        ),
        ObjectList(
            [
                MultiFieldPanel(_fields(SHOPIFY_FIELDS), heading=_("Shop")),
                AddressPanel("shopify", heading=_("Webhook address")),
            ],
            heading=_("Shopify"),
        ),
        ObjectList(
            [
                MultiFieldPanel(_fields((*SINCH_FIELDS, "sinch_base_url")), heading=_("SMS API: service plan")),
                AddressPanel("sinch", heading=_("Callback address of the service plan")),
                MultiFieldPanel(
                    _fields(CONVERSATION_FIELDS + OPERATOR_ORIGINS), heading=_("Conversation API: project and app")
                ),
                AddressPanel("sinch_conversation", heading=_("Webhook address of the app")),
            ],
            heading=_("Sinch"),
        ),
        ObjectList([WebhookSecretPanel(heading=_("Webhooks of flows"))], heading=_("Other systems")),
        ObjectList([PeoplePanel(heading=_("People"))], heading=_("People")),
    ],
    base_form_class=StoreForm,
).bind_to_model(Store)

"""How landing pages and their folders are edited."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    CommentPanel,
    FieldPanel,
    HelpPanel,
    MultiFieldPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
    TitleFieldPanel,
)

from smsflow_plugin.admin_panels.landing.forms import LandingFolderForm, LandingPageForm, OwnFormChooser


class AddressPanel(HelpPanel):  # type: ignore[misc]
    """Shows the address to put into texts, once the page has one."""

    class BoundPanel(HelpPanel.BoundPanel):  # type: ignore[misc]
        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            saved = self.instance.pk is not None
            return {**context, "address": self.instance.address if saved else "", "live": saved and self.instance.live}


def page_handler() -> TabbedInterface:
    content = [
        TitleFieldPanel("title", classname="title", help_text=_("The headline.")),
        AddressPanel(template="smsflow/landing/address.html", heading=_("Address for texts"), icon="link"),
        FieldPanel("introduction"),
        FieldPanel("image"),
        MultiFieldPanel(
            [FieldPanel("offer"), FieldPanel("discount_code"), FieldPanel("shop_link"), FieldPanel("button")],
            heading=_("Offer"),
            icon="tag",
        ),
        FieldPanel("body"),
        FieldPanel("form", widget=OwnFormChooser),
    ]
    settings = [PublishingPanel(), FieldPanel("slug"), FieldPanel("seo_title"), CommentPanel()]
    return TabbedInterface(
        [ObjectList(content, heading=_("Content")), ObjectList(settings, heading=_("Settings"))],
        base_form_class=LandingPageForm,
    )


def folder_handler() -> ObjectList:
    return ObjectList(
        [TitleFieldPanel("title"), FieldPanel("store"), FieldPanel("slug"), CommentPanel()],
        base_form_class=LandingFolderForm,
    )

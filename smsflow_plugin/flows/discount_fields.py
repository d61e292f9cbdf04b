"""The form of the step that makes a discount code."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.flows.variant_blocks import share_block, variants_block

DISCOUNT_CHOICES = [("percent", _("Percent")), ("amount", _("Amount")), ("shipping", _("Free shipping"))]


class OfferBlock(blocks.StructBlock):
    """Another discount, for some of the people."""

    weight = share_block(_("Everybody else is offered what the step says."))
    kind = blocks.ChoiceBlock(choices=DISCOUNT_CHOICES, default="percent", label=_("Kind"))
    amount = blocks.DecimalBlock(
        required=False, min_value=0, label=_("How much"), help_text=_("Free shipping needs none.")
    )

    class Meta:
        icon = "tag"
        label = _("Offer")
        label_format = _("or {amount} {kind} ({weight} %)")


def discount_fields() -> list[tuple[str, blocks.Block]]:
    """Return the fields, by name. They are the same at every level of nesting."""
    return [
        (
            "name",
            blocks.CharBlock(
                max_length=40,
                default="discount",
                label=_("Name"),
                help_text=_(
                    "Texts call the code by it: {{ codes.discount | default: '' }}. How much it takes off is "
                    "{{ offers.discount | default: '' }}."
                ),
            ),
        ),
        ("kind", blocks.ChoiceBlock(choices=DISCOUNT_CHOICES, default="percent", label=_("Kind"))),
        ("amount", blocks.DecimalBlock(required=False, min_value=0, default=10, label=_("How much"))),
        (
            "minimum",
            blocks.DecimalBlock(
                required=False,
                min_value=0,
                label=_("For orders of at least"),
                help_text=_("In the store's currency. Empty means any order."),
            ),
        ),
        ("valid_days", blocks.IntegerBlock(min_value=1, max_value=3650, default=7, label=_("Valid for so many days"))),
        (
            "prefix",
            blocks.CharBlock(
                required=False, max_length=12, label=_("Code starts with"), help_text=_("For example “ADA-”.")
            ),
        ),
        (
            "variants",
            variants_block(
                OfferBlock(),
                _("Other offers to try"),
                _(
                    "The step's own is A, and these are B, C and D. Who is offered what is a matter of chance; the "
                    "same person is always offered the same. Write {{ offers.discount }} in texts, and no number. "
                    "Where kinds differ, texts can ask for offer_kinds.discount: it is percent, amount or shipping."
                ),
            ),
        ),
    ]

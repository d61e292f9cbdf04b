"""The forms of the steps that do something other than texting: to the person, in other systems, at the end."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.flows.copy_blocks import EmailTranslationBlock, mail_block, translations_block
from smsflow_plugin.flows.store_choosers import FlowChooserBlock

PERSON, SYSTEMS, END = _("Person"), _("Other systems"), _("End")


class TagStepBlock(blocks.StructBlock):
    """A tag, given or taken away."""

    action = blocks.ChoiceBlock(
        choices=[("add", _("Add")), ("remove", _("Take away"))], default="add", label=_("What to do")
    )
    tag = blocks.CharBlock(max_length=100, label=_("Tag"))

    class Meta:
        icon = "tag"
        label = _("Tag the person")
        label_format = "{action}: {tag}"
        group = PERSON
        description = _("Adds a tag to the person, or takes it away. Other flows can start on it.")


class SetFieldBlock(blocks.StructBlock):
    """A value for one of the contact's own fields."""

    name = blocks.CharBlock(max_length=60, label=_("Field"), help_text=_("For example “size”."))
    value = blocks.CharBlock(required=False, max_length=200, label=_("Value"), help_text=_("Empty clears the field."))
    source = blocks.CharBlock(
        required=False,
        max_length=120,
        label=_("Or take the value from"),
        help_text=_("For example “answers.size” or “trigger.order.name”. Then the value above does not count."),
    )

    class Meta:
        icon = "edit"
        label = _("Set a field")
        label_format = "{name}: {value} {source}"
        group = PERSON
        description = _("Remembers something about the person, for rules and for other flows.")
        form_layout = blocks.BlockGroup(children=["name", "value"], settings=["source"])


class AgreeBlock(blocks.StructBlock):
    """The answer just given is an opt-in."""

    class Meta:
        icon = "check"
        label = _("Record agreement to marketing texts")
        group = PERSON
        description = _(
            "Takes the answer just given as a yes to marketing texts. It stands inside the way of that answer."
        )


class HandOverBlock(blocks.StructBlock):
    """A person for staff."""

    note = blocks.CharBlock(
        required=False, max_length=200, label=_("Note"), help_text=_("Tells staff what this is about.")
    )

    class Meta:
        icon = "user"
        label = _("Hand over to staff")
        label_format = "{note}"
        group = PERSON
        description = _("Stops all flows for this person until somebody on the staff lets them go on.")


class NotifyBlock(blocks.StructBlock):
    """An e-mail to staff."""

    to = blocks.CharBlock(
        required=False,
        max_length=400,
        label=_("To"),
        help_text=_("E-mail addresses, with commas between them. Empty means the owner of the flow."),
    )
    subject = blocks.CharBlock(max_length=200, label=_("Subject"))
    body = mail_block(label=_("Text"))

    class Meta:
        icon = "mail"
        label = _("Tell staff by e-mail")
        label_format = "{subject}"
        group = SYSTEMS
        description = _("Sends an e-mail to people who work for the store.")


class EmailBlock(blocks.StructBlock):
    """An e-mail to the person."""

    subject = blocks.CharBlock(max_length=200, label=_("Subject"))
    body = mail_block(label=_("Text"), help_text=_("Sent only to people who agreed to e-mails."))
    translations = translations_block(EmailTranslationBlock())

    class Meta:
        icon = "mail"
        label = _("Send an e-mail")
        label_format = "{subject}"
        group = SYSTEMS
        description = _("Sends an e-mail to the person, if they agreed to e-mails.")


class GoToBlock(blocks.StructBlock):
    """Another flow."""

    flow = FlowChooserBlock(label=_("Flow"), help_text=_("A flow of the same store."))
    leave = blocks.BooleanBlock(required=False, default=True, label=_("This flow ends here"))

    class Meta:
        icon = "link"
        label = _("Go to another flow")
        label_format = "{flow}"
        group = END
        description = _("Lets the person into another flow of the store.")


class GoalBlock(blocks.StructBlock):
    """What the flow is for has been reached."""

    name = blocks.CharBlock(required=False, max_length=80, label=_("Name"), help_text=_("Shown in the figures."))
    leave = blocks.BooleanBlock(required=False, default=False, label=_("The flow ends here"))

    class Meta:
        icon = "success"
        label = _("Goal reached")
        label_format = "{name}"
        group = END
        description = _("Counts that the flow has reached what it is for.")


class ExitBlock(blocks.StructBlock):
    """The end, before the end."""

    reason = blocks.CharBlock(
        required=False, max_length=120, label=_("Reason"), help_text=_("Shown on the person's timeline.")
    )

    class Meta:
        icon = "logout"
        label = _("Leave the flow")
        label_format = "{reason}"
        group = END
        description = _("Ends the flow for this person here.")


def action_steps() -> list[tuple[str, blocks.Block]]:
    """Return one instance of each of these steps."""
    return [
        ("tag", TagStepBlock()),
        ("set_field", SetFieldBlock()),
        ("agree", AgreeBlock()),
        ("hand_over", HandOverBlock()),
        ("email", EmailBlock()),
        ("notify", NotifyBlock()),
        ("go_to", GoToBlock()),
        ("goal", GoalBlock()),
        ("exit", ExitBlock()),
    ]

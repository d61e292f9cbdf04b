"""The editor's form: drafts may be half finished, what is published must compile."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    MultiFieldPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
)

from smsflow_plugin.admin_panels.flows.audience_count import AudienceCountPanel
from smsflow_plugin.admin_panels.flows.errors import field_errors
from smsflow_plugin.admin_panels.flows.names_panel import NamesPanel
from smsflow_plugin.admin_panels.flows.owners import OwnerFormMixin
from smsflow_plugin.admin_panels.scoping import StoreScopedForm
from smsflow_plugin.events.kinds import kind_choices
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.portable import detach
from smsflow_plugin.flows.problems import CannotCompile


class FlowForm(OwnerFormMixin, StoreScopedForm):
    """Compiles what is to be published, and shows what is wrong where it is wrong."""

    exits = forms.MultipleChoiceField(
        label=_("Leave when"),
        choices=kind_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Whoever does one of these leaves the flow at once."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "when_conclusive" in self.fields:
            # a page that was open before there was this field, and a script, leave it as it is
            self.fields["when_conclusive"].required = False

    def _post_clean(self) -> None:
        super()._post_clean()
        # who works in several stores may have chosen what those who see only this one must not know of
        detach(self.instance, self.instance.store_id or 0)
        if self.is_deferred_validation or self.errors:
            return
        try:
            compile_flow(self.instance)
        except CannotCompile as refusal:
            for field, error in field_errors(self.instance, refusal.problems).items():
                self.add_error(field if field in self.fields else None, error)


edit_handler = TabbedInterface(
    [
        ObjectList(
            [
                MultiFieldPanel(
                    [FieldRowPanel([FieldPanel("name", required_on_save=True), FieldPanel("store")])], heading=_("Flow")
                ),
                FieldPanel("triggers"),
                FieldPanel("audience", heading=_("Who may enter")),
                AudienceCountPanel(heading=_("Who matches now")),
                FieldPanel("leave_unmatched"),
                MultiFieldPanel(
                    [FieldRowPanel([FieldPanel("reentry"), FieldPanel("reentry_days")]), FieldPanel("restart")],
                    heading=_("The same person again"),
                ),
            ],
            heading=_("When and who"),
        ),
        ObjectList(
            [
                FieldPanel("steps"),
                NamesPanel(heading=_("Names that texts can use"), classname="collapsed"),
            ],
            heading=_("Steps and words"),
        ),
        ObjectList(
            [
                FieldPanel("message_class"),
                FieldPanel("exits"),
                MultiFieldPanel(
                    [
                        HelpPanel(
                            content=_(
                                "When two flows want to text the same person, the one that stands first goes first."
                            )
                        ),
                        FieldRowPanel([FieldPanel("priority"), FieldPanel("priority_number")]),
                    ],
                    heading=_("Who goes first"),
                ),
                MultiFieldPanel(
                    [
                        HelpPanel(
                            content=_(
                                "The store's rules hold for every flow. What is set here only makes them tighter."
                            )
                        ),
                        FieldRowPanel([FieldPanel("stage"), FieldPanel("when_blocked")]),
                        FieldRowPanel([FieldPanel("cap_day"), FieldPanel("cap_week")]),
                        FieldPanel("own_gap"),
                    ],
                    heading=_("Limits"),
                ),
                MultiFieldPanel(
                    [FieldRowPanel([FieldPanel("entry_limit"), FieldPanel("entry_unit")]), FieldPanel("max_people")],
                    heading=_("How many enter"),
                ),
                PublishingPanel(),
            ],
            heading=_("Rules"),
        ),
        ObjectList(
            [
                MultiFieldPanel([FieldPanel("goal"), FieldPanel("goal_leaves")], heading=_("Goal")),
                MultiFieldPanel([FieldPanel("holdout")], heading=_("Holdout")),
                MultiFieldPanel([FieldPanel("when_conclusive")], heading=_("Tests of this flow")),
                MultiFieldPanel(
                    [
                        HelpPanel(
                            content=_(
                                "What the flow is to reach. The pages with figures say whether it does, and name a "
                                "live flow that clearly does not. Targets count once the flow is published; changing "
                                "one makes no new version."
                            )
                        ),
                        FieldRowPanel([FieldPanel("target_conversion"), FieldPanel("target_revenue")]),
                        FieldRowPanel([FieldPanel("target_clicks"), FieldPanel("target_opt_outs")]),
                    ],
                    heading=_("Targets"),
                ),
                FieldPanel("owner"),
            ],
            heading=_("Goal"),
        ),
    ],
    base_form_class=FlowForm,
)

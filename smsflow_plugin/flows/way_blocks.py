"""The forms of the steps that hold other steps: questions, waits with two ends, ways.

Each is built anew for every level of nesting, around the one list of steps that all of
them share at that level. Everything that does not depend on the level is shared by all.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.events.kinds import kind_choices
from smsflow_plugin.flows.action_blocks import SYSTEMS
from smsflow_plugin.flows.condition_blocks import ConditionBlock
from smsflow_plugin.flows.copy_block import LinesBlock
from smsflow_plugin.flows.copy_blocks import CopyBlock, TranslationBlock, copy_block, fallback_block, translations_block
from smsflow_plugin.flows.discount_fields import discount_fields
from smsflow_plugin.flows.step_blocks import TEXTS, WAITING, amount_block, unit_block
from smsflow_plugin.flows.step_lists import StepListBlock, WayBlock

WAYS = _("Ways")
#: Options of one question, ways of one split.
MAX_WAYS = 10
SINCE_CHOICES = [
    ("entry", _("since the person entered: what came earlier counts")),
    ("wait", _("from now on only")),
]

Children = list[tuple[str, blocks.Block]]


class _Shared:
    """The blocks inside branching steps that are the same at every level."""

    def __init__(self) -> None:
        self.question: Children = [
            ("text", copy_block(label=_("Question"), help_text=_("Say in the text how to answer: “Reply A or B.”"))),
            ("fallback", fallback_block()),
            ("translations", translations_block(TranslationBlock())),
        ]
        self.amount = amount_block(_("Wait for the answer at most"))
        self.limit = amount_block(_("At most"))
        self.unit = unit_block()
        self.save_as = blocks.CharBlock(
            required=False,
            max_length=40,
            label=_("Remember the answer as"),
            help_text=_("A field of the person, for example “size”. Texts then call it {{ answers.size }}."),
        )
        self.score_as = blocks.CharBlock(
            required=False,
            max_length=40,
            label=_("Keep the points as"),
            help_text=_("A field of the person that holds a number, for example “nps”: averages are made of it."),
        )
        self.points = blocks.IntegerBlock(required=False, label=_("Points"))
        self.again = CopyBlock(
            label=_("If the answer makes no sense, say once"),
            help_text=_("For example “Sorry, please reply A or B.” Empty means that nothing is said."),
        )
        self.reply = CopyBlock(label=_("Reply at once"))
        self.value = blocks.CharBlock(
            required=False,
            max_length=100,
            label=_("Remember it as"),
            help_text=_("Empty means the first of the words, the number, or “yes” or “no”."),
        )
        self.tag = blocks.CharBlock(required=False, max_length=100, label=_("Tag the person"))
        self.condition = ConditionBlock(
            label=_("If all of these hold"),
            help_text=_("For “one of them is enough”, add the group “Any of these”."),
        )
        self.words = blocks.CharBlock(
            max_length=200,
            label=_("Words"),
            help_text=_(
                "What people may write, with commas between: A, blue. “Option A”, “the first one” and small typing "
                "mistakes are understood as well."
            ),
        )
        self.span: Children = [
            ("low", blocks.IntegerBlock(required=False, label=_("From"))),
            ("high", blocks.IntegerBlock(required=False, label=_("To"))),
        ]
        self.bounds: Children = [
            ("lowest", blocks.IntegerBlock(default=0, label=_("Lowest number"))),
            ("highest", blocks.IntegerBlock(default=10, label=_("Highest number"))),
        ]
        self.event = _event_fields()
        self.discount = discount_fields()
        self.webhook = _webhook_fields()


def _event_fields() -> tuple[blocks.Block, blocks.Block, blocks.Block]:
    events = blocks.MultipleChoiceBlock(
        choices=kind_choices, widget=forms.CheckboxSelectMultiple, label=_("One of these events")
    )
    since = blocks.ChoiceBlock(choices=SINCE_CHOICES, default="entry", label=_("What counts"))
    same_subject = blocks.BooleanBlock(
        required=False,
        label=_("Only about the same cart, order or appointment"),
        help_text=_("As what started the flow."),
    )
    return events, since, same_subject


def _webhook_fields() -> Children:
    return [
        ("url", blocks.CharBlock(max_length=500, label=_("Address"), help_text=_("It must start with https://."))),
        (
            "body",
            LinesBlock(
                required=False,
                max_length=2000,
                rows=4,
                label=_("Body"),
                help_text=_("JSON, with values in double braces. Empty means a standard description of the person."),
            ),
        ),
        (
            "save_as",
            blocks.CharBlock(
                required=False,
                max_length=40,
                label=_("Use the answer as"),
                help_text=_("Texts then call it {{ webhooks.name }}. Empty means that nobody waits for the answer."),
            ),
        ),
    ]


def _struct(children: Children, **meta: Any) -> blocks.StructBlock:
    return blocks.StructBlock(children, **meta)


class WaySteps:
    """Builds the branching steps of one level after another."""

    def __init__(self) -> None:
        self.shared = _Shared()

    def without_ways(self) -> Children:
        """Return the steps that can do without their ways, for the innermost level."""
        return [("discount", self._discount([])), ("webhook", self._webhook([]))]

    def around(self, steps: StepListBlock) -> Children:
        """Return the branching steps whose ways are ``steps``."""
        return [
            ("ask_choice", self._ask_choice(steps)),
            ("ask_yes_no", self._ask_yes_no(steps)),
            ("ask_number", self._ask_number(steps)),
            ("ask_text", self._ask_text(steps)),
            ("wait_for_event", self._wait_for_event(steps)),
            ("wait_for_reply", self._wait_for_reply(steps)),
            ("if_else", self._if_else(steps)),
            ("switch", self._switch(steps)),
            ("split", self._split(steps)),
            ("discount", self._discount([("failed", WayBlock(steps, label=_("If there is no code to be had")))])),
            ("webhook", self._webhook([("failed", WayBlock(steps, label=_("If it cannot be reached")))])),
        ]

    def _answered(self, steps: StepListBlock) -> Children:
        return [("reply", self.shared.reply), ("steps", WayBlock(steps, label=_("Then")))]

    def _ask_choice(self, steps: StepListBlock) -> blocks.StructBlock:
        option = _struct(
            [("words", self.shared.words), *self._kept(), *self._answered(steps)],
            icon="comment",
            label=_("Answer"),
            label_format="{words}",
            form_layout=blocks.BlockGroup(children=["words", "reply", "steps"], settings=["value", "tag", "points"]),
        )
        options = blocks.ListBlock(option, default=[{}, {}], max_num=MAX_WAYS, label=_("Answers"))
        return self._question(
            [("options", options)],
            self._nonsense(steps),
            steps,
            label=_("Ask with words to choose from"),
            description=_("Sends a question and goes a way of its own for each answer."),
        )

    def _ask_yes_no(self, steps: StepListBlock) -> blocks.StructBlock:
        def answer(label: Any) -> blocks.StructBlock:
            return _struct(
                [*self._kept(), *self._answered(steps)],
                label=label,
                form_layout=blocks.BlockGroup(children=["reply", "steps"], settings=["value", "tag", "points"]),
            )

        return self._question(
            [("yes", answer(_("If yes"))), ("no", answer(_("If no")))],
            self._nonsense(steps),
            steps,
            label=_("Ask for a yes or no"),
            description=_("Sends a question and understands yes and no in the person's language and in English."),
        )

    def _kept(self) -> Children:
        """Return what is kept of an answer beside the answer itself."""
        return [("value", self.shared.value), ("tag", self.shared.tag), ("points", self.shared.points)]

    def _ask_number(self, steps: StepListBlock) -> blocks.StructBlock:
        of_range = _struct(
            [*self.shared.span, *self._kept(), *self._answered(steps)],
            icon="order",
            label=_("Range"),
            label_format="{low} – {high}",
            form_layout=blocks.BlockGroup(
                children=["low", "high", "reply", "steps"], settings=["value", "tag", "points"]
            ),
        )
        ranges = blocks.ListBlock(of_range, default=[{}], max_num=MAX_WAYS, label=_("Ranges"))
        return self._question(
            [*self.shared.bounds, ("ranges", ranges)],
            self._nonsense(steps),
            steps,
            label=_("Ask for a number"),
            description=_("Sends a question that is answered with a number, such as a score from 0 to 10."),
        )

    def _ask_text(self, steps: StepListBlock) -> blocks.StructBlock:
        return self._question(
            self._answered(steps),
            [],
            steps,
            label=_("Ask for a text"),
            description=_("Sends a question and takes whatever the person writes as the answer."),
        )

    def _nonsense(self, steps: StepListBlock) -> Children:
        return [("again", self.shared.again), ("other", WayBlock(steps, label=_("If it still makes no sense")))]

    def _question(self, answers: Children, nonsense: Children, steps: StepListBlock, **meta: Any) -> blocks.StructBlock:
        shared = self.shared
        silence = WayBlock(steps, label=_("If there is no answer"))
        children = [
            *shared.question,
            *answers,
            ("save_as", shared.save_as),
            *([("score_as", shared.score_as)] if nonsense else []),
            *nonsense,
            ("amount", shared.amount),
            ("unit", shared.unit),
            ("silence", silence),
        ]
        rare = ["fallback", "translations", *(["score_as"] if nonsense else [])]
        shown = [name for name, _block in children if name not in rare]
        layout = blocks.BlockGroup(children=shown, settings=rare)
        return _struct(children, icon="help", label_format="{text}", group=TEXTS, form_layout=layout, **meta)

    def _wait_for_event(self, steps: StepListBlock) -> blocks.StructBlock:
        events, since, same_subject = self.shared.event
        return _struct(
            [
                ("events", events),
                ("amount", self.shared.limit),
                ("unit", self.shared.unit),
                ("since", since),
                ("same_subject", same_subject),
                ("happened", WayBlock(steps, label=_("When it happens"))),
                ("timed_out", WayBlock(steps, label=_("When the time is up"))),
            ],
            icon="history",
            label=_("Wait for an event"),
            label_format="{events} · {amount} {unit}",
            group=WAITING,
            description=_("Goes on when something happens, or when the time is up."),
            form_layout=blocks.BlockGroup(
                children=["events", "amount", "unit", "happened", "timed_out"], settings=["since", "same_subject"]
            ),
        )

    def _wait_for_reply(self, steps: StepListBlock) -> blocks.StructBlock:
        return _struct(
            [
                ("amount", self.shared.limit),
                ("unit", self.shared.unit),
                ("replied", WayBlock(steps, label=_("When they reply"))),
                ("silence", WayBlock(steps, label=_("When the time is up"))),
            ],
            icon="comment",
            label=_("Wait for a reply"),
            label_format="{amount} {unit}",
            group=WAITING,
            description=_(
                "Goes on when the person replies to the last text, whatever they write, or when the time is up."
            ),
        )

    def _if_else(self, steps: StepListBlock) -> blocks.StructBlock:
        return _struct(
            [
                ("condition", self.shared.condition),
                ("yes", WayBlock(steps, label=_("If yes"))),
                ("no", WayBlock(steps, label=_("If no"))),
            ],
            icon="list-ul",
            label=_("If / else"),
            label_format="{condition}",
            group=WAYS,
            description=_("Goes one of two ways."),
        )

    def _switch(self, steps: StepListBlock) -> blocks.StructBlock:
        way = _struct(
            [
                ("label", blocks.CharBlock(required=False, max_length=60, label=_("Name"))),
                ("condition", self.shared.condition),
                ("steps", WayBlock(steps, label=_("Then"))),
            ],
            icon="arrow-right",
            label=_("Way"),
            label_format="{label} {condition}",
        )
        return _struct(
            [
                ("ways", blocks.ListBlock(way, default=[{}, {}], max_num=MAX_WAYS, label=_("Ways"))),
                ("otherwise", WayBlock(steps, label=_("If none of them fits"))),
            ],
            icon="list-ol",
            label=_("Several ways"),
            label_format="{ways}",
            group=WAYS,
            description=_("Goes the first way whose rules hold."),
        )

    def _split(self, steps: StepListBlock) -> blocks.StructBlock:
        weight = blocks.IntegerBlock(
            min_value=1,
            max_value=100,
            default=50,
            label=_("Share"),
            help_text=_("50 and 50 means half of the people each."),
        )
        way = _struct(
            [
                ("label", blocks.CharBlock(required=False, max_length=60, label=_("Name"))),
                ("weight", weight),
                ("steps", WayBlock(steps, label=_("Then"))),
            ],
            icon="arrow-right",
            label=_("Way"),
            label_format="{weight} {label}",
        )
        return _struct(
            [("ways", blocks.ListBlock(way, default=[{}, {}], max_num=MAX_WAYS, label=_("Ways")))],
            icon="rotate",
            label=_("Split by chance"),
            label_format="{ways}",
            group=WAYS,
            description=_("Sends people different ways by chance. The same person always goes the same way."),
        )

    def _discount(self, failed: Children) -> blocks.StructBlock:
        children = [*self.shared.discount, *failed]
        rare = ["minimum", "prefix", "variants"]
        return _struct(
            children,
            icon="tag",
            label=_("Make a discount code"),
            label_format="{amount} {kind} {variants}",
            group=SYSTEMS,
            description=_("Makes a code for this person alone."),
            form_layout=blocks.BlockGroup(children=[n for n, _b in children if n not in rare], settings=rare),
        )

    def _webhook(self, failed: Children) -> blocks.StructBlock:
        children = [*self.shared.webhook, *failed]
        return _struct(
            children,
            icon="code",
            label=_("Tell another system"),
            label_format="{url}",
            group=SYSTEMS,
            description=_("Sends a signed request to another system. Texts can use its answer."),
            form_layout=blocks.BlockGroup(children=[n for n, _b in children if n != "body"], settings=["body"]),
        )

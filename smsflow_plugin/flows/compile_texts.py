"""Compiles what is said and asked: texts, questions, e-mails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.audience.replies import fold, reserved
from smsflow_plugin.flows.assembly import Branching, Step, plain, whole
from smsflow_plugin.flows.compile_variants import tried
from smsflow_plugin.flows.pictures import UnfitPicture
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.flows.program import Choice, Email, Jump, Listen, Send, Tag, Variant
from smsflow_plugin.flows.snippets import UnknownSnippet, expand
from smsflow_plugin.flows.ways import Item, items, phrases
from smsflow_plugin.messaging.liquid import check_copy

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
Texts = Mapping[str, str]
_WHEN_BLOCKED = ("", "hold", "drop")


def send(step: Step) -> bool:
    texts, fallback = copy_of(step, step.value, (), required=True)
    hold = step.number_of("hold_amount")
    if hold is not None and hold < 1:
        step.report(("hold_amount",), _("Give a number of at least 1."))
    in_minutes = None if not hold else hold * (60 if step.value.get("hold_unit") == "hours" else 1)
    when_blocked = plain(step.value.get("when_blocked"))
    if when_blocked not in _WHEN_BLOCKED:
        step.report(("when_blocked",), _("Choose what happens then."))
    reply = step.assembly.takes_answer()
    media = _picture(step)
    variants = _variants(step)
    step.add(
        Send(step.id, texts, fallback, in_minutes, reply, when_blocked=when_blocked, media=media, variants=variants)
    )
    return True


def _variants(step: Step) -> tuple[Variant, ...]:
    """Return the other wordings of a text, with their names and shares."""
    found = []
    for each in tried(step, _("The shares of all variants together must leave something for the text.")):
        texts, fallback = copy_of(step, each.value, each.path, required=True)
        found.append(Variant(each.name, each.weight, texts, fallback))
    return tuple(found)


def _picture(step: Step) -> str:
    """Return the address of the picture that goes with a text; empty without one."""
    picture = step.value.get("picture")
    pk = getattr(picture, "pk", picture)
    if not pk:
        return ""
    try:
        return step.assembly.setting.lookups.picture(pk)
    except UnfitPicture as unfit:
        step.report(("picture",), str(unfit))
        return ""


def email(step: Step) -> bool:
    subjects: dict[str, str] = {}
    bodies: dict[str, str] = {}
    for language, path, value in _by_language(step, step.value, ()):
        subjects[language] = _required(
            step, value.get("subject"), (*path, "subject"), language, _("Write the subject.")
        )
        bodies[language] = _required(step, value.get("body"), (*path, "body"), language, _("Write the text."))
    step.add(Email(step.id, subjects, bodies))
    return True


def ask_choice(step: Step) -> bool:
    seen: set[str] = set()
    branches, choices = [], []
    options = items(step.value.get("options"))
    if not options:
        step.report(("options",), _("Add at least one answer."))
    for option in options:
        branch = _answer(step, option, "options")
        words = _words(step, option, seen)
        value = plain(option.value.get("value")) or (words[0] if words else "")
        branches.append(branch)
        points = _points(step, option.value)
        choices.append(Choice(branch.label, tuple(dict.fromkeys(map(fold, words))), value=value, points=points))
    return _ask(step, branches, choices)


def ask_yes_no(step: Step) -> bool:
    branches, choices = [], []
    for name in ("yes", "no"):
        value = step.value.get(name) or {}
        branch = step.branch(name, "steps", key=name, answered=True)
        branch.opening = _opening(step, name, value, (name,))
        branches.append(branch)
        kept = plain(value.get("value")) or name
        choices.append(Choice(branch.label, value=kept, means=name, points=_points(step, value)))
    return _ask(step, branches, choices)


def ask_number(step: Step) -> bool:
    lowest, highest = step.number_of("lowest"), step.number_of("highest")
    for name, number in (("lowest", lowest), ("highest", highest)):
        if number is None:
            step.report((name,), _("Give a number."))
    if lowest is not None and highest is not None and lowest > highest:
        step.report(("highest",), _("The highest number must not be less than the lowest."))
    branches, choices = [], []
    taken: list[tuple[int, int]] = []
    for each in items(step.value.get("ranges")):
        low, high = whole(each.value.get("low")), whole(each.value.get("high"))
        low, high = lowest if low is None else low, highest if high is None else high
        if low is not None and high is not None:
            _check_range(step, each, low, high, taken, (lowest, highest))
        branch = _answer(step, each, "ranges")
        branches.append(branch)
        value, points = plain(each.value.get("value")), _points(step, each.value)
        choices.append(Choice(branch.label, low=low, high=high, value=value, points=points))
    end = step.assembly.label()
    if not _covers(taken, lowest, highest):
        # a number that no range names is an answer as well
        choices.append(Choice(end, low=lowest, high=highest))
    return _ask(step, branches, choices, end)


def _covers(ranges: list[tuple[int, int]], lowest: int | None, highest: int | None) -> bool:
    """Return whether ``ranges``, which do not overlap, hold every number from ``lowest`` to ``highest``."""
    if lowest is None or highest is None:
        return False
    return sum(high - low + 1 for low, high in ranges) >= highest - lowest + 1


def ask_text(step: Step) -> bool:
    branch = step.branch("steps", answered=True)
    branch.opening = _opening(step, "answer", step.value, ())
    return _ask(step, [branch], [Choice(branch.label)])


def wait_for_reply(step: Step) -> bool:
    amount, unit = step.length(_("Give a time after which the flow goes on."))
    replied, silence = step.branch("replied", answered=True), step.branch("silence")
    end = step.assembly.label()
    step.add(Listen(step.id, (Choice(replied.label),), amount, unit, on_timeout=silence.label))
    return step.compile_ways([replied, silence], end, lambda part: Jump(step.id, end, part))


def _ask(step: Step, branches: list[Branching], choices: list[Choice], end: int | None = None) -> bool:
    """Lay out a question: the text, the answer, perhaps once more, and a way for each answer."""
    texts, fallback = copy_of(step, step.value, (), required=True)
    step.add(Send(step.id, texts, fallback, reply=step.assembly.takes_answer()))
    amount, unit = step.length(_("Give a time after which the flow goes on."))
    save_as, score_as = name_of(step, "save_as"), name_of(step, "score_as")
    if score_as and score_as == save_as:
        step.report(("score_as",), _("The answer is kept under this name already."))
    elif score_as and not any(choice.counts for choice in choices):
        step.report(("score_as",), _("Give at least one answer its points."))
    end = step.assembly.label() if end is None else end
    silence = step.branch("silence")
    branches = [*branches, silence]
    listen = Listen(
        step.id, tuple(choices), amount, unit, save_as, on_timeout=silence.label, part="1", score_as=score_as
    )
    again, again_fallback = _nested(step, step.value, "again", ())
    other = step.branch("other")
    on_other = None if other.empty else other.label
    if ("other",) in step.ways and not other.empty:
        branches.insert(-1, other)
    if again:
        once_more = step.assembly.label()
        step.add(replace(listen, on_other=once_more))
        step.assembly.place(once_more)
        step.add(Send(step.id, again, again_fallback, reply=True, part="again"))
        listen = replace(listen, part="2")
    step.add(replace(listen, on_other=on_other))
    step.assembly.remember("answers", save_as)
    step.assembly.remember("answers", score_as)
    goes_on = step.compile_ways(branches, end, lambda part: Jump(step.id, end, part))
    return goes_on or any(choice.target == end for choice in choices)


def _points(step: Step, value: Any) -> int | None:
    """Return what an answer is worth; points that are kept nowhere are left out."""
    return whole(value.get("points")) if step.text("score_as") else None


def _answer(step: Step, item: Item, name: str) -> Branching:
    """Return the way of one answer."""
    branch = step.branch(name, item.index, "steps", key=item.id, answered=True)
    branch.opening = _opening(step, item.id, item.value, (name, item.index))
    return branch


def _opening(step: Step, key: str, value: Any, path: Path) -> Callable[[], None] | None:
    """Return what is done first on the way of an answer: a reply, a tag; None if there is neither."""
    tag = plain(value.get("tag"))
    reply = value.get("reply")
    if not tag and not plain((reply or {}).get("text")):
        return None

    def opening() -> None:
        texts, fallback = _nested(step, value, "reply", path)
        if texts:
            step.add(Send(step.id, texts, fallback, reply=True, part=f"reply:{key}"))
        if tag:
            step.add(Tag(step.id, tag, part=f"tag:{key}"))

    return opening


def _words(step: Step, option: Item, seen: set[str]) -> list[str]:
    path: Path = ("options", option.index, "words")
    words = phrases(option.value.get("words"))
    if not words:
        step.report(path, _("Say what people may write."))
    for word in words:
        folded = fold(word)
        if not folded:
            step.report(path, _("“%(word)s” has no letters and no digits.") % {"word": word})
        elif folded in seen:
            step.report(path, _("“%(word)s” stands here twice.") % {"word": word})
        elif reserved(word):
            step.report(path, _("“%(word)s” always means opting in or out, or help.") % {"word": word})
        seen.add(folded)
    return words


def _check_range(
    step: Step, each: Item, low: int, high: int, taken: list[tuple[int, int]], bounds: tuple[int | None, int | None]
) -> None:
    lowest, highest = bounds
    if low > high:
        step.report(("ranges", each.index, "high"), _("The end must not be less than the beginning."))
    elif (lowest is not None and low < lowest) or (highest is not None and high > highest):
        step.report(("ranges", each.index, "low"), _("This range reaches beyond the lowest or the highest number."))
    elif any(low <= other_high and other_low <= high for other_low, other_high in taken):
        step.report(("ranges", each.index, "low"), _("This range overlaps with another one."))
    taken.append((low, high))


def name_of(step: Step, field: str) -> str:
    """Return a name that copy can call something by."""
    name = step.text(field)
    if name and not _NAME.fullmatch(name):
        step.report((field,), _("A name starts with a letter and has only letters, digits and underscores."))
        return ""
    return name


# Copy ----------------------------------------------------------------------------------------


def _nested(step: Step, value: Any, name: str, path: Path) -> tuple[Texts, Texts]:
    """Return the copy of a field that may be empty: then nothing is sent."""
    copy = value.get(name)
    if not copy or not plain(copy.get("text")):
        return {}, {}
    return copy_of(step, copy, (*path, name), required=False)


def copy_of(step: Step, value: Any, path: Path, *, required: bool) -> tuple[Texts, Texts]:
    """Return texts and fallbacks by language; "" is the main text's."""
    texts: dict[str, str] = {}
    fallbacks: dict[str, str] = {}
    for language, at, one in _by_language(step, value, path):
        fallbacks[language] = checked(step, one.get("fallback"), (*at, "fallback"), language)
        has_fallback = any(fallbacks.values())
        texts[language] = checked(step, one.get("text"), (*at, "text"), language, has_fallback=has_fallback)
        if not texts[language] and (required or language):
            step.report((*at, "text"), _("Write the text."))
    return texts, {language: text for language, text in fallbacks.items() if text}


def _by_language(step: Step, value: Any, path: Path) -> list[tuple[str, Path, Any]]:
    """Return (language, path, value) of the main copy and its translations."""
    found: list[tuple[str, Path, Any]] = [("", path, value)]
    seen = {""}
    for each in items(value.get("translations")):
        at: Path = (*path, "translations", each.index)
        language = plain(each.value.get("language"))
        if language in seen:
            step.report((*at, "language"), _("Give each language once."))
            continue
        seen.add(language)
        found.append((language, at, each.value))
    return found


def _required(step: Step, text: Any, path: Path, language: str, problem: str) -> str:
    copy = checked(step, text, path, language)
    if not copy:
        step.report(path, problem)
    return copy


def checked(step: Step, text: Any, path: Path, language: str, *, has_fallback: bool = False) -> str:
    """Return copy with its snippets in it; report what is wrong with it."""
    copy = plain(text)
    if not copy:
        return ""
    try:
        copy = expand(copy, language, step.assembly.setting.lookups.snippet).strip()
    except UnknownSnippet as unknown:
        step.report(path, _("There is no snippet “%(name)s”.") % {"name": unknown.name})
        return copy
    for problem in check_copy(copy, step.assembly.sample(has_fallback=has_fallback)):
        step.report(path, problem.message)
    return copy

"""Reads what people write back: is it an opt-out, a call for help, an opt-in? Pure: no Django.

The layers, in order: signs · whole messages · what the words must not be taken for · phrases · a keyword in a clause
of its own · a keyword with next to nothing around it · anything that is left of one is for a person to read. Opting
in again takes a whole message, never a part of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from smsflow_plugin.audience.replies.folding import LONGEST, clauses, spoken, unboxed
from smsflow_plugin.audience.replies.grammar import about_something_else, ends_or_removes, revocation
from smsflow_plugin.audience.replies.learned import sound
from smsflow_plugin.audience.replies.lexicon import Lexicon, lexicon
from smsflow_plugin.audience.replies.names import somebody_else
from smsflow_plugin.audience.replies.spelling import corrected, undisguised
from smsflow_plugin.audience.replies.verdicts import Reading, Verdict

_STOP_SIGNS = frozenset("🛑⛔🚫✋🤚🖐🙅🖕🔕📵")
#: Said with words around them, these stand for the word itself.
_SIGNS_AS_WORDS = re.compile("[🛑⛔🚫]")
#: After these, "no" is an answer of its own: "no stop!", as opposed to "no paren".
_ENGLISH = frozenset(["stop", "stopall", "unsubscribe"])
#: Words around a keyword that do not change what it means, although nobody has listed them.
_MOST_UNKNOWN = 1
#: Words in the last clause before a keyword that ends the text.
_LONGEST_RUN_UP = 8
#: Log odds (learned.py) from which a text is an opt-out, and from which a person has to read it: chosen by
#: ``tools/train_replies.py --judge`` so that hardly one in two hundred innocent replies is stopped.
_CERTAIN = 2.5
_POSSIBLE = 1.2
#: A single word, politeness aside, is a keyword or none; nothing is guessed about it.
_FEWEST_WORDS = 2


def read_reply(body: str, language: str = "", *others: str) -> Reading:
    """Say what ``body`` means for consent.

    Words of all languages count, as far as they mean nothing else anywhere; ``language`` and ``others`` (the contact's
    and the store's) add those that are ordinary words elsewhere.
    """
    by_rules = read_by_rules(body, language, *others)
    return by_rules.reading if by_rules.settled else _second_opinion(by_rules.reading, *heard(body))


@dataclass(frozen=True, slots=True)
class ByRules:
    """What the rules say. ``settled``: they are sure of it, and nothing else is asked."""

    reading: Reading
    settled: bool = True

    @property
    def verdict(self) -> Verdict:
        return self.reading.verdict


def read_by_rules(body: str, language: str = "", *others: str) -> ByRules:
    text = _readable(body)
    if not text:
        return ByRules(Reading(Verdict.OTHER, "empty"))
    words = lexicon()
    plain = undisguised(unboxed(text).casefold(), words)
    if (signs := _STOP_SIGNS & set(plain)) and not spoken(plain):
        return ByRules(Reading(Verdict.OPT_OUT, f"sign: {min(signs)}"))
    parts, plain = heard(body)
    if not parts:
        return ByRules(Reading(Verdict.OTHER, "no words"))
    languages = tuple(re.split("[-_]", name.casefold())[0] for name in (language, *others) if name)
    said = [word for part in parts for word in part]
    if whole := _whole_message(said, "?" in plain or "？" in plain, languages, words):
        return ByRules(whole)
    inside = _in_the_text(parts, words) or _word_by_word(parts, words)
    if inside is None and (taken := somebody_else(text, words)):
        return ByRules(taken)
    if inside is None:
        inside = Reading(Verdict.OTHER, "no word or phrase for opting out, in or asking for help")
        return ByRules(inside, settled=len([word for word in said if word not in words.filler]) < _FEWEST_WORDS)
    # what a list calls unclear (“too many texts”) was meant for a person to read
    return ByRules(inside, settled=not inside.because.startswith("keyword in a longer text"))


def heard(body: str) -> tuple[list[list[str]], str]:
    """Return the words of each clause as they were meant, and the text in lower case."""
    words = lexicon()
    plain = _SIGNS_AS_WORDS.sub(" stop ", undisguised(unboxed(_readable(body)).casefold(), words))
    return [right for part in clauses(plain) if (right := corrected(part, words))], plain


def _readable(body: str) -> str:
    return body.strip()[:LONGEST].encode("utf-8", "ignore").decode("utf-8")


def _second_opinion(first: Reading, parts: list[list[str]], plain: str) -> Reading:
    """Let what was learnt decide where the rules found nothing, or were in doubt. It never lets anybody off."""
    words = lexicon()
    heard_as = sound(parts, plain, words)
    # “remote my number” may well be a mistake, and may well not
    might_be_mistyped = any(word in words.not_mistyped for part in parts for word in part)
    if heard_as.score > _CERTAIN and not might_be_mistyped:
        return Reading(Verdict.OPT_OUT, f"sounds like an opt-out: {heard_as.words}"[:200])
    # two words are mostly an answer to a question (“un sac”): too little for a doubt
    long_enough = sum(len(part) for part in parts) > _FEWEST_WORDS
    if heard_as.score > _POSSIBLE and first.verdict is Verdict.OTHER and long_enough:
        return Reading(Verdict.DOUBTFUL, f"may be an opt-out: {heard_as.words}"[:200])
    return first


# Whole messages ------------------------------------------------------------------------------


def _whole_message(said: list[str], asks: bool, languages: tuple[str, ...], words: Lexicon) -> Reading | None:
    for kept in _readings_of(said, words):
        verdict = _lookup(kept, languages, words)
        if verdict is None:
            continue
        message = " ".join(kept)
        if asks and (verdict is Verdict.OPT_IN or message in words.soft):
            # "end?" may be about the sale, and nobody agrees by a question
            return (
                Reading(Verdict.DOUBTFUL, f"keyword as a question: {message}") if verdict is Verdict.OPT_OUT else None
            )
        if (
            kept != said
            and words.no & set(said) - set(kept)
            and not (verdict is Verdict.OPT_OUT and message in _ENGLISH and "non" not in said)
        ):
            return None  # "no paren", "non start": the contrary, or nobody's guess
        how = "whole message" if kept == said else "keyword with politeness"
        return Reading(verdict, f"{how}: {message}")
    return _several(said, words) or _spaced_out(said, words)


def _readings_of(said: list[str], words: Lexicon) -> list[list[str]]:
    """Return the message as it is, without repetitions, without politeness, without anything that is no news."""
    ways = [said, _once(said)]
    bare = [word for word in said if word not in words.polite]
    ways += [bare, _once(bare), [word for word in said if word not in words.polite or word in words.no]]
    angry = [word for word in said if word not in words.filler]
    if words.strong.search(_marked([angry])):
        ways += [angry, _once(angry)]
    return [way for way in ways if way]


def _once(said: list[str]) -> list[str]:
    """STOP STOP STOP is STOP; so is “stop it stop it”."""
    for length in range(1, min(4, len(said)) + 1):
        if said == (said[:length] * (len(said) // length + 1))[: len(said)] and len(said) % length == 0:
            return said[:length]
    return said


def _lookup(said: list[str], languages: tuple[str, ...], words: Lexicon) -> Verdict | None:
    message = " ".join(said)
    for language in languages:
        if verdict := words.local.get(_BOOKS.get(language, language), {}).get(message):
            return verdict
    verdict = words.messages.get(message)
    if verdict is None and not languages and message not in words.nobody_knows:
        meant = {book.get(message) for book in words.local.values()}
        return Verdict.OPT_OUT if Verdict.OPT_OUT in meant else None
    return verdict


#: Languages that share a book with another one.
_BOOKS = {"no": "nb", "nn": "nb", "sk": "cs"}


def _several(said: list[str], words: Lexicon) -> Reading | None:
    """STOP and HELP in one message: the opt-out wins. STOP and START: nobody knows."""
    kinds = {words.messages[word] for word in said if word in words.messages}
    rest = [
        word for word in said if word not in words.messages and word not in words.filler and word not in words.joining
    ]
    keywords = [word for word in said if words.messages.get(word) is Verdict.OPT_OUT and word not in words.filler]
    if rest or not keywords or (len(kinds) < 2 and len(keywords) < 2):
        return None
    if len(kinds) > 1 and not words.strong.search(_marked([said])):
        return None  # “is that enough info”
    if Verdict.OPT_IN in kinds:
        return Reading(Verdict.DOUBTFUL, f"keywords that contradict each other: {' '.join(said[:8])}")
    return Reading(Verdict.OPT_OUT, f"opt-out with another keyword: {' '.join(said[:8])}")


def _spaced_out(said: list[str], words: Lexicon) -> Reading | None:
    """“un subscribe”, “st op”: letters in groups."""
    whole = "".join(said)
    if 1 < len(said) <= 6 and 4 <= len(whole) <= 14 and words.messages.get(whole) is Verdict.OPT_OUT:
        return Reading(Verdict.OPT_OUT, f"whole message, spaced out: {whole}")
    return None


# Inside of a text --------------------------------------------------------------------------------


def _in_the_text(parts: list[list[str]], words: Lexicon) -> Reading | None:
    text = _marked(parts)
    if firm := words.patterns["firm"].search(text):
        return _phrase(Verdict.OPT_OUT, "phrase", firm)
    if unclear := words.patterns["unclear_first"].search(text):
        return _phrase(Verdict.DOUBTFUL, "unclear", unclear)
    left = words.patterns["harmless"].sub("~ ", text)
    phrase = _meant(left, words) or _contained(left, words)
    if phrase:
        if hedge := words.patterns["hedged"].search(left):
            return _phrase(Verdict.DOUBTFUL, "a condition or a question", hedge)
        return _phrase(Verdict.OPT_OUT, "phrase", phrase)
    if framed := revocation(_clauses_of(left), words.grammar, words.vocabulary):
        if hedge := words.patterns["hedged"].search(left):
            return _phrase(Verdict.DOUBTFUL, "a condition or a question", hedge)
        return Reading(Verdict.OPT_OUT, f"grammar, {framed}"[:200])
    weak = words.patterns["weak"].search(left)
    if weak and not words.patterns["hedged"].search(left) and not words.patterns["fond"].search(left):
        return _phrase(Verdict.OPT_OUT, "phrase", weak)
    strong = words.strong.search(left)
    if strong is not None:
        return _keyword(strong, left, words)
    if unclear := words.patterns["unclear"].search(left):
        return _phrase(Verdict.DOUBTFUL, "unclear", unclear)
    if left != text:
        harmless = words.patterns["harmless"].search(text)
        return _phrase(Verdict.OTHER, "not meant as an opt-out", harmless) if harmless else None
    return None


def _meant(left: str, words: Lexicon) -> re.Match[str] | None:
    """Return the first phrase for opting out that is not about an order or the like."""
    for phrase in words.patterns["opt_out"].finditer(left):
        said = [word for word in phrase.group().split() if word not in "/~"]
        after = left[phrase.end() :].partition("/")[0].split()
        before = left[: phrase.start()].rpartition("/")[2].split()[-2:]
        if words.turning & set(before) and ends_or_removes(said[0], words.grammar):
            continue
        if not about_something_else(said, after, words.grammar, words.vocabulary):
            return phrase
    return None


def _word_by_word(parts: list[list[str]], words: Lexicon) -> Reading | None:
    """Take. Me. Off. Your. List."""
    if len(parts) < 3 or any(len(part) > 1 for part in parts):
        return None
    return _in_the_text([[word for part in parts for word in part]], words)


def _keyword(strong: re.Match[str], left: str, words: Lexicon) -> Reading:
    """Weigh a word for opting out that stands among others."""
    hedge = words.patterns["hedged"].search(left)
    fond = words.patterns["fond"].search(left)
    alone = next((clause for clause in _clauses_of(left) if _is_keyword(clause, words)), None)
    if alone and not hedge and not fond:
        return Reading(Verdict.OPT_OUT, f"keyword in a clause of its own: {' '.join(alone)}")
    if not hedge and not fond and _ends_with_it(left, words):
        return _phrase(Verdict.OPT_OUT, "keyword at the end", strong)
    unknown = [word for clause in _clauses_of(left) for word in clause if word not in words.filler and word != "~"]
    first = strong.start() <= 2
    rest = [word for word in unknown if word not in strong.group().split()]
    things = about_something_else(["stop"], rest, words.grammar, words.vocabulary)
    plain = "~" not in left and not things and not words.articles & set(left.split()) and not _doing(rest)
    if first and plain and not hedge and not fond and len(rest) <= _MOST_UNKNOWN:
        return _phrase(Verdict.OPT_OUT, "keyword with a name or the like", strong)
    return _phrase(Verdict.DOUBTFUL, "keyword in a longer text", strong)


def _is_keyword(clause: list[str], words: Lexicon) -> bool:
    """Whether a clause is nothing but a word for opting out and politeness."""
    bare = [word for word in clause if word not in words.filler]
    message = " ".join(bare)
    return bool(bare) and words.strong.fullmatch(" " + message + " ", 1) is not None and "~" not in clause


def _ends_with_it(left: str, words: Lexicon) -> bool:
    """“for the love of god stop”, but not “my boss says stop”."""
    last = list(words.strong.finditer(left))[-1]
    clause = left[: last.start()].rpartition("/")[2].split()
    return (
        not left[last.end() :].strip("/ ")
        and "~" not in left
        and len(clause) <= _LONGEST_RUN_UP
        and not words.not_before_last & set(clause[-1:])
        and not about_something_else(["stop"], clause, words.grammar, words.vocabulary)
    )


def _doing(rest: list[str]) -> bool:
    """“stop leaking” is about something else."""
    return any(word.endswith("ing") or word.isdigit() for word in rest)


def _marked(parts: list[list[str]]) -> str:
    return "/ " + "".join(" ".join(part) + " / " for part in parts)


def _clauses_of(text: str) -> list[list[str]]:
    return [clause.split() for clause in text.strip("/ ").split("/") if clause.strip()]


def _contained(left: str, words: Lexicon) -> re.Match[str] | None:
    joined = left.replace(" ", "")
    return words.contained.search(words.contained_harmless.sub("~", joined))


def _phrase(verdict: Verdict, how: str, match: re.Match[str]) -> Reading:
    return Reading(verdict, f"{how}: {match.group().replace('/', '').replace('~', '…').strip()}"[:200])


@cache
def reserved(word: str) -> bool:
    """Return whether ``word`` opts out or in, or asks for help, in any language."""
    verdicts = {read_reply(word, language).verdict for language in ("", *lexicon().local)}
    return bool(verdicts & {Verdict.OPT_OUT, Verdict.OPT_IN, Verdict.HELP, Verdict.DOUBTFUL})

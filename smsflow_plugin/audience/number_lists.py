"""Lists of phone numbers as people hand them over: a column of a table, or one number a line. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat

#: What stands between the columns of a line.
DELIMITERS = ",;\t"

#: Fewer digits are an amount, a day or a row's number, and no phone.
LEAST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line without a number that could be read: where it stood, and what it said."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class NumberList:
    """What a list says. ``numbers`` are E.164, in their order, each once."""

    numbers: Sequence[str]
    repeated: int
    unreadable: Sequence[Unreadable]


def read_numbers(text: str, country: str) -> NumberList:
    """Read one number from each line: the first of its columns that is one.

    Without a prefix a number is one of ``country`` (two letters). A first line that holds no
    digit is taken for the names of the columns; empty lines are passed over.
    """
    found: dict[str, None] = {}
    unreadable, repeated = [], 0
    for place, line in enumerate(text.replace("\0", "").splitlines(), start=1):
        if not line.strip() or (place == 1 and not any(character.isdigit() for character in line)):
            continue
        number = next((number for cell in _cells(line) if (number := to_number(cell, country))), None)
        if number is None:
            unreadable.append(Unreadable(place, line.strip()))
        elif number in found:
            repeated += 1
        else:
            found[number] = None
    return NumberList(tuple(found), repeated, tuple(unreadable))


def to_number(text: str, country: str) -> str | None:
    """Return the number in E.164, None if it is none. It need not be one that is in use: it may have been."""
    if sum(character.isdigit() for character in text) < LEAST_DIGITS or len(text) > 40:
        return None
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def decoded(content: bytes) -> str:
    """Return a file's text: spreadsheets save in UTF-8 or in the letters of Western Europe."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _cells(line: str) -> Iterable[str]:
    yield line.strip()
    for delimiter in DELIMITERS:
        if delimiter in line:
            yield from (cell.strip().lstrip("'") for cell in next(csv.reader([line], delimiter=delimiter)))

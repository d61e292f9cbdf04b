"""Two kinds of column that keep the ledger small: a word as a number, and notes as a line of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from smsflow_plugin.governance.notes import pack, unpack


class CodeField(models.Field):  # type: ignore[type-arg]
    """A word of a fixed table, kept as its number. Everybody who reads or asks for it sees the word."""

    def __init__(self, *args: Any, codes: Mapping[str, int] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.codes = codes or {}
        self._words = {number: word for word, number in self.codes.items()}

    def get_internal_type(self) -> str:
        return "SmallIntegerField"

    def deconstruct(self) -> Any:
        # for a migration it is the number: what a code meant is for today's code to say
        name, _path, args, kwargs = super().deconstruct()
        for word in ("choices", "codes"):
            kwargs.pop(word, None)
        if "default" in kwargs:
            kwargs["default"] = self.codes.get(kwargs["default"], kwargs["default"])
        return name, "django.db.models.SmallIntegerField", args, kwargs

    def clone(self) -> models.Field[Any, Any]:
        # the migration state copies fields with clone(), which must match deconstruct()
        _name, _path, args, kwargs = self.deconstruct()
        return models.SmallIntegerField(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        if value is None or value in self.codes:
            return value
        if value in self._words:
            return self._words[value]
        raise ValidationError(_("“%(value)s” is no word of the ledger.") % {"value": value})

    def get_prep_value(self, value: Any) -> Any:
        """Return the number of a word; a number stands for itself.

        :raises ValueError: for a word that has none. It would be lost.
        """
        if value is None or type(value) is int:
            return value
        number = self.codes.get(value)
        if number is None:
            raise ValueError(f"{value!r} has no number in governance.codes.")
        return number

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Any:
        return value if value is None else self._words.get(value, str(value))


class NotesField(models.Field):  # type: ignore[type-arg]
    """A list of notes (``governance.notes``), kept as a line of text."""

    def get_internal_type(self) -> str:
        return "TextField"

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        kwargs["default"] = ""
        return name, "django.db.models.TextField", args, kwargs

    def clone(self) -> models.Field[Any, Any]:
        _name, _path, args, kwargs = self.deconstruct()
        return models.TextField(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        return unpack(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else pack(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return unpack(value) if value else []

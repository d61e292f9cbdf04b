"""What Liquid sees of the data, and what it makes of data that is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from liquid import RenderContext
from liquid.undefined import UNDEFINED, Undefined
from liquid.utils import ReadOnlyChainMap


class MissingValue(Exception):
    """The copy prints something that is not known of this person. ``path`` names it, as in the copy."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Missing(Undefined):
    """A value that is not there: false in conditions, replaced by ``default``, an error where it is printed."""

    __slots__ = ()

    #: Makes the ``default`` filter answer without looking any closer.
    force_liquid_default = True

    def _refuse(self) -> NoReturn:
        raise MissingValue(self.name)

    def __str__(self) -> str:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()

    def __int__(self) -> int:
        self._refuse()

    def __iter__(self) -> Iterator[Any]:
        self._refuse()

    def __bool__(self) -> bool:
        return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return other is None or other is False or other == "" or isinstance(other, Undefined)

    def poke(self) -> bool:
        self._refuse()


class SafeContext(RenderContext):
    """Looks values up in mappings and lists only: never an attribute, never a method.

    A value that is None or an empty text counts as missing. There is no ``now``:
    copy cannot read a clock.
    """

    __slots__ = ("work", "language")

    def __init__(self, template: Any, *, globals: Mapping[str, object], language: str = "", **kwargs: Any) -> None:
        super().__init__(template, globals=globals, **kwargs)
        self.scope = ReadOnlyChainMap(self.locals, self.globals)
        self.language = language
        #: What filters have done so far in this rendering, in characters. See ``liquid_filters``.
        self.work = 0

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        try:
            value: Any = self.scope[path[0]]  # type: ignore[index]
            for key in path[1:]:
                value = get_item(value, key)
        except (KeyError, IndexError, TypeError):
            value = None
        if value is None or value == "":
            return Missing(as_text(path), token=token) if default is UNDEFINED else default
        return value


def get_item(value: Any, key: Any) -> Any:
    """Return ``value.key`` as Liquid means it.

    :raises KeyError, IndexError, TypeError: if there is none.
    """
    if isinstance(value, Mapping):
        if key in value:
            return value[key]
        if key == "size":
            return len(value)
        raise KeyError(key)
    if isinstance(value, (list, tuple)):
        if key == "size":
            return len(value)
        if key in ("first", "last"):
            return value[0 if key == "first" else -1]
        return value[key]
    if isinstance(value, str) and key == "size":
        return len(value)
    raise TypeError(key)


def as_text(path: list[Any]) -> str:
    """Return ``path`` as it stands in copy: ``order.lines[0].title``."""
    first, *rest = path
    return str(first) + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in rest)

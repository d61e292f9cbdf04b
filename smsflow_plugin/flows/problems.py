"""What keeps a form from becoming a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Names of fields and positions in lists, from the flow downwards: ("steps", 2, "yes", 0, "text").
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    ``where`` names the place for a person ("Step 3, Send a text"), empty for the flow
    as a whole; ``step_id`` is the step's, if it is one; ``message`` is a sentence.
    """

    step_id: str
    path: Path
    message: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class CannotCompile(Exception):
    """The form is not a program yet. ``problems`` is never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(str(problem) for problem in problems))

"""What can go wrong between us and Shopify. Pure.

Every message is a sentence for a person. ``again`` says whether the same call may work later by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ShopifyTrouble(Exception):
    """Shopify did not do what it was asked."""

    again = False


class Unreachable(ShopifyTrouble):
    """No answer, or one that says that Shopify itself is in trouble. What was asked may have been done or not."""

    again = True


class Throttled(ShopifyTrouble):
    """Shopify asks us to be slower. ``wait``: seconds after which the call fits."""

    again = True

    def __init__(self, message: str, wait: float) -> None:
        self.wait = wait
        super().__init__(message)


class Refused(ShopifyTrouble):
    """The shop no longer lets us in: the app was taken away, the shop is closed, or the token was revoked."""


class NotGranted(ShopifyTrouble):
    """The shop lets us in, but not do this: a scope is missing."""


class BadDocument(ShopifyTrouble):
    """Shopify does not understand the question: it has another version of its API than we think."""


@dataclass(frozen=True, slots=True)
class UserError:
    """One mistake in what was given. ``field`` is the path to it, "" for the whole."""

    message: str
    field: str = ""
    code: str = ""


class UserErrors(ShopifyTrouble):
    """A mutation was understood and not done: HTTP says 200, and nothing has changed."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.message for error in self.errors))

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(error.code for error in self.errors)

"""How screens, commands and tests tell the stand-in Shopify what shall happen: typed calls to ``/_shops/``."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import requests


class ShopUnavailable(Exception):
    """The stand-in Shopify does not answer, or refused; the message says why."""


class ShopClient:
    """:param url: the address of the network's server, for example ``SMSFLOW["SIMULATOR_URL"]``.

    Every method raises ``ShopUnavailable``.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout

    def add_shop(self, domain: str, **values: Any) -> dict[str, Any]:
        """Open a shop: ``name``, ``currency``, ``country``, ``timezone``, ``language``, ``plan``."""
        return self._call("PUT", f"shops/{quote(domain, safe='')}", values)

    def add_app(self, client_id: str, secret: str, **values: Any) -> None:
        """``title``, ``scopes``, ``redirect_uris``, ``compliance_url``, ``old_secret``."""
        self._call("PUT", f"apps/{quote(client_id, safe='')}", {"secret": secret, **values})

    def install(self, domain: str, client_id: str, *, scopes: str = "", token: str = "") -> None:
        path = f"shops/{quote(domain, safe='')}/apps/{quote(client_id, safe='')}"
        self._call("PUT", path, {"scopes": scopes, "token": token})

    def fill(self, domain: str, *, customers: int, orders: int, seed: int = 1, **more: Any) -> None:
        """Give an empty shop a past."""
        values = {"customers": customers, "orders": orders, "seed": seed, **more}
        self._call("POST", f"shops/{quote(domain, safe='')}/past", values)

    def do(self, domain: str, action: str, **values: Any) -> Any:
        """Let something happen: a method of ``doings.Doings``, for example ``place_order``."""
        return self._call("POST", f"shops/{quote(domain, safe='')}/{action}", values)["made"]

    def add_fault(self, kind: str, **values: Any) -> None:
        """``shop``, ``operation``, ``count``, ``seconds``, ``message``; see ``faults.ShopFaults.add``."""
        self._call("POST", "faults", {"kind": kind, **values})

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def set_bucket(self, size: float, rate: float) -> None:
        self._call("POST", "bucket", {"size": size, "rate": rate})

    def reset(self) -> None:
        """Let it forget everything but shops, apps and tokens."""
        self._call("POST", "reset")

    def statistics(self) -> dict[str, Any]:
        return self._call("GET", "statistics")

    def wait_until_quiet(self, seconds: float = 20.0) -> dict[str, Any]:
        """Wait until no webhook is due any more, and return the statistics."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            statistics = self.statistics()
            if statistics["due"] == 0:
                return statistics
            time.sleep(0.02)
        raise ShopUnavailable("The stand-in Shopify is still busy.")

    def _call(self, method: str, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                session.trust_env = False  # it stands on this machine: no proxy leads there
                response = session.request(method, f"{self._url}/_shops/{path}", json=data, timeout=self._timeout)
                answer: dict[str, Any] = response.json()
        except (requests.RequestException, ValueError) as error:
            raise ShopUnavailable("The stand-in Shopify does not answer.") from error
        if not response.ok:
            raise ShopUnavailable(answer.get("text", "The stand-in Shopify refused."))
        return answer

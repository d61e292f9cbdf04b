"""Kill -9 in the middle of an import and of a comparison: everything is written, and once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("graphql", reason="the stand-in Shopify needs graphql-core")

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop, running_shop
from smsflow_plugin.integrations.simulator.shopify_api.generating import fill

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

TOP = Path(__file__).resolve().parents[2]
DOMAIN = "sierra-gear.myshopify.com"
KILLS = 5


class Workers:
    """Processes that work on one database, one after the other."""

    def __init__(self, shop: RunningShop, database: Path, **more: str) -> None:
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{database}",
            "TEST_SHOPIFY_URL": shop.url + "/shopify/{shop}",
            "TEST_SHOP": shop.domain,
            "TEST_TOKEN": shop.token,
            **more,
        }

    def start(self, what: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.shopify_sync.worker", what]
        return subprocess.Popen(command, cwd=TOP, env=self.environment, stdout=subprocess.PIPE, text=True)

    def run(self, what: str) -> Any:
        worker = self.start(what)
        out, _err = worker.communicate(timeout=300)
        assert worker.returncode == 0
        return json.loads(out.splitlines()[-1])

    def time(self, what: str) -> float:
        """Run ``what`` in peace; return how many seconds it was at work."""
        worker = self.start(what)
        began = at_work(worker)
        worker.communicate(timeout=300)
        assert worker.returncode == 0
        return time.monotonic() - began

    def kill_again_and_again(self, what: str, seconds: float, chance: random.Random) -> int:
        """Run ``what``, which takes so many seconds, to its end through deaths; return how many there were."""
        deaths = 0
        while True:
            worker = self.start(what)
            at_work(worker)
            try:
                worker.wait(timeout=seconds * chance.uniform(0.05, 0.3) if deaths < KILLS else 300)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
                deaths += 1
                time.sleep(0.2)
                continue
            finally:
                if worker.stdout:
                    worker.stdout.close()
            assert worker.returncode == 0
            return deaths


def at_work(worker: subprocess.Popen[str]) -> float:
    """Wait until a worker begins to work; return when that was."""
    assert worker.stdout is not None
    assert worker.stdout.readline() == "begins\n"
    return time.monotonic()


def twice(tmp_path: Path, shop: RunningShop, what: str, seed: int, **more: str) -> tuple[Any, Any, int]:
    """Do it in peace, and through deaths."""
    figures, deaths, seconds = [], 0, 0.0
    for name in ("calm", "killed"):
        workers = Workers(shop, tmp_path / f"{name}.sqlite3", **more)
        workers.run("setup")
        if name == "calm":
            seconds = workers.time(what)
        else:
            deaths = workers.kill_again_and_again(what, seconds, random.Random(seed))
        figures.append(workers.run("figures"))
    return figures[0], figures[1], deaths


def test_an_import_is_written_once(tmp_path: Path) -> None:
    with running_shop(DOMAIN) as shop:
        fill(shop.shops, DOMAIN, customers=3000, orders=6000, seed=3)
        calm, killed, deaths = twice(tmp_path, shop, "import", 1)
    assert calm["state"] == "done"
    assert calm["orders"] > 5000
    assert killed == calm
    assert killed["broken_chains"] == 0
    assert deaths >= 2


def test_a_comparison_leaves_nothing_out(tmp_path: Path) -> None:
    with running_shop(DOMAIN, bucket=(100_000.0, 100_000.0)) as shop:
        for number in range(120):
            ada = shop.shop.add_customer(firstName="Ada", phone=f"+1202555{number:04d}")
            shop.shop.set_consent(ada["id"], "SUBSCRIBED")
            for _order in range(2):
                shop.shop.place_order(ada["id"])
        calm, killed, deaths = twice(tmp_path, shop, "compare", 2, TEST_COMPARE="1")
    assert calm["orders"] == 240
    assert killed == calm
    assert deaths >= 2

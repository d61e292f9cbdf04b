"""Several web processes at once on PostgreSQL: the last free place is given away once."""

from __future__ import annotations

import pytest

from smsflow_plugin.models import Delivery, OptInAttempt, Store
from smsflow_plugin.signup.numbers import read_number
from smsflow_plugin.signup.submitting import Caller, Submission, submit
from smsflow_plugin.signup.versions import current_version
from tests.conftest import TestClock
from tests.engine.test_concurrency import pytestmark as of_concurrency
from tests.engine.test_concurrency import together
from tests.signup.conftest import make_form

pytestmark = of_concurrency


@pytest.mark.parametrize(("numbers", "let_in"), [(1, 1), (40, 10)])
def test_a_limit_holds_whoever_asks_at_once(store: Store, still: TestClock, numbers: int, let_in: int) -> None:
    form = make_form(store)
    version = current_version(form, "en")
    waiting = list(range(40))

    def work() -> None:
        while waiting:
            try:
                n = waiting.pop()
            except IndexError:
                return
            number = read_number(f"+120255501{n % numbers:02d}", "US")
            caller = Caller(ip=f"203.0.113.{n}", user_agent="", page="", referrer="")
            submit(form, Submission(number, version, f"nonce-{n}", caller))

    together(work)
    assert Delivery.objects.count() == let_in
    assert OptInAttempt.objects.filter(outcome="asked").count() == let_in
    assert OptInAttempt.objects.count() == 40

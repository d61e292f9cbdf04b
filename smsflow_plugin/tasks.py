"""The Huey tasks: each says "look now" to one pump, and nothing more.

No task is retried by Huey, for none carries work: the minute tick looks again anyway.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.core.management import call_command
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task, on_startup

from smsflow_plugin import clock
from smsflow_plugin.attribution import recompute
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine import advance as advance_pump
from smsflow_plugin.engine import (
    budgets,
    call_alarms,
    dated,
    habits,
    handing_back,
    lists,
    moving,
    notices,
    offers,
    stock,
    watching,
)
from smsflow_plugin.engine import ingest as ingest_pump
from smsflow_plugin.engine import intake as intake_pump
from smsflow_plugin.engine import performing as perform_pump
from smsflow_plugin.engine import purging as purge_pump
from smsflow_plugin.governance import unsent
from smsflow_plugin.measurement import learning_times, rollups, winners
from smsflow_plugin.measurement.purging import KINDS as PURGED
from smsflow_plugin.measurement.weekly import telling
from smsflow_plugin.messaging import counted_parts, polling, spending
from smsflow_plugin.messaging import dispatch as dispatch_pump
from smsflow_plugin.messaging import reconcile as reconcile_pump
from smsflow_plugin.nudge import PUMPS, alarm, insist, nudge, started
from smsflow_plugin.signup import watching as requests_pump
from smsflow_plugin.stores.models import Heartbeat

logger = logging.getLogger(__name__)

#: Seconds after which a task makes room for those of the other pumps and queues itself again.
TIME_BUDGET = 20.0

#: A tick's tasks are of no use once the next tick is there.
TICK = timedelta(seconds=60)


@db_task()
def ingest() -> None:
    _run("ingest", _ingest)


@db_task()
def advance() -> None:
    if _run("advance", _advance):
        alarm("advance", advance_pump.next_wake())


@db_task()
def enroll_by_date() -> None:
    _run("enroll_by_date", lambda: _handing_on(dated.enroll_by_date(), "advance"))


@db_task()
def watch_lists() -> None:
    _run("watch_lists", lambda: _handing_on(lists.watch_lists(), "let_in", "advance"))


@db_task()
def let_in() -> None:
    _run("let_in", lambda: _handing_on(intake_pump.let_in(), "advance"))


@db_task()
def move_people() -> None:
    _run("move_people", lambda: _handing_on(moving.move_people(), "advance"))


@db_task()
def tell_stock() -> None:
    _run("tell_stock", lambda: _handing_on(stock.tell_stock(), "advance"))


@db_task()
def perform() -> None:
    if _run("perform", lambda: _handing_on(perform_pump.perform(), "advance")):
        alarm("perform", perform_pump.next_effect())


@db_task()
def learn() -> None:
    _run("learn", habits.learn)
    _run("learn", learning_times.learn)


@db_task()
def watch() -> None:
    _run("watch", watching.watch)


@db_task()
def tell_staff() -> None:
    # reports are written first: they leave as all e-mails to staff do
    _run("tell_staff", telling.tell_weekly)
    if _run("tell_staff", notices.tell_staff):
        alarm("tell_staff", notices.next_notice())


@db_task()
def hand_back() -> None:
    """People whom staff no longer talks with go back to the flows; what was put aside comes up again."""
    _run("hand_back", lambda: _handing_on(handing_back.hand_back(), "advance"))


@db_task()
def count_unsent() -> None:
    _run("count_unsent", unsent.count_unsent)


@db_task()
def recredit() -> None:
    """Stores that look back for another time than before have their orders credited anew."""
    _run("recredit", lambda: _handing_on(recompute.recompute_changed(offers.gifts), "roll_up"))


@db_task()
def roll_up() -> None:
    """The figures of days on which something has changed."""
    if _run("roll_up", rollups.roll_up):
        alarm("roll_up", rollups.next_roll_up())


@db_task()
def watch_requests() -> None:
    _run("watch_requests", requests_pump.watch_requests)


@db_task()
def dispatch() -> None:
    _run("dispatch", _dispatch)


@db_task()
def reconcile() -> None:
    _run("reconcile", _reconcile)


@db_task()
def poll_inbounds() -> None:
    _run("poll_inbounds", polling.poll_inbounds)


@db_task()
def give_back() -> None:
    """The money of texts that were cancelled or ran out before they went; and whoever waits for money that came."""
    _run("give_back", lambda: spending.give_back() + _handing_on(budgets.wake_up(), "advance"))


@db_periodic_task(crontab(minute="17", hour="3"))
def keep_books() -> None:
    """Once a night: what was spent is counted anew and compared, codes that have run out are said to have, and the
    figures of the last days are counted again, whatever was noted of them."""
    spending.recount(clock.now())
    counted_parts.compare_parts(clock.now())
    offers.tidy(clock.now())
    rollups.refresh()


@db_periodic_task(crontab(minute="41"))
def judge_experiments() -> None:
    """Once an hour: experiments are counted for their page, and those that are conclusive are told, or ended."""
    winners.judge_experiments()


@db_periodic_task(crontab(minute="*"))
def tick() -> None:
    """The safety net: whatever became of the nudges, every pump looks once a minute."""
    _insist_on_all()
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": clock.now()})
    try:
        call_command("publish_scheduled", verbosity=0)
    except Exception:
        logger.exception("Scheduled pages and flows could not be published; the next tick tries again.")


@db_periodic_task(crontab(hour="3", minute="17"))
def purge() -> None:
    """What is personal is kept as long as it must be, and no longer."""
    purge_pump.purge(PURGED)


@on_startup()
def _insist_on_all() -> None:
    # the flags may stand for tasks that were killed together with the last worker; and what it left in the air comes
    # first, for whoever waits for it has waited the longest
    for pump in ("reconcile", *(other for other in PUMPS if other != "reconcile")):
        insist(pump, expires=TICK)


def _ingest() -> int:
    handled = ingest_pump.ingest()
    if handled:
        nudge("advance")
        nudge("dispatch")  # a STOP or HELP has queued its answer
        nudge("tell_stock")
        nudge("roll_up")
    return handled


def _handing_on(handled: int, *pumps: str) -> int:
    """Nudge those who have something to do if anything was handled."""
    if handled:
        for pump in pumps:
            nudge(pump)
    return handled


def _advance() -> int:
    handled = advance_pump.advance()
    if handled:
        nudge("dispatch")
        nudge("perform")
        nudge("roll_up")
    return handled


def _dispatch() -> int:
    result = dispatch_pump.dispatch()
    alarm("dispatch", result.next_at)
    if result.taken:
        nudge("roll_up")
    if result.cut_off:
        alarm("reconcile", clock.now() + timedelta(seconds=smsflow_settings.RECONCILE_AFTER))
    return result.taken


def _reconcile() -> int:
    asked = reconcile_pump.reconcile()
    call_alarms.tell_of_calls()
    if asked:
        nudge("dispatch")  # what was never taken is back in the queue
    return asked


def _run(pump: str, look: Callable[[], int]) -> bool:
    """Look until there is nothing left, or the time is up; return whether there is nothing left."""
    started(pump)
    end = time.monotonic() + TIME_BUDGET
    try:
        while look():
            if time.monotonic() >= end:
                nudge(pump)
                return False
    except Exception:
        # what it held was rolled back; the tick comes to the same rows again
        logger.exception("The pump %s stopped at an error; it runs again at the next tick.", pump)
        return False
    return True

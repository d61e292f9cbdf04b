"""Groups of the SMS API: numbers to send to, which people join and leave by keyword."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.refusals import malformed, not_found, out_of_range, unknown_group
from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.network.texts import msisdn

MAX_NAME, MAX_WORD, MAX_MEMBERS, MAX_CHILDREN = 20, 15, 10_000, 10


class Groups:
    """:param changed: is told of the plan whose groups changed, inside the transaction."""

    def __init__(
        self,
        database: Database,
        clock: NetworkClock,
        new_id: Callable[[], str],
        changed: Callable[[sqlite3.Connection, str], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._changed = changed

    def create(self, plan: str, data: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        with self._database.transaction() as sql:
            group = self._new_id()
            sql.execute(
                "INSERT INTO sms_groups (id, plan, name, auto_update, created_at, modified_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (group, plan, _name(data), _auto_update(data), now, now),
            )
            self._add(sql, group, _numbers(data, "members"))
            self._set_children(sql, plan, group, data.get("child_groups") or [])
            return self._show(sql, self._row(sql, plan, group))

    def replace(self, plan: str, group: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Give every value of a group anew; one that is not given is lost."""
        with self._database.transaction() as sql:
            self._row(sql, plan, group)
            values = (_name(data), _auto_update(data), self._clock.now(), group)
            sql.execute("UPDATE sms_groups SET name = ?, auto_update = ?, modified_at = ? WHERE id = ?", values)
            sql.execute("DELETE FROM group_members WHERE grp = ?", (group,))
            self._add(sql, group, _numbers(data, "members"))
            self._set_children(sql, plan, group, data.get("child_groups") or [])
            self._changed(sql, plan)
            return self._show(sql, self._row(sql, plan, group))

    def update(self, plan: str, group: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Change what is named; null takes a name or keywords away. Numbers are added before others are removed."""
        with self._database.transaction() as sql:
            row = self._row(sql, plan, group)
            name = _name(data) if "name" in data else row["name"]
            auto_update = _auto_update(data) if "auto_update" in data else row["auto_update"]
            sql.execute(
                "UPDATE sms_groups SET name = ?, auto_update = ?, modified_at = ? WHERE id = ?",
                (name, auto_update, self._clock.now(), group),
            )
            self._add(sql, group, _numbers(data, "add") + self._others(sql, plan, data.get("add_from_group")))
            gone = _numbers(data, "remove") + self._others(sql, plan, data.get("remove_from_group"))
            self._remove(sql, group, gone)
            self._changed(sql, plan)
            return self._show(sql, self._row(sql, plan, group))

    def delete(self, plan: str, group: str) -> None:
        with self._database.transaction() as sql:
            self._row(sql, plan, group)
            sql.execute("DELETE FROM sms_groups WHERE id = ?", (group,))
            sql.execute("DELETE FROM group_members WHERE grp = ?", (group,))
            sql.execute("DELETE FROM group_children WHERE grp = ? OR child = ?", (group, group))
            self._changed(sql, plan)

    def get(self, plan: str, group: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return self._show(sql, self._row(sql, plan, group))

    def listed(self, plan: str, *, page: int, page_size: int) -> dict[str, Any]:
        """One page, newest first."""
        with self._database.transaction() as sql:
            rows = sql.execute("SELECT * FROM sms_groups WHERE plan = ? ORDER BY number DESC", (plan,)).fetchall()
            shown = [self._show(sql, row) for row in rows[page * page_size : (page + 1) * page_size]]
        return {"count": len(rows), "page": page, "page_size": len(shown), "groups": shown}

    def members(self, plan: str, group: str) -> list[str]:
        with self._database.transaction() as sql:
            self._row(sql, plan, group)
            return self._direct(sql, group)

    def everybody(self, sql: sqlite3.Connection, plan: str, group: str) -> list[str]:
        """Return the numbers in a group and its child groups, each once. :raises Refused: if there is no such group."""
        found: dict[str, None] = {}
        seen, waiting = set(), [group]
        while waiting:
            one = waiting.pop(0)
            if one in seen:
                continue
            seen.add(one)
            if sql.execute("SELECT 1 FROM sms_groups WHERE plan = ? AND id = ?", (plan, one)).fetchone() is None:
                raise unknown_group(one)
            found |= dict.fromkeys(self._direct(sql, one))
            waiting += self._children(sql, one)
        return list(found)

    def hear(self, sql: sqlite3.Connection, plan: str, *, phone: str, to: str, body: str) -> None:
        """Let somebody join or leave the groups whose keyword they texted."""
        changed = False
        for row in sql.execute("SELECT * FROM sms_groups WHERE plan = ?", (plan,)).fetchall():
            rule = json.loads(row["auto_update"]) if row["auto_update"] else {}
            if rule.get("to", "").removeprefix("+") != to:
                continue
            for action, change in (("add", self._add), ("remove", self._remove)):
                if _says(body, rule.get(action)):
                    change(sql, row["id"], [phone])
                    changed = True
        if changed:
            self._changed(sql, plan)

    def _add(self, sql: sqlite3.Connection, group: str, phones: list[str]) -> None:
        rows = [(group, phone) for phone in phones]
        sql.executemany("INSERT OR IGNORE INTO group_members (grp, phone) VALUES (?, ?)", rows)

    def _remove(self, sql: sqlite3.Connection, group: str, phones: list[str]) -> None:
        rows = [(group, phone) for phone in phones]
        sql.executemany("DELETE FROM group_members WHERE grp = ? AND phone = ?", rows)

    def _direct(self, sql: sqlite3.Connection, group: str) -> list[str]:
        rows = sql.execute("SELECT phone FROM group_members WHERE grp = ? ORDER BY rowid", (group,))
        return [row["phone"] for row in rows]

    def _children(self, sql: sqlite3.Connection, group: str) -> list[str]:
        rows = sql.execute("SELECT child FROM group_children WHERE grp = ? ORDER BY rowid", (group,))
        return [row["child"] for row in rows]

    def _others(self, sql: sqlite3.Connection, plan: str, group: object) -> list[str]:
        return self.everybody(sql, plan, str(group)) if group else []

    def _set_children(self, sql: sqlite3.Connection, plan: str, group: str, children: object) -> None:
        if not isinstance(children, list) or len(children) > MAX_CHILDREN:
            raise out_of_range("child_groups", f"must name at most {MAX_CHILDREN} groups")
        sql.execute("DELETE FROM group_children WHERE grp = ?", (group,))
        for child in children:
            self.everybody(sql, plan, str(child))
        rows = [(group, child) for child in children]
        sql.executemany("INSERT OR IGNORE INTO group_children (grp, child) VALUES (?, ?)", rows)

    def _row(self, sql: sqlite3.Connection, plan: str, group: str) -> sqlite3.Row:
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM sms_groups WHERE plan = ? AND id = ?", (plan, group)
        ).fetchone()
        if row is None:
            raise not_found("There is no such group.")
        return row

    def _show(self, sql: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
        shown = {
            "id": row["id"],
            "size": len(self._direct(sql, row["id"])),
            "created_at": stamp(row["created_at"]),
            "modified_at": stamp(row["modified_at"]),
            "child_groups": self._children(sql, row["id"]),
        }
        shown |= {"name": row["name"]} if row["name"] else {}
        return shown | ({"auto_update": json.loads(row["auto_update"])} if row["auto_update"] else {})


def _name(data: Mapping[str, Any]) -> str | None:
    name = data.get("name")
    if name is not None and not isinstance(name, str):
        raise malformed("name", name, "text")
    if name is not None and len(name) > MAX_NAME:
        raise out_of_range("name", f"must have at most {MAX_NAME} characters")
    return name


def _numbers(data: Mapping[str, Any], field: str) -> list[str]:
    given = data.get(field) or []
    if not isinstance(given, list) or len(given) > MAX_MEMBERS:
        raise out_of_range(field, f"must name at most {MAX_MEMBERS} numbers")
    numbers = []
    for index, one in enumerate(given):
        number = msisdn(one) if isinstance(one, str) else None
        if number is None and field != "remove":
            raise malformed(f"{field}[{index}]", one, "a valid MSISDN")
        numbers += [number] if number else []
    return numbers


def _auto_update(data: Mapping[str, Any]) -> str | None:
    rule = data.get("auto_update")
    if rule is None:
        return None
    if not isinstance(rule, Mapping) or not rule.get("to"):
        raise malformed("auto_update.to", rule, "a number")
    for action in ("add", "remove"):
        for place, word in (rule.get(action) or {}).items():
            if len(str(word)) > MAX_WORD:
                raise out_of_range(f"auto_update.{action}.{place}", f"must have at most {MAX_WORD} characters")
    return json.dumps({**rule, "to": str(rule["to"])})


def _says(body: str, rule: object) -> bool:
    """Whether a text begins with the words of a rule, in any case."""
    words = body.casefold().split()
    if not isinstance(rule, Mapping) or not rule.get("first_word") or not words:
        return False
    wanted = [str(rule[place]).casefold() for place in ("first_word", "second_word") if rule.get(place)]
    return words[: len(wanted)] == wanted

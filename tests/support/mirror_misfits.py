"""What `_bqsync_unfit` has to hold, where a definition says `"on_reject": "column"`: a second reading of that rule."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.mirror_rule import Rule, Text, Torn
from tests.support.mirror_values import Json, parse_json

NAME = "_bqsync_unfit"
RULE = Rule.of({"name": NAME, "type": "JSON"})


class Misfits:
    """The rule for one table. key: the places of its key's columns."""

    def __init__(self, definition: dict[str, Any], rules: list[Rule], key: list[int]) -> None:
        self.rules = rules
        self.refused = {*key, *(place for place, rule in enumerate(rules) if rule.required)}
        self.hidden = {place for place, (rule, column) in enumerate(zip(rules, definition["columns"]))
                       if rule.transform or column.get("policy_tags")}

    def value(self, unfit: set[int], row: tuple[Any, ...]) -> Json | None:
        """What the column holds for a row of the source."""
        members = {self.rules[place].name: shown(row[place], place in self.hidden)
                   for place in sorted(unfit - self.refused)}
        return Json(members) if members else None


def shown(value: Any, hidden: bool) -> dict[str, Any]:
    classes = {int: "integer", float: "real", bytes: "blob"}
    member: dict[str, Any] = {"class": classes.get(type(value), "text")}
    if hidden:
        return member
    if isinstance(value, Torn):
        return {**member, "base64": base64.b64encode(value.units).decode(), "encoding": "UTF-16LE"}
    if isinstance(value, Text):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = "\0"
        plain = "\0" not in text
        return {**member, **({"value": text} if plain else {"base64": base64.b64encode(value).decode()})}
    if isinstance(value, bytes):
        return {**member, "value": base64.b64encode(value).decode()}
    return {**member, "value": value if isinstance(value, float) else str(value)}


def received(cell: str | None) -> Json | None:
    """A cell of the column, with its reals as numbers: there are several shortest texts of one."""
    if cell is None:
        return None
    members = parse_json(cell)
    for member in members.values():
        if member["class"] == "real" and isinstance(member.get("value"), str):
            member["value"] = float(member["value"])
    return Json(members)

"""Two models of a table -> what their definitions say differently, in words: pure. What follows from
it in BigQuery is the business of changes.py."""

from __future__ import annotations

from typing import Any, Dict, List

from .model import Column, Table
from .naming import fold


def differences(was: Table, table: Table) -> List[str]:
    """One sentence for each setting that differs; columns that are new or gone are left out."""
    lines = _differ("", _table_settings(was), _table_settings(table))
    before = {fold(column.name): column for column in was.columns}
    for column in table.columns:
        old = before.get(fold(column.name))
        if old is not None:
            lines += _differ(
                "`%s`: " % column.name, _column_settings(old), _column_settings(column))
    return lines


def _differ(place: str, was: Dict[str, Any], now: Dict[str, Any]) -> List[str]:
    return [
        "%s`%s` is %s, it was %s." % (place, key, _shown(now[key]), _shown(was[key]))
        for key in now if was[key] != now[key]]


def code(text: str) -> str:
    """Text as code in Markdown, on one line."""
    text = " ".join(text.split())
    return "`` %s ``" % text if "`" in text else "`%s`" % text


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(code(item) for item in value) or "empty"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return code(value) if value else "not set"


def _table_settings(table: Table) -> Dict[str, Any]:
    return {
        "file": table.stem + ".json",
        "target": table.target,
        "key": tuple(column.name for column in table.key),
        "where": table.where,
        "sync.mode": table.mode,
        "sync.capture": table.capture,
        "sync.deletes": table.deletes,
        "sync.columns_not_listed": "error" if table.unlisted_fails else "ignore",
        "sync.ignore": table.ignored,
        "sync.history": _history(table),
        "on_reject": table.on_reject,
    }


def _history(table: Table) -> str:
    if table.history is None:
        return ""
    return "keep_days: %d" % table.history.keep_days if table.history.keep_days else "true"


def _column_settings(column: Column) -> Dict[str, Any]:
    transform, reading = column.transform, column.reading
    argument = transform.key_variable or transform.truncate_to
    settings: Dict[str, Any] = {
        "name": column.name,
        "source": column.source,
        "type": column.type.name,
        "mode": "REQUIRED" if column.required else "NULLABLE",
        "transform": "" if transform.kind == "none" else (
            "%s:%s" % (transform.kind, argument) if argument else transform.kind),
        "format": reading.formats,
    }
    options = ("zone", "fraction", "empty", "date", "bool", "text")
    settings.update({option: getattr(reading, option) for option in options})
    settings["json"] = "round" if column.json_rounds else "exact"
    settings["immutable"] = column.immutable
    return settings

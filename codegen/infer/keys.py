"""The key of a table: its primary key, else a unique index over NOT NULL columns, else none.

A key is what BigQuery compares, so two spellings of one value must not occur: where the declared
types do not exclude that, all keys are converted and counted.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from decimal import Decimal
from typing import Any, Callable, Dict, List, Set, Tuple

from ..naming import fold, sqlite_name
from . import texts
from .catalog import SourceTable
from .choice import TIMES, Choice, refused
from .profile import Profile

COLUMNS_MAX = 16


def candidates(table: SourceTable) -> List[Tuple[str, ...]]:
    """The primary key first, then unique indexes whose columns are all NOT NULL, the shortest first."""
    if table.kind != "table":
        return []
    found = [table.primary_key] if table.primary_key else []
    not_null = {fold(column.name) for column in table.columns if column.not_null}
    found += [names for names in table.unique if all(fold(name) in not_null for name in names)]
    return [names for names in found if len(names) <= COLUMNS_MAX]


def problem(
    database: sqlite3.Connection, table: SourceTable, names: Tuple[str, ...],
    profiles: Dict[str, Profile], choices: Dict[str, Choice]
) -> str:
    """Why these columns cannot be the key, "" if they can."""
    for name in names:
        profile, choice = profiles[name], choices[name]
        if profile.nulls:
            return "%s has NULLs" % name
        if choice.type in ("FLOAT64", "JSON"):
            return "%s is %s, which BigQuery does not compare" % (name, choice.type)
        if choice.empty or refused(choice, profile):
            return "%s has values that are no %s" % (name, choice.type)
        if choice.type in TIMES and (len(choice.formats) > 1 or profile.reals):
            return "%s has times in several forms, or such as are rounded" % name
    if all(_keeps_apart(profiles[name], choices[name]) for name in names):
        return ""
    return _twins(database, table, names, choices)


def _keeps_apart(profile: Profile, choice: Choice) -> bool:
    """Whether the values have one form each, so that what is unique in SQLite is so in BigQuery."""
    values = profile.values
    if choice.type in ("INT64", "BOOL"):
        return profile.ints == values
    if choice.type == "STRING":
        return profile.texts == values or profile.blobs == values
    return choice.type == "BYTES" and values in (profile.blobs, profile.texts)


def _twins(
    database: sqlite3.Connection, table: SourceTable, names: Tuple[str, ...],
    choices: Dict[str, Choice]
) -> str:
    converters = [_converter(choices[name]) for name in names]
    selected = ", ".join(_selected(name, choices[name]) for name in names)
    seen: Set[bytes] = set()
    rows = 0
    for row in database.execute(
            "select %s from main.%s" % (selected, sqlite_name(table.name))):
        # 16 bytes a key, however long it is.
        key = repr([convert(value) for convert, value in zip(converters, row)])
        seen.add(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest())
        rows += 1
    if len(seen) < rows:
        return "BigQuery could not tell %d of the %d keys from another one" % (rows - len(seen), rows)
    return ""


def _selected(name: str, choice: Choice) -> str:
    column = sqlite_name(name)
    if choice.type == "STRING":
        return "case typeof(%s) when 'blob' then %s else cast(%s as text) end" % (column, column, column)
    return column


def _converter(choice: Choice) -> Callable[[Any], Any]:
    """From SQLite's value to one that looks the same exactly if BigQuery's is equal."""
    converters: Dict[str, Callable[[Any], Any]] = {
        "INT64": int, "BOOL": _truth, "NUMERIC": _decimal, "BIGNUMERIC": _decimal,
        "BYTES": _bytes, "STRING": _text_of(choice),
    }
    return converters.get(choice.type, _moment)


def _truth(value: Any) -> Any:
    return texts.truth(value) if isinstance(value, str) else int(value)


def _decimal(value: Any) -> str:
    """Without zeros that say nothing: 1.50 and 15e-1 are one number."""
    sign, digits, exponent = Decimal(repr(value) if isinstance(value, float) else value).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    shown = text.rstrip("0")
    if not shown:
        return "0"
    return "%s%se%d" % ("-" if sign else "", shown, int(exponent) + len(text) - len(shown))


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


def _text_of(choice: Choice) -> Callable[[Any], Any]:
    def text(value: Any) -> Any:
        if not isinstance(value, bytes):
            return value
        if choice.text not in ("uuid", "guid"):
            return value.decode("utf-8", "surrogateescape")
        return str(uuid.UUID(bytes_le=value) if choice.text == "guid" else uuid.UUID(bytes=value))

    return text


def _moment(value: Any) -> Any:
    """Counts of one format differ where their moments do."""
    found = texts.moment(value) if isinstance(value, str) else None
    return found if found is not None else _decimal(value)

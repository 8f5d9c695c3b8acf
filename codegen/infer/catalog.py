"""The tables of a database: SQLite's schema and pragmas, and what is passed over."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

from ..naming import fold, sqlite_name
from .comments import Remarks, read_remarks

# Tables that virtual tables keep their content in: FTS3 to FTS5, R-tree, Geopoly.
_SHADOWS = ("data", "idx", "content", "docsize", "config", "segments", "segdir", "stat", "node",
            "parent", "rowid")
_VIRTUAL = re.compile(r"\s*create\s+virtual\s+table\b", re.IGNORECASE)
_NAME_BYTES_MAX = 255
_OURS = ("sqlite_", "bq_sync_")


@dataclass(frozen=True)
class SourceColumn:
    name: str
    declared: str
    not_null: bool
    default: str
    generated: bool
    remark: str
    checked_bit: bool  # CHECK (c IN (0, 1))


@dataclass(frozen=True)
class ForeignKey:
    columns: Tuple[str, ...]
    parent: str
    parent_columns: Tuple[str, ...]  # empty: its primary key


@dataclass(frozen=True)
class SourceTable:
    name: str
    kind: str  # table, view or virtual
    columns: Tuple[SourceColumn, ...]
    primary_key: Tuple[str, ...]
    rowid_key: bool  # the primary key is the INTEGER PRIMARY KEY
    without_rowid: bool
    unique: Tuple[Tuple[str, ...], ...]  # unique indexes over columns alone, without a WHERE
    foreign_keys: Tuple[ForeignKey, ...]
    remark: str
    unwritable: Tuple[str, ...]  # columns whose names no definition can hold; not in columns


@dataclass
class Catalog:
    tables: List[SourceTable] = field(default_factory=list)
    passed_over: List[Tuple[str, str]] = field(default_factory=list)  # name, why

    def find(self, name: str) -> Optional[SourceTable]:
        return next((table for table in self.tables if fold(table.name) == fold(name)), None)


def is_writable(name: str) -> bool:
    """Whether a definition can hold the name, and a statement: no control character, and valid
    Unicode."""
    return bool(name.strip()) and not any(
        ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for char in name)


def read_catalog(database: sqlite3.Connection) -> Catalog:
    catalog = Catalog()
    rows = database.execute(
        "select type, name, coalesce(sql, '') from sqlite_master where type in ('table', 'view') "
        "order by name").fetchall()
    virtual = [name for kind, name, sql in rows if kind == "table" and _VIRTUAL.match(sql)]
    shadows = _shadows(database, rows, virtual)
    for kind, name, sql in rows:
        if fold(name).startswith(_OURS):
            continue
        if not is_writable(name) or len(name.encode("utf-8")) > _NAME_BYTES_MAX:
            catalog.passed_over.append((name, "its name cannot be written in a definition"))
            continue
        if fold(name) in shadows:
            catalog.passed_over.append(
                (name, "belongs to the virtual table %s" % shadows[fold(name)]))
            continue
        if name in virtual:
            kind = "virtual"
        try:
            catalog.tables.append(_read_table(database, kind, name, sql))
        except sqlite3.Error as error:
            catalog.passed_over.append((name, "cannot be read: %s" % error))
    return catalog


def _shadows(
    database: sqlite3.Connection, rows: List[Tuple[str, str, str]], virtual: List[str]
) -> Dict[str, str]:
    """Shadow table -> virtual table, in lower case."""
    names = {fold(name): name for kind, name, _ in rows if kind == "table"}
    found = {}
    for owner in virtual:
        for suffix in _SHADOWS:
            shadow = "%s_%s" % (fold(owner), suffix)
            if shadow in names and names[shadow] not in virtual:
                found[shadow] = owner
    # Known since SQLite 3.37; before, the list is empty.
    for _, name, kind, *_rest in database.execute("pragma main.table_list"):
        if kind == "shadow":
            owner = max((one for one in virtual if fold(name).startswith(fold(one) + "_")),
                        key=len, default="one of SQLite's modules")
            found.setdefault(fold(name), owner)
    return found


def _read_table(
    database: sqlite3.Connection, kind: str, name: str, sql: str
) -> SourceTable:
    remarks = read_remarks(sql) if kind == "table" else Remarks()
    columns: List[SourceColumn] = []
    unwritable: List[str] = []
    key: List[Tuple[int, str]] = []
    for _, column, declared, not_null, default, place, hidden in database.execute(
            "pragma main.table_xinfo(%s)" % sqlite_name(name)):
        if hidden == 1:  # of a virtual table: an argument, not content
            continue
        if place:
            key.append((place, column))
        if not is_writable(column):
            unwritable.append(column)
            continue
        columns.append(SourceColumn(
            column, declared or "", bool(not_null), default or "", hidden in (2, 3),
            remarks.columns.get(fold(column), ""), fold(column) in remarks.bits))
    primary = tuple(column for _, column in sorted(key))
    indexes = database.execute("pragma main.index_list(%s)" % sqlite_name(name)).fetchall()
    # An INTEGER PRIMARY KEY is the rowid itself and has no index of its own.
    by_index = any(row[3] == "pk" for row in indexes)
    without_rowid = bool(primary) and kind == "table" and _is_without_rowid(database, name)
    return SourceTable(
        name, kind, tuple(columns), primary,
        kind == "table" and len(primary) == 1 and not by_index and not without_rowid,
        without_rowid, _unique(database, indexes),
        _foreign_keys(database, name) if kind == "table" else (), remarks.table, tuple(unwritable))


def _is_without_rowid(database: sqlite3.Connection, name: str) -> bool:
    """Such a table's primary key index holds all columns and no rowid."""
    for row in database.execute("pragma main.index_list(%s)" % sqlite_name(name)).fetchall():
        if row[3] == "pk":
            return all(cid != -1 for _, cid, *_rest in database.execute(
                "pragma main.index_xinfo(%s)" % sqlite_name(row[1])))
    return False


def _unique(
    database: sqlite3.Connection, indexes: List[Tuple[int, str, int, str, int]]
) -> Tuple[Tuple[str, ...], ...]:
    found = []
    for _, index, unique, origin, partial in indexes:
        if not unique or partial or origin == "pk":
            continue
        names = [row[2] for row in database.execute(
            "pragma main.index_info(%s)" % sqlite_name(index))]
        if all(column is not None for column in names):
            found.append(tuple(names))
    return tuple(sorted(set(found), key=lambda names: (len(names), names)))


def _foreign_keys(database: sqlite3.Connection, name: str) -> Tuple[ForeignKey, ...]:
    keys: Dict[int, List[Tuple[int, str, str, Optional[str]]]] = {}
    for number, place, parent, column, parent_column, *_rest in database.execute(
            "pragma main.foreign_key_list(%s)" % sqlite_name(name)):
        keys.setdefault(number, []).append((place, parent, column, parent_column))
    found = []
    for _, rows in sorted(keys.items()):
        rows.sort(key=lambda row: row[0])
        parents = tuple(row[3] for row in rows if row[3] is not None)
        found.append(ForeignKey(tuple(row[2] for row in rows), rows[0][1], parents))
    return tuple(found)

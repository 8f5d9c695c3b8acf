"""Reads every value of a table into the profiles of its columns, a few megabytes at a time."""

from __future__ import annotations

import sqlite3
from typing import Callable, List, Sequence

from ..naming import sqlite_name
from .catalog import SourceTable
from .profile import Profile
from .source import Source

_CHUNK_BYTES = 4_000_000
_CHUNK_VALUES = 200_000

Progress = Callable[[str, int, int], None]


def read_profiles(
    source: Source, table: SourceTable, apple: bool, progress: Progress
) -> List[Profile]:
    """Raises sqlite3.Error if the table cannot be read."""
    total = _count(source.connection, table)
    try:
        return _read(source, table, total, apple, progress)
    except sqlite3.OperationalError as error:
        if "Could not decode" not in str(error):
            raise
    with source.lenient():
        return _read(source, table, total, apple, progress)


def _count(database: sqlite3.Connection, table: SourceTable) -> int:
    return int(database.execute(
        "select count(*) from main.%s" % sqlite_name(table.name)).fetchone()[0])


def _read(
    source: Source, table: SourceTable, total: int, apple: bool, progress: Progress
) -> List[Profile]:
    profiles = [Profile(column, total, apple) for column in table.columns]
    names = ", ".join(sqlite_name(column.name) for column in table.columns)
    cursor = source.connection.execute(
        "select %s from main.%s" % (names, sqlite_name(table.name)))
    most = max(16, _CHUNK_VALUES // max(1, len(profiles)))
    rows, done = min(64, most), 0
    while True:
        chunk = cursor.fetchmany(rows)
        if not chunk:
            return profiles
        columns = list(zip(*chunk))
        for profile, values in zip(profiles, columns):
            profile.add(values)
        done += len(chunk)
        progress(table.name, done, total)
        size = max(1, sum(_size(values) for values in columns) // len(chunk))
        rows = max(1, min(most, rows * 8, _CHUNK_BYTES // size))


def _size(values: Sequence[object]) -> int:
    """Bytes, about: judged by a few of the values."""
    step = max(1, len(values) // 16)
    some = values[::step]
    texts = sum(len(value) for value in some if isinstance(value, (str, bytes)))
    return texts * step + 8 * len(values)

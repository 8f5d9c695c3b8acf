"""Reads every value of a table into the profiles of its columns, a few megabytes at a time."""

from __future__ import annotations

import sqlite3
from typing import Any, Callable, Iterator, List, Tuple

from ..naming import sqlite_name
from .catalog import SourceTable
from .profile import Profile
from .source import Source

_CHUNK_BYTES = 4_000_000
_CHUNK_VALUES = 200_000
_FETCH_ROWS = 32

Row = Tuple[Any, ...]
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
    done = 0
    for rows in _chunks(cursor, max(16, _CHUNK_VALUES // len(profiles))):
        for profile, values in zip(profiles, zip(*rows)):
            profile.add(values)
        done += len(rows)
        progress(table.name, done, total)
    return profiles


def _chunks(cursor: sqlite3.Cursor, most: int) -> Iterator[List[Row]]:
    """The rows, in portions of a few megabytes; they are fetched a few at a time, because the next
    one may be large."""
    chunk: List[Row] = []
    size, few = 0, 1
    while True:
        rows = cursor.fetchmany(few)
        if rows:
            largest = max(map(_size, (rows[0], rows[len(rows) // 2], rows[-1])))
            few = max(1, min(_FETCH_ROWS, _CHUNK_BYTES // largest))
            size += largest * len(rows)
            chunk += rows
        if chunk and (not rows or size >= _CHUNK_BYTES or len(chunk) >= most):
            yield chunk
            chunk, size = [], 0
        if not rows:
            return


def _size(row: Row) -> int:
    """Bytes, about."""
    return 8 * len(row) + sum(len(value) for value in row if isinstance(value, (str, bytes)))

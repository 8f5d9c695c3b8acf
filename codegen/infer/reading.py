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
        profiles = _read(source, table, total, apple, progress)
    except sqlite3.OperationalError as error:
        if "Could not decode" not in str(error):
            raise
        with source.lenient():
            profiles = _read(source, table, total, apple, progress)
    if source.utf16:
        _count_bad(source.connection, table, profiles, source.utf16)
    return profiles


def _count_bad(
    database: sqlite3.Connection, table: SourceTable, profiles: List[Profile], encoding: str
) -> None:
    """Of a database in UTF-16. SQLite makes another text of half a surrogate pair, so the bytes are
    looked at."""
    def is_lone(data: bytes) -> bool:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            return True
        return False

    def is_bad(data: bytes) -> bool:
        return is_lone(data) or "\x00" in data.decode(encoding)

    database.create_function("bqsync_is_lone", 1, is_lone)
    database.create_function("bqsync_is_bad", 1, is_bad)
    for profile in profiles:
        if profile.texts:
            column = sqlite_name(profile.column.name)
            profile.text_lone, profile.text_bad = database.execute(
                "select coalesce(sum(bqsync_is_lone(cast(%s as blob))), 0), "
                "coalesce(sum(bqsync_is_bad(cast(%s as blob))), 0) from main.%s where typeof(%s) = 'text'"
                % (column, column, sqlite_name(table.name), column)).fetchone()


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

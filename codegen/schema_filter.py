"""What a "where" may look like: one SQLite expression that can stand in parentheses and depends on
its own row alone. SQLite is the judge of that: what it refuses as the WHERE of a partial index is
refused here too."""

from __future__ import annotations

import re
import sqlite3
from typing import Iterator

from .naming import fold, sqlite_name

_SKIP = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL)
_CLOCK = re.compile(
    r"\b(?:current_(?:date|time|timestamp)\b"
    r"|(?:date|time|datetime|julianday|unixepoch|strftime|timediff)\s*\()", re.IGNORECASE)
_MISSING_COLUMN = re.compile(r"no such column: (.*)", re.DOTALL)
_MISSING_FUNCTION = re.compile(r"no such function: (.*)", re.DOTALL)


def filter_problem(text: str, table: str) -> str:
    """What is wrong with the filter of a table, "" if nothing is."""
    return _form_problem(text) or _meaning_problem(text, table)


def _form_problem(text: str) -> str:
    bare = _SKIP.sub(" ", text)
    if ";" in bare:
        return 'must be one expression, without ";"'
    for mark, what in (("'", "quote"), ('"', "quote"), ("`", "quote"), ("/*", "comment"),
                       ("[", "bracket")):
        if mark in bare:
            return "a %s (%s) is not closed" % (what, mark)
    parameter = re.search(r"\?[0-9]*|[:@#$][A-Za-z_0-9]+", bare)
    if parameter:
        return "must not hold parameters (%s)" % parameter.group()
    depth = 0
    for char in bare:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            break
    if depth != 0:
        return "parentheses do not pair up"
    return "" if bare.strip() else "must be an expression, not only a comment"


def _meaning_problem(text: str, table: str) -> str:
    database = sqlite3.connect(":memory:")
    try:
        name = sqlite_name(table)
        database.execute("create table %s (bq_sync_row)" % name)
        message = _refusal(database, table, text)
        function = _MISSING_FUNCTION.fullmatch(message)
        if function:
            return ("SQLite has no function %s(); a filter cannot call functions of the application"
                    % function.group(1))
        if message:
            return ("must be an expression over its own row alone, as in a partial index; "
                    "SQLite says: " + message)
        # Whether a function looks at the clock is only known when it is called. Any value will do:
        # 1 is a day; a NULL may have the clock in its place.
        columns = [row[1] for row in database.execute("pragma table_info(%s)" % name)]
        for value in ("1", "null"):
            database.execute(
                "insert into %s values (%s)" % (name, ", ".join(value for _ in columns)))
        for call in _clock_calls(text):
            message = _refusal(database, table, "%s is null" % call)
            if "non-deterministic" in message:
                return "depends on the clock or the time zone (%s), not on its own row alone" % call
        return ""
    finally:
        database.close()


def _refusal(database: sqlite3.Connection, table: str, text: str) -> str:
    """SQLite's words about a partial index with this filter, "" if it takes it. The filter may name
    columns that the definition does not list, so each one that SQLite misses is added."""
    name = sqlite_name(table)
    while True:
        try:
            database.execute(
                "create index bq_sync_filter on %s (bq_sync_row) where (\n%s\n)" % (name, text))
        # ValueError: a NUL, or a lone surrogate.
        except (sqlite3.Error, ValueError) as error:
            message = str(error)
        else:
            database.execute("drop index bq_sync_filter")
            return ""
        missing = _MISSING_COLUMN.fullmatch(message)
        if not missing:
            return message
        column = missing.group(1)
        for prefix in ("main.", table + "."):
            if fold(column).startswith(fold(prefix)):
                column = column[len(prefix):]
        try:
            database.execute("alter table %s add column %s" % (name, sqlite_name(column)))
        except (sqlite3.Error, ValueError):
            return message


def _clock_calls(text: str) -> Iterator[str]:
    """The calls of functions that may look at the clock."""
    bare = _SKIP.sub(lambda found: " " * len(found.group()), text)
    for found in _CLOCK.finditer(bare):
        end = found.end()
        depth = 1 if bare[end - 1] == "(" else 0
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(bare[end], 0)
            end += 1
        yield text[found.start():end]

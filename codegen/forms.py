"""How values may be stored in SQLite: the formats of times and the options of a column that widen
what is read. One table for the checks, the emitter and docs/schema.md.

Sources: Microsoft documentation, "DateTime.Ticks Property", "FILETIME structure",
"Guid.ToByteArray Method"; Apple documentation, "NSDate", timeIntervalSinceReferenceDate; Go
documentation, package time, Time.String; Chromium, base/time/time.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

_INSTANTS = ("DATE", "DATETIME", "TIMESTAMP")


@dataclass(frozen=True)
class TimeFormat:
    name: str  # in schema files; TIME_FORMAT_<NAME> in C
    types: Tuple[str, ...]
    stored: str  # for people
    who: str  # whose databases have it
    example: str  # a stored value, as SQL
    reads: str  # what BigQuery shows of the example, as TIMESTAMP in UTC


TIME_FORMATS = (
    TimeFormat("iso8601", _INSTANTS + ("TIME",), "text, see [below](#texts)",
               "most; `datetime('now')`", "'2024-01-01 10:00:00.5'", "2024-01-01 10:00:00.500000"),
    TimeFormat("unix_s", _INSTANTS, "seconds since 1970-01-01 00:00 UTC",
               "`unixepoch()`, `strftime('%s')`", "1704103200", "2024-01-01 10:00:00.000000"),
    TimeFormat("unix_ms", _INSTANTS, "milliseconds since then",
               "JavaScript, Prisma, Java, Android", "1704103200500", "2024-01-01 10:00:00.500000"),
    TimeFormat("unix_us", _INSTANTS, "microseconds since then", "Firefox",
               "1704103200500000", "2024-01-01 10:00:00.500000"),
    TimeFormat("unix_ns", _INSTANTS, "nanoseconds since then", "Go, Rust",
               "1704103200500000000", "2024-01-01 10:00:00.500000"),
    TimeFormat("julian", _INSTANTS, "days since noon, 24 November 4714 BC", "`julianday()`",
               "2460310.75", "2024-01-01 06:00:00.000000"),
    TimeFormat("dotnet_ticks", _INSTANTS, "100 ns since 0001-01-01", "sqlite-net, .NET",
               "638397000005000000", "2024-01-01 10:00:00.500000"),
    TimeFormat("apple_s", _INSTANTS, "seconds since 2001-01-01 UTC", "Core Data",
               "725796000.5", "2024-01-01 10:00:00.500000"),
    TimeFormat("apple_ns", _INSTANTS, "nanoseconds since 2001-01-01 UTC", "iMessage",
               "725796000500000000", "2024-01-01 10:00:00.500000"),
    TimeFormat("webkit_us", _INSTANTS, "microseconds since 1601-01-01 UTC", "Chrome",
               "13348576800500000", "2024-01-01 10:00:00.500000"),
    TimeFormat("filetime", _INSTANTS, "100 ns since 1601-01-01 UTC", "Windows",
               "133485768005000000", "2024-01-01 10:00:00.500000"),
    TimeFormat("go", ("TIMESTAMP",), "text: date, time, offset, name of the zone, and perhaps `m=`",
               "Go's `Time.String()`, Grafana",
               "'2024-01-01 13:30:00.5 +0330 +0330 m=+84630.7'", "2024-01-01 10:00:00.500000"),
)

BY_NAME = {row.name: row for row in TIME_FORMATS}


@dataclass(frozen=True)
class Option:
    key: str  # in schema files
    value: str  # the only one it may have, "" if it is free
    types: Tuple[str, ...]
    reads: str  # for people: what it does
    who: str
    example: str  # stored; what BigQuery gets


_ALL_BUT_TEXT = ("INT64", "FLOAT64", "BOOL", "NUMERIC", "BIGNUMERIC", "DATE", "TIME", "DATETIME",
                 "TIMESTAMP", "JSON", "GEOGRAPHY")
_TEXTS = ("STRING", "JSON", "GEOGRAPHY")

OPTIONS = (
    Option("fraction", "truncate", ("TIME", "DATETIME", "TIMESTAMP"),
           "**Lossy.** What is finer than a microsecond is dropped, in texts and numbers.",
           ".NET, EF Core, Go, Diesel, sqlx",
           "`'2024-01-01 10:00:00.123456789 +00:00'` becomes 10:00:00.123456"),
    Option("zone", "", ("TIMESTAMP",),
           "The time zone of texts without one, by the tz database: `\"Europe/Berlin\"`. A date alone "
           "is midnight there. A time that the clocks skipped is rejected; of one that they showed "
           "twice the earlier moment counts. A text with its own zone keeps it.",
           "Django without USE_TZ, `datetime('now', 'localtime')`",
           "`'2024-07-01 12:00:00'` becomes 10:00 UTC"),
    Option("empty", "null", _ALL_BUT_TEXT,
           "An empty text is NULL; for times also `0000-00-00`, alone or with a time of zeros.",
           "PocketBase, Jellyfin, imports from MySQL", "`''` becomes NULL"),
    Option("date", "drop", ("TIME",),
           "**Lossy.** A date in front of the time of day is dropped.", "Rails",
           "`'2000-01-01 10:00:00'` becomes 10:00:00"),
    Option("bool", "words", ("BOOL",),
           "Also `t`, `f`, `yes`, `no`, `y`, `n`, `on` and `off`, in any case.",
           "Rails before 6, Sequel", "`'t'` becomes TRUE"),
    Option("text", "uuid", ("STRING",),
           "A blob of 16 bytes becomes its UUID in lower case; texts stay as they are.",
           "Home Assistant, many ORMs", "`x'6ba7b8109dad11d180b400c04fd430c8'` becomes "
           "`6ba7b810-9dad-11d1-80b4-00c04fd430c8`"),
    Option("text", "guid", ("STRING",),
           "The same with the byte order of .NET: the first three groups are little-endian.",
           "EF Core, Microsoft.Data.Sqlite", "`x'10b8a76bad9dd11180b400c04fd430c8'` becomes "
           "`6ba7b810-9dad-11d1-80b4-00c04fd430c8`"),
    Option("text", "utf8", _TEXTS, "A blob is the text that its bytes are in UTF-8.",
           "Grafana, PocketBase, ecto", "`x'7b7d'` becomes `{}`"),
    Option("text", "jsonb", ("JSON",), "A blob is SQLite's binary JSON.",
           "`jsonb()` of SQLite 3.45, Drizzle", "`jsonb('{\"a\": 1}')` becomes `{\"a\":1}`"),
)


@dataclass(frozen=True)
class Reading:
    """How a column's values are read, beyond its type."""

    formats: Tuple[str, ...] = ("iso8601",)
    zone: str = ""
    fraction: str = ""
    date: str = ""
    empty: str = ""
    bool: str = ""
    text: str = ""

    @property
    def options(self) -> Tuple[Tuple[str, str], ...]:
        """What is said beyond the formats."""
        words = ("zone", "fraction", "date", "empty", "bool", "text")
        return tuple((word, getattr(self, word)) for word in words if getattr(self, word))


def markdown_formats() -> str:
    lines = ["| format | stored as | who | example |", "| --- | --- | --- | --- |"]
    for row in TIME_FORMATS:
        lines.append("| `%s` | %s | %s | `%s` |" % (row.name, row.stored, row.who, row.example))
    return "\n".join(lines) + "\n"


def markdown_options() -> str:
    lines = ["| option | on | what it reads | who | example |", "| --- | --- | --- | --- | --- |"]
    for row in OPTIONS:
        name = '`"%s": "%s"`' % (row.key, row.value or "...")
        types = "all but STRING and BYTES" if row.types == _ALL_BUT_TEXT else ", ".join(row.types)
        lines.append("| %s | %s | %s | %s | %s |" % (name, types, row.reads, row.who, row.example))
    return "\n".join(lines) + "\n"

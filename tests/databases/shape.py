"""What a script of tests/databases/shapes says of its database, and the values that several of them are filled with.

Each script is named after the product whose tables and value forms it repeats, and has

    DDL         the statements that make the tables
    fill(db, make)   inserts the rows; the same ones each time
    READINGS    what `infer` has to make of columns that are easily read wrongly
    HIDDEN      columns that must not reach BigQuery as they are: secrets and personal data
    KEYS        the keys of tables where they are not obvious
    UNFIT       rows with a value that stands in `_bqsync_unfit`: {table: (how many, why)}
    connect(db) gives a connection the product's own functions and collations

All but the first two may be missing. No row of any of them may be rejected.
"""

from __future__ import annotations

import datetime
import importlib
import pathlib
import random
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NAMES = tuple(sorted(path.stem for path in (pathlib.Path(__file__).parent / "shapes").glob("[a-z]*.py")))
UTC = datetime.timezone.utc
START = datetime.datetime(2024, 3, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Reading:
    """`type` may name several, with `|` between them; `options` are what the column has to say at least.

    `sql` is an expression that shows in SQLite what BigQuery has to hold: a judge of the values that is not ours."""

    column: str  # table.column, as SQLite names them
    type: str
    options: dict[str, str] = field(default_factory=dict)
    sql: str = ""

    @property
    def table(self) -> str:
        return self.column.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.column.rpartition(".")[2]


class Shape:
    """One of the databases."""

    def __init__(self, name: str) -> None:
        module = importlib.import_module(f"tests.databases.shapes.{name}")
        self.name = name
        self._module = module
        self.readings: tuple[Reading, ...] = getattr(module, "READINGS", ())
        self.hidden: tuple[str, ...] = getattr(module, "HIDDEN", ())
        self.keys: dict[str, list[str]] = getattr(module, "KEYS", {})
        self.unfit: dict[str, tuple[int, str]] = getattr(module, "UNFIT", {})

    def connect(self, path: pathlib.Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None)
        if hasattr(self._module, "connect"):
            self._module.connect(db)
        return db

    def create(self, path: pathlib.Path) -> None:
        db = self.connect(path)
        try:
            db.executescript(self._module.DDL)
            db.execute("BEGIN")
            self._module.fill(db, Make(self.name))
            db.execute("COMMIT")
        finally:
            db.close()


class Make:
    """Values that look like those of an application; the same ones for the same seed."""

    _FIRST = ("Ana", "Björn", "Chidi", "Dana", "Éloïse", "Farid", "Grażyna", "Hiro", "Ingrid", "José")
    _LAST = ("Ångström", "Brown", "Çelik", "Dvořák", "Eze", "Fischer", "García", "Huang", "Ibrahim", "Jansen")
    _WORDS = ("amber", "bridge", "candle", "delta", "ember", "forest", "garden", "harbor", "island", "jasmine",
              "kettle", "lantern", "meadow", "needle", "orchid", "pepper", "quartz", "river", "saddle", "temple")
    _BCRYPT = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def rows(self, db: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]) -> None:
        """Inserts rows with a value for each column."""
        rows = list(rows)
        marks = ", ".join("?" * len(rows[0]))
        quoted = table.replace('"', '""')
        db.executemany(f'INSERT INTO "{quoted}" VALUES ({marks})', rows)

    def moment(self, step: int, finest: int = 1) -> datetime.datetime:
        """A moment of 2024, later for later steps; in whole `finest` microseconds."""
        us = step * 5_400_000_000 + self.random.randrange(3_600_000_000)
        return START + datetime.timedelta(microseconds=us - us % finest)

    def maybe(self, value: Any, none: Any = None, odds: float = 0.25) -> Any:
        """The value, or now and then none."""
        return none if self.random.random() < odds else value

    def word(self) -> str:
        return self.random.choice(self._WORDS)

    def text(self, words: int = 6) -> str:
        return " ".join(self.word() for _ in range(words))

    def person(self) -> tuple[str, str]:
        return self.random.choice(self._FIRST), self.random.choice(self._LAST)

    def email(self, number: int) -> str:
        return f"{self.word()}.{number}@{self.word()}.example"

    def uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def hex(self, size: int) -> str:
        return self.bytes(size).hex()

    def bytes(self, size: int) -> bytes:
        return bytes(self.random.randrange(256) for _ in range(size))

    def id(self, length: int = 15) -> str:
        return "".join(self.random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))

    def bcrypt(self, kind: str = "2a", cost: int = 10) -> str:
        return f"${kind}${cost}$" + "".join(self.random.choice(self._BCRYPT) for _ in range(53))


def unix_us(moment: datetime.datetime) -> int:
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def webkit_us(moment: datetime.datetime) -> int:
    """Microseconds since 1601."""
    return unix_us(moment) + 11_644_473_600_000_000


def apple_s(moment: datetime.datetime) -> float:
    """Seconds since 2001."""
    return unix_us(moment - datetime.timedelta(seconds=978_307_200)) / 1_000_000


def naive(moment: datetime.datetime, digits: int = 6, separator: str = " ") -> str:
    """The text of a moment with so many digits behind the second, without a zone."""
    text = moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S")
    return text if digits == 0 else text + "." + f"{moment.microsecond:06d}".ljust(digits, "0")[:digits]


def seconds_in_sqlite(expression: str) -> str:
    """SQLite's own text of a number of seconds since 1970."""
    return f"strftime('%Y-%m-%d %H:%M:%f', {expression}, 'unixepoch')"


def text_in_sqlite(column: str) -> str:
    """SQLite's own reading of a text."""
    return f"strftime('%Y-%m-%d %H:%M:%f', {column})"


def hex_in_sqlite(column: str) -> str:
    return f"iif({column} IS NULL, NULL, hex({column}))"


def uuid_in_sqlite(column: str) -> str:
    """The text of a UUID that is stored as a blob."""
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr(lower(hex({column})), {start}, {length})" for start, length in parts)

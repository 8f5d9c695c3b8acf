"""The tables of the random lives: how an application creates them, and the values that it writes.

A table is an entry of TABLES. Its values are functions of one random.Random; `misfits` are values that the column's
type cannot hold, so that bqsync rejects the row.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

BAD_TEXT = b"\xff\xfe"  # not UTF-8
Value = Callable[[Any], Any]


@dataclass(frozen=True)
class Raw:
    """A TEXT value that is not well-formed, which Python cannot bind as a str.

    Unless `encoded` says that the bytes are already those in the database, bytes beyond ASCII are lone surrogates in a
    database of UTF-16, or the text there is `wide`."""

    data: bytes
    encoded: bool = False
    wide: str = ""

    def stored(self, encoding: str) -> bytes:
        if self.encoded or encoding == "utf-8":
            return self.data
        text = self.wide or "".join(chr(byte if byte < 0x80 else 0xD800 + byte) for byte in self.data)
        return text.encode(encoding, "surrogatepass")


BAD = Raw(BAD_TEXT)


@dataclass(frozen=True)
class Table:
    create: str
    values: dict[str, Value]  # of each column that the application writes, but for an id that SQLite gives
    key: tuple[str, ...] = ("id",)
    misfits: dict[str, list[Any]] = field(default_factory=dict)
    unique: frozenset[str] = frozenset()  # columns that cannot be the same in all rows
    spellings: dict[str, list[list[Any]]] = field(default_factory=dict)  # of each key: what is one value in BigQuery
    fixed: frozenset[str] = frozenset()  # columns that no misfit can be updated away from; the row is deleted

    @property
    def numbered(self) -> bool:
        """Whether the key is an INTEGER PRIMARY KEY that SQLite may choose."""
        return self.key == ("id",)

    @property
    def plain(self) -> list[str]:
        """The columns outside of the key."""
        return [name for name in self.values if name not in self.key]


def one_of(*values: Any) -> Value:
    return lambda rng: rng.choice(values)


def number(rng: Any) -> int:
    return rng.choice([0, 1, -1, 7, 2**31, -2**63, 2**63 - 1, rng.randrange(-10**6, 10**6)])


def text(rng: Any) -> str:
    return rng.choice(["", "a", "Zoë", "日本", "x\ty\n", "'quoted\"", "💥", "null", "0", "%s",
                       "w" * rng.randrange(300), str(rng.randrange(10**6))])


def text_or_null(rng: Any) -> str | None:
    return rng.choice([None, text(rng)])


def json_text(rng: Any) -> str | None:
    return rng.choice(['{"b": 1, "a": [1, 2.5, null]}', "[]", "null", '"t"', "17", '{"k":"ü"}', None,
                       "[67.174118, 1.50, 18446744073709551615]"])


def geography(rng: Any) -> str | None:
    return rng.choice([None, f"POINT({rng.randrange(180)} {rng.randrange(90)})", "polygon empty"])


def moment(rng: Any) -> str | None:
    return rng.choice(["2024-02-29 12:30:00", "1970-01-01T00:00:00Z", "2021-06-01 01:02:03.000004+05:30",
                       "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", None])


# The tables of tests/schemas.
CLASSIC = {
    "events": Table(
        "create table events(id integer primary key autoincrement, kind text not null, payload json, at integer)",
        {"kind": text, "payload": json_text,
         "at": lambda r: r.choice([None, 0, 1, 1700000000000 + r.randrange(10**9)])},
        misfits={"payload": ["{", "nul"], "at": ["soon", 1.5], "kind": [b"\x01", BAD]}),
    "accounts": Table(
        "create table accounts(id integer primary key, email text not null unique, balance numeric, note text)",
        {"email": lambda r: f"{text(r)[:20]}{r.randrange(60)}@x",
         "balance": lambda r: r.choice([None, 0, 1.5, -3, "12.25", r.randrange(10**6) / 4]), "note": text_or_null},
        misfits={"email": [BAD], "balance": ["much", b"1"], "note": [b"x", BAD]},
        unique=frozenset(["email"]), fixed=frozenset(["email"])),
    "settings": Table(
        "create table settings(name text primary key, value text)",
        {"name": lambda r: r.choice("abcdefgh") + text(r)[:3], "value": text_or_null},
        key=("name",), misfits={"value": [b"v", BAD]}, fixed=frozenset(["name"])),
    "memberships": Table(
        "create table memberships(team text not null, person text not null, role text, since text,"
        " primary key (team, person)) without rowid",
        {"team": one_of("core", "Core", "ops", "é", ""),
         "person": lambda r: r.choice(["ann", "bob", "eve", "zed", text(r)[:8]]),
         "role": lambda r: r.choice([None, "lead", text(r)]),
         "since": one_of(None, "2020-02-29", "0001-01-01", "9999-12-31")},
        key=("team", "person"), misfits={"since": ["yesterday", "2021-02-29"], "role": [b"r", BAD]},
        fixed=frozenset(["team", "person"])),
    "devices": Table(
        "create table devices(serial text primary key not null, online, reading)",
        {"serial": lambda r: f"s-{r.randrange(25)}{text(r)[:2]}", "online": one_of(None, 0, 1, "true", "FALSE"),
         "reading": one_of(None, 0.0, -1.5, 1e300, 3, "2.5")},
        key=("serial",), misfits={"online": [7, "perhaps"], "reading": ["warm", b"1"]}, fixed=frozenset(["serial"])),
    "people": Table(
        "create table people(id integer primary key, email text, name text, phone text,"
        " deleted integer not null default 0)",
        {"email": text_or_null, "name": text_or_null, "phone": text_or_null, "deleted": one_of(0, 0, 0, 1)},
        misfits={"email": [b"e", BAD], "name": [BAD], "phone": [BAD]}),
    "everything": Table(
        "create table everything(id integer primary key, i, f, b, s, y, n, bn, d, t, dt, ts, j, g)",
        {"i": lambda r: r.choice([None, number(r), "42", 3.0]), "f": one_of(None, 1.5, -0.0, 2**53, "1e5"),
         "b": one_of(None, 0, 1, "true"), "s": text_or_null, "y": lambda r: r.choice([None, b"", b"\x00\xff", text(r)]),
         "n": one_of(None, 1, "0.000000001", -12.5),
         "bn": one_of(None, "1e38", "0.00000000000000000000000000000000000001", 5),
         "d": one_of(None, "1969-12-31", "2024-02-29"), "t": one_of(None, "23:59:59.999999", "00:00:00"),
         "dt": one_of(None, "1970-01-01T00:01", "2024-02-29 01:02:03"), "ts": moment, "j": json_text,
         "g": geography},
        misfits={"i": ["abc", 1.5], "f": ["abc", 2**53 + 1], "b": [2, "t"], "s": [b"s", BAD], "n": ["0.0000000001"],
                 "bn": ["1e39"], "d": ["2021-13-01"], "t": ["24:00:00"], "dt": ["later"], "ts": [1], "j": ["{"],
                 "g": ["here", 12.97]}),
}

# Columns that take any text: with one that is wider than a statement carries, a row passes through a staging table.
WIDE = {"accounts": "note", "settings": "value", "memberships": "role", "orders": "note", "order_lines": "item",
        "logged_days": "note"}

# What BigQuery calls one value, by column type.
SPELLINGS = {
    "TIMESTAMP": [["2024-01-01 00:00:00", "2024-01-01T00:00:00Z", "2024-01-01", "2024-01-01 05:30:00+05:30"],
                  ["2024-02-29 12:30:00.5", "2024-02-29T12:30:00.500000Z"],
                  ["1969-12-31 23:59", "1969-12-31 23:59:00"]],
    "NUMERIC": [["1.0", "1.00", "1", "1e0", "+1"], ["12.5", "12.50"], ["0", "-0", "0.0"]],
    "INT64": [[7, "7", "007", "+7"], [0, "0", "-0"], [42, "42"], [-3, "-3"]],
    "STRING": [[7, "7"], [1, "1"], [1.0, "1.0"], [1.5, "1.5"], ["a"], ["A"]],
    "BYTES": [["ab", b"ab"], ["", b""], ["é", "é".encode()], [b"\x00"]],
    "BOOL": [[1, "1", "true", "TRUE"], [0, "0", "false"]],
    "DATE": [["2024-01-01", "2024-01-01 00:00", "2024-01-01T00:00:00"], ["1969-12-31", "1969-12-31 00:00:00.0"]],
    "TIME": [["10:02", "10:02:00", "10:02:00.0"], ["23:59:59.5", "23:59:59.500000"], ["00:00", "00:00:00"]],
}


def spelled(groups: list[list[Any]]) -> Value:
    return lambda rng: rng.choice(rng.choice(groups))


def keyed(create: str, **types: str) -> Table:
    """A table of key columns with several spellings and a column v."""
    groups = {name: SPELLINGS[kind] for name, kind in types.items()}
    return Table(create, {**{name: spelled(group) for name, group in groups.items()},
                          "v": lambda r: r.choice([None, "x", str(r.randrange(100))])},
                 key=tuple(types), spellings=groups, fixed=frozenset(types))


KEYED = {
    "key_moments": keyed("create table key_moments(at text primary key, v)", at="TIMESTAMP"),
    "key_amounts": keyed("create table key_amounts(n text primary key, v)", n="NUMERIC"),
    "key_numbers": keyed("create table key_numbers(k primary key, v)", k="INT64"),
    "key_words": keyed("create table key_words(k primary key, v)", k="STRING"),
    "key_hashes": keyed("create table key_hashes(k primary key, v)", k="STRING"),
    "key_blobs": keyed("create table key_blobs(k primary key, v)", k="BYTES"),
    "key_flags": keyed("create table key_flags(k primary key, v)", k="BOOL"),
    "key_days": keyed("create table key_days(d text primary key, v)", d="DATE"),
    "key_clocks": keyed("create table key_clocks(t text primary key, v)", t="TIME"),
    "key_pairs": keyed("create table key_pairs(n, at text, v, primary key(n, at)) without rowid",
                       n="INT64", at="TIMESTAMP"),
    "key_reals": keyed("create table key_reals(k real primary key, v)", k="STRING"),
    "key_scanned": keyed("create table key_scanned(at text primary key, v)", at="TIMESTAMP"),
    "key_appended": keyed("create table key_appended(at text primary key, v)", at="TIMESTAMP"),
    "key_replaced": keyed("create table key_replaced(k primary key, v)", k="STRING"),
}

# Columns that hide words of SQL. No literal of it has another meaning to SQLite.
WORDS = {
    "word_columns": Table("create table word_columns(id integer primary key, true, false)",
                          {"true": one_of(None, 0, 0, 1, 7), "false": text_or_null}, misfits={"false": [b"x", BAD]}),
    "word_keys": Table("create table word_keys(true unique, false)",
                       {"true": one_of(None, 0, 1, 2, 3, 4, 5, 6), "false": one_of(None, 0, 1)}, key=("true",),
                       fixed=frozenset(["true"])),
}

# The views show the rows of one table each; the application writes that.
VIEWS = {
    "view_rows": "create table view_rows_base(id integer primary key, k text not null, v);"
                 " create view view_rows as select k, v from view_rows_base",
    "view_bag": "create table view_bag_base(id integer primary key, k text, v);"
                " create view view_bag as select k, v from view_bag_base",
}
VIEWED = {name: Table(create, {"k": one_of("a", "b", "c", "d"), "v": one_of(None, "x", "y")})
          for name, create in VIEWS.items()}

# Its definition has no key, and does not list the id by which the application knows its rows.
BAGS = {
    "bag": Table("create table bag(id integer primary key, a, b)", {"a": one_of(None, 1, 2), "b": one_of(None, "x", "y")},
                 misfits={"a": ["many", 1.5], "b": [b"x", BAD]}),
}

THING = {
    "owner": one_of(None, "ann", "bob", "eve", "kim", "zed"), "active": one_of(None, 0, 0, 1),
    "slug": one_of(None, *"abcdefgh"), "deleted_at": one_of(None, "2024-01-01", "2024-01-01"),
    "doc": lambda r: r.choice([None, "{\"id\": %d}" % r.randrange(12), "{}", "not json"]),
    "name": one_of(None, "Ann", "ann", "ANN ", "Bob", "bob", "Eve", "eve", "kim"),
    "code": one_of(None, *"defghijk"),
}
THING_COLUMNS = ("owner text, active integer, slug text, deleted_at text, doc text, name text,"
                 " code text not null default 'd'")
# Unique indexes that an application may create on a table of things, and drop again.
INDEXES = [  # the first three are those that frameworks make
    "(owner) where active = 1", "(slug) where deleted_at is null",
    "(owner, slug) where active = 1 and deleted_at is null",
    "(name collate nocase)", "(lower(name))", "(json_extract(doc, '$.id')) where json_valid(doc)", "(code)",
    "(json_extract(doc, '$.id'))",
    "(slug)", "(slug, name)", "(owner) where active in (0, 1) or slug is not null",
    "(name collate rtrim) where active > 0",
    "(coalesce(slug, owner))", "(slug desc) where length(slug) = 1",
]
REF = {"ref": lambda r: f"r{r.randrange(14)}", **THING}
THINGS = {
    "things": Table(f"create table things(id integer primary key, {THING_COLUMNS})", THING),
    "things_text": Table(f"create table things_text(ref text primary key not null, {THING_COLUMNS})",
                         REF, key=("ref",)),
    "things_bare": Table(f"create table things_bare(ref text primary key not null, {THING_COLUMNS}) without rowid",
                         REF, key=("ref",)),
    "things_valid": Table(
        f"create table things_valid(id integer primary key, {THING_COLUMNS}, check (json_valid(doc)))", THING),
    "things_own": Table(
        "create table things_own(id integer primary key, owner text collate localized, active integer,"
        " name text collate localized, code text not null default (app_code()))",
        {name: THING[name] for name in ("owner", "active", "name", "code")}),
    "things_made": Table(
        "create table things_made(id integer primary key, owner text, active integer, name text,"
        " tag text generated always as (lower(name)) stored unique)",
        {name: THING[name] for name in ("owner", "active", "name")}),
}

LOOSE = {"k": one_of(None, "a", "b", "c", "d", "e"), "n": lambda r: r.choice([None, r.randrange(50)])}
# A conversion may make one key of both: of Latin-1 the odd byte, of UTF-16 a lone surrogate and what follows it.
TWINS = [Raw(b"M\xfcller"), Raw(b"M\xf6ller", wide="M\ud8fc\u046cler")]
LOOSE_MISFITS = {"n": ["many", 1.5], "k": [b"k", *TWINS, "a\0b"]}
REJECTED = {
    **{name: Table(f"create table {name}(k text unique, n)", LOOSE, key=("k",), misfits=LOOSE_MISFITS,
                   fixed=frozenset(["k"])) for name in ("loose", "loose_scanned", "loose_replaced")},
    "loose_appended": Table("create table loose_appended(id integer primary key, n, note text)",
                            {"n": LOOSE["n"], "note": text_or_null}, misfits={"n": ["many", 1.5], "note": [b"x", BAD]}),
}

# Definitions with on_reject "column".
MISFIT_MISFITS = {
    "n": ["many", "", 1.5, -0.1, 1e300, float("inf"), b"n", BAD, "a\0b"], "note": [b"", b"\x00\xff", BAD, "a\0b", *TWINS],
    "mail": [b"mail", BAD], "day": ["soon", 7, 0.5, "2021-02-29"], "doc": ["{", b"{}", BAD, "\"\\", '{"a":1,"a":2}']}
MISFITS = {
    **{name: Table(f"create table {name}(id integer primary key, must, n, note, mail, day, doc)",
                   {"must": text, "n": lambda r: r.choice([None, number(r), "42"]), "note": text_or_null,
                    "mail": text_or_null, "day": one_of(None, "2024-02-29"), "doc": json_text},
                   misfits={**MISFIT_MISFITS, "must": [None, b"m", BAD]})
       for name in ("misfit_rows", "misfit_scanned", "misfit_appended", "misfit_replaced")},
    "misfit_words": Table("create table misfit_words(k primary key, n)",
                          {"k": one_of(*"abcdefg", 7), "n": one_of(None, 1, "2.50")}, key=("k",),
                          misfits={"k": [b"k", *TWINS], "n": ["1 EUR", b"1", 1e300, "1,5"]}, fixed=frozenset(["k"])),
    "misfit_bag": Table("create table misfit_bag(id integer primary key, a, b)",
                        {"a": one_of(None, 1, 2), "b": one_of(None, "x", "y")},
                        misfits={"a": ["many", 1.5], "b": [b"x", BAD]}),
}

FILTERED = {
    "filtered": Table(
        "create table filtered(id integer primary key, kind text, note text, hidden integer not null default 0)",
        {"kind": text_or_null, "note": text_or_null, "hidden": one_of(0, 0, 0, 1)}, misfits={"note": [b"x", BAD]},
        unique=frozenset(["hidden"])),
}

JUDGED = {
    "judged": Table("create table judged(id integer primary key, doc text, note text)",
                    {"doc": one_of(None, None, "{}", '{"hidden": null}', '{"hidden": 1}', "[1]"), "note": text_or_null},
                    misfits={"note": [b"x", BAD]}),
}

ORDERS = {
    "orders": Table("create table orders(id integer primary key, note text)", {"note": text_or_null}),
    "order_lines": Table("create table order_lines(id integer primary key, order_id integer not null"
                         " references orders(id) on delete cascade on update cascade, item text)",
                         {"order_id": lambda r: r.randrange(1, 20), "item": text_or_null}),
}

DAYS = ["1969-12-31", "2023-12-31", "2024-01-01", "2024-01-02", "2024-02-29", "9999-12-31"]
LOGGED = {
    "logged_days": Table("create table logged_days(id integer primary key, day text, note text)",
                         {"day": one_of(None, *DAYS), "note": text_or_null},
                         misfits={"day": ["someday", "2024-02-30"], "note": [b"x", BAD]}),
}

# Definitions with deletes "mark" and "keep".
STAY_MISFITS = {"n": ["many", 1.5], "note": [b"x", BAD], "doc": ["{"]}
STAYING = {
    **{f"{name}{how}": Table(
        f"create table {name}{how}(id integer primary key, n, note text, doc text)",
        {"n": lambda r: r.choice([None, r.randrange(50)]), "note": text_or_null, "doc": json_text}, misfits=STAY_MISFITS)
       for name in ("marked", "kept") for how in ("", "_log", "_small", "_scanned")},
    **{f"{name}_moments": keyed(f"create table {name}_moments(at text primary key, v)", at="TIMESTAMP")
       for name in ("marked", "kept")},
    **{f"{name}_some": Table(
        f"create table {name}_some(id integer primary key, kind text, note text, hidden integer not null default 0)",
        {"kind": text_or_null, "note": text_or_null, "hidden": one_of(0, 0, 0, 1)}, misfits={"note": [b"x", BAD]},
        unique=frozenset(["hidden"])) for name in ("marked", "kept")},
}

TABLES: collections.ChainMap[str, Table] = collections.ChainMap(
    CLASSIC, KEYED, WORDS, VIEWED, BAGS, THINGS, REJECTED, MISFITS, FILTERED, ORDERS, LOGGED, JUDGED, STAYING)


def base(table: str) -> str:
    """The table that the application writes: of a view the one below it."""
    return f"{table}_base" if table in VIEWED else table

"""Shows that BigQuery equals SQLite, value by value, without any code of bqsync.

    python3 -m tests.support.mirror --sqlite DB --endpoint URL --project P --dataset D [--schemas DIR] [TABLE...]

Reads the definitions, the SQLite file and the endpoint's REST answers, and compares every column of every row:
missing, extra, doubled and differing rows are named. Exit status 0 if all tables are equal, 1 if not. Standard
library only; tests use `compare`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support import mirror_deletes, mirror_misfits
from tests.support.mirror_rule import Torn
from tests.support.mirror_values import TYPE_NAMES, Reject, Rule, Text, expected, received, same

PAGE_ROWS = 5_000
SHOWN = 5
ENCODINGS = {b"UTF-8": None, b"UTF-16le": "utf-16-le", b"UTF-16be": "utf-16-be"}


@dataclass
class TableReport:
    """What was found of one table. Keys are tuples, as BigQuery holds them; those of rejected rows as SQLite does, where
    they do not fit. `different` also names columns with both values.

    `lost` are rejected rows whose version before is gone, `held` what BigQuery held; only if that was asked for."""

    table: str
    source_rows: int = 0
    warehouse_rows: int = 0
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    missing: list[tuple[Any, ...]] = field(default_factory=list)
    extra: list[tuple[Any, ...]] = field(default_factory=list)
    duplicated: list[tuple[Any, ...]] = field(default_factory=list)
    different: list[tuple[tuple[Any, ...], str, Any, Any]] = field(default_factory=list)
    lost: list[tuple[Any, ...]] = field(default_factory=list)
    held: dict[tuple[Any, ...], list[list[Any]]] = field(default_factory=dict, repr=False)
    kept: int = 0  # rows that are deleted in SQLite and stay by the definition
    all_held: mirror_deletes.Held = field(default_factory=mirror_deletes.Held, repr=False)
    problems: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not (self.missing or self.extra or self.duplicated or self.different or self.lost or self.problems)

    def __str__(self) -> str:
        state = "equal" if self.equal else "NOT EQUAL"
        lines = [f"{self.table:24} {self.source_rows:>9} {self.warehouse_rows:>9}  {state}"]
        if self.rejected:
            lines[0] += f", {len(self.rejected)} rejected"
        lines += [f"    {problem}" for problem in self.problems]
        for name in ("missing", "extra", "duplicated", "different", "lost"):
            found = getattr(self, name)
            lines += [f"    {name}: {short(item)}" for item in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"    {name}: and {len(found) - SHOWN} more")
        return "\n".join(lines)


def short(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 300 else text[:297] + "..."


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__(f"HTTP {status}: {short(content)}")
        self.status = status


class Endpoint:
    """Reads of the BigQuery v2 REST API: tables.get and tabledata.list."""

    def __init__(self, url: str, project: str, dataset: str, token: str | None = None) -> None:
        if "://" not in url:
            url = "http://" + url
        parts = [urllib.parse.quote(name, safe="") for name in (project, dataset)]
        self.base = f"{url.rstrip('/')}/bigquery/v2/projects/{parts[0]}/datasets/{parts[1]}/tables"
        self.token = token

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.base}/{path}?{urllib.parse.urlencode(parameters)}")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                result: dict[str, Any] = json.load(answer)
                return result
        except urllib.error.HTTPError as problem:
            with problem:
                raise Refused(problem.code, problem.read()) from None

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """(name, type) in the table's order, or None if there is no such table."""
        try:
            answer = self.get(urllib.parse.quote(table, safe=""))
        except Refused as problem:
            if problem.status == 404:
                return None
            raise
        fields = answer.get("schema", {}).get("fields", [])
        return [(item["name"], TYPE_NAMES.get(item["type"], item["type"])) for item in fields]

    def rows(self, table: str) -> Iterator[list[Any]]:
        """The cells of every row, page by page."""
        parameters = {"maxResults": str(PAGE_ROWS), "formatOptions.useInt64Timestamp": "true"}
        while True:
            page = self.get(f"{urllib.parse.quote(table, safe='')}/data", **parameters)
            for row in page.get("rows", []):
                yield [cell["v"] for cell in row["f"]]
            if "pageToken" not in page:
                return
            parameters["pageToken"] = page["pageToken"]


def load_definitions(folder: str | pathlib.Path) -> list[dict[str, Any]]:
    paths = sorted(pathlib.Path(folder).glob("*.json"))
    return [json.loads(path.read_text("utf-8")) for path in paths if path.name != "table.schema.json"]


def open_source(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro", uri=True)
    # SQLite reads no table that is stored in the order of a collation of the application, until it has one of that name.
    # None is asked to compare: whole tables are read.
    named = connection.execute(
        "SELECT DISTINCT x.coll FROM pragma_table_list AS t, pragma_index_list(t.name) AS i, pragma_index_xinfo(i.name) AS x "
        "WHERE t.schema = 'main' AND lower(x.coll) NOT IN ('binary', 'nocase', 'rtrim')")
    for (collation,) in named.fetchall():
        connection.create_collation(collation, lambda one, other: 0)
    connection.text_factory = Text
    return connection


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def source_rows(connection: sqlite3.Connection, definition: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    columns = [quote(rule.source) for rule in map(Rule.of, definition["columns"])]
    where = f" WHERE (\n{definition['where']}\n)" if definition.get("where") else ""
    encoding = ENCODINGS[bytes(connection.execute("PRAGMA encoding").fetchone()[0])]
    if encoding is not None:
        columns += [f"iif(typeof({column}) = 'text', CAST({column} AS BLOB), NULL)" for column in columns]
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM {quote(definition['table'])}{where}")
    if encoding is None:
        yield from rows
        return
    count = len(columns) // 2
    for row in rows:
        yield tuple(value if data is None else from_utf16(data, encoding)
                    for value, data in zip(row[:count], row[count:]))


def from_utf16(data: bytes, encoding: str) -> Text:
    """The text that is stored as these bytes; SQLite's own conversion hides a lone surrogate."""
    try:
        return Text(data.decode(encoding).encode())
    except UnicodeDecodeError:
        return Torn.of(data, encoding)


Key = tuple[Any, ...]
Values = list[Any]


@dataclass
class Claims:
    """The rows of the source that BigQuery knows by one key."""

    fit: list[Values] = field(default_factory=list)
    unfit: int = 0  # rows whose key fits, but not all of their values


def read_warehouse(
    endpoint: Endpoint, definition: dict[str, Any], rules: list[Rule], key: list[int], report: TableReport,
    deleted: mirror_deletes.Deleted
) -> dict[Key, list[Values]] | None:
    """The live rows of the target by key; None if the table cannot be compared."""
    target = definition.get("target", definition["table"])
    columns = endpoint.columns(target)
    if columns is None:
        report.problems.append(f"BigQuery has no table {target}")
        return None
    places = {name.lower(): place for place, (name, _) in enumerate(columns)}
    for rule in rules:
        place = places.get(rule.name.lower())
        if place is None:
            report.problems.append(f"BigQuery has no column {target}.{rule.name}")
        elif columns[place][1] != rule.type:
            report.problems.append(f"{target}.{rule.name} is {columns[place][1]} in BigQuery, {rule.type} here")
    if report.problems:
        return None

    order = [places[rule.name.lower()] for rule in rules]
    rows: dict[Key, list[Values]] = {}
    for cells in endpoint.rows(target):
        report.warehouse_rows += 1
        values = [mirror_misfits.received(cells[place]) if rule is mirror_misfits.RULE else received(rule.type, cells[place])
                  for rule, place in zip(rules, order)]
        row_key = tuple(values[place] for place in key)
        if not deleted.take_marked(places.get(mirror_deletes.NAME), cells, row_key, values):
            rows.setdefault(row_key, []).append(values)
    return rows


def read_source_row(rules: list[Rule], row: tuple[Any, ...]) -> tuple[Values, set[int]]:
    """The values BigQuery has to hold, and the places of those that do not fit."""
    values: Values = []
    unfit = set()
    for place, (rule, value) in enumerate(zip(rules, row)):
        try:
            values.append(expected(rule, value))
        except Reject:
            values.append(None)
            unfit.add(place)
    return values, unfit


def is_replaced(definition: dict[str, Any]) -> bool:
    """Whether rows may share a key, or have none: not where deleted rows stay."""
    return definition["sync"]["mode"] == "replace" and mirror_deletes.choice(definition) == "mirror"


def read_claims(
    connection: sqlite3.Connection, definition: dict[str, Any], rules: list[Rule], key: list[int], report: TableReport
) -> dict[Key, Claims]:
    """The rows of the source by their key in BigQuery; those without one are rejected."""
    null_is_a_key = is_replaced(definition)
    misfits = mirror_misfits.Misfits(definition, rules, key) if definition.get("on_reject") == "column" else None
    claims: dict[Key, Claims] = {}
    for source in source_rows(connection, definition):
        report.source_rows += 1
        values, unfit = read_source_row(rules, source)
        if misfits is not None:
            values.append(misfits.value(unfit, source))
            unfit &= misfits.refused
        row_key = tuple(values[place] for place in key)
        if unfit & set(key) or (None in row_key and not null_is_a_key):
            report.rejected.append(tuple(source[place] if place in unfit else values[place] for place in key))
            continue
        claim = claims.setdefault(row_key, Claims())
        if unfit:
            claim.unfit += 1
        else:
            claim.fit.append(values)
    return claims


def same_row(one: Values, other: Values) -> bool:
    return all(map(same, one, other))


def without(rows: list[Values], others: list[Values]) -> list[Values]:
    """The rows that are left when each of the others has cancelled one that is the same."""
    left = list(rows)
    for other in others:
        place = next((place for place, row in enumerate(left) if same_row(row, other)), None)
        if place is not None:
            del left[place]
    return left


class Judge:
    """Compares the rows of one key: those of the source with those of BigQuery."""

    def __init__(self, report: TableReport, names: list[str]) -> None:
        self.report = report
        self.names = names

    def differ(self, key: Key, here: Values, there: Values) -> None:
        self.report.different += [
            (key, name, one, other) for name, one, other in zip(self.names, here, there) if not same(one, other)
        ]

    def by_key(self, key: Key, claims: Claims, there: list[Values], before: list[Values] | None) -> None:
        """One row stands for all that share the key; the others are rejected."""
        report = self.report
        if len(there) > 1:
            report.duplicated.append(key)
        rejected = claims.unfit + max(len(claims.fit) - 1, 0)
        if claims.fit and not there:
            report.missing.append(key)
        elif claims.fit and not any(same_row(row, there[0]) for row in claims.fit):
            # A row that no longer fits may hold the key: its version before is there.
            if claims.unfit:
                rejected += 1
            else:
                self.differ(key, claims.fit[0], there[0])
        elif not claims.fit and before and not (there and same_row(there[0], before[0])):
            report.lost.append(key)
        report.rejected += [key] * rejected

    def as_multiset(self, key: Key, claims: Claims, there: list[Values]) -> None:
        """Each row counts; or, as by_key, one row stands for all that share a key."""
        report = self.report
        missing, extra = without(claims.fit, there), without(there, claims.fit)
        if not missing and len(extra) <= claims.unfit:
            report.rejected += [key] * claims.unfit
        elif key and None not in key and len(there) == 1 and not extra:
            report.rejected += [key] * (claims.unfit + len(missing))
        elif len(missing) == 1 and len(extra) == 1:
            self.differ(key, missing[0], extra[0])
        else:
            report.missing += [key] * len(missing)
            report.extra += [key] * len(extra)


def compare_table(
    connection: sqlite3.Connection,
    endpoint: Endpoint,
    definition: dict[str, Any],
    before: dict[Key, list[Values]] | None = None,
    last: mirror_deletes.Held | None = None,
) -> TableReport:
    """With `before`, the rows that BigQuery held after the last sync: those of rejected rows must be as they were. With
    `last`, what it held of rows that are deleted in SQLite since must be there where the definition says so."""
    report = TableReport(definition["table"])
    rules = [Rule.of(column) for column in definition["columns"]]
    added = [mirror_misfits.RULE] if definition.get("on_reject") == "column" else []
    names = [rule.name for rule in rules + added]
    key = [names.index(name) for name in definition.get("key", [])]
    deleted = mirror_deletes.Deleted(definition, report)
    rows = read_warehouse(endpoint, definition, rules + added, key, report, deleted)
    if rows is None:
        return report
    report.held = dict(rows) if before is not None else {}

    judge = Judge(report, names)
    all_claims = read_claims(connection, definition, rules, key, report)
    rest = dict(rows)
    for row_key, claims in all_claims.items():
        there = rest.pop(row_key, [])
        if is_replaced(definition):
            judge.as_multiset(row_key, claims, there)
        else:
            judge.by_key(row_key, claims, there, before.get(row_key) if before is not None else None)
    deleted.judge(rows, rest, set(all_claims), last)
    report.all_held = deleted.now
    return report


def compare(
    sqlite: str,
    endpoint: str,
    project: str,
    dataset: str,
    schemas: str | pathlib.Path = "schemas",
    tables: Sequence[str] = (),
    token: str | None = None,
) -> list[TableReport]:
    """One report a table, in the order of the definition files; all tables if none is named."""
    definitions = load_definitions(schemas)
    known = {definition["table"] for definition in definitions}
    unknown = [name for name in tables if name not in known]
    if unknown:
        raise ValueError(f"no definition of {', '.join(unknown)} in {schemas}")
    rest = Endpoint(endpoint, project, dataset, token)
    connection = open_source(sqlite)
    try:
        # One snapshot, so that an application may go on writing.
        connection.execute("BEGIN")
        return [
            compare_table(connection, rest, definition)
            for definition in definitions
            if not tables or definition["table"] in tables
        ]
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="mirror", description="Compares SQLite and BigQuery value by value.")
    parser.add_argument("--sqlite", required=True, metavar="DB")
    parser.add_argument("--endpoint", required=True, metavar="URL")
    parser.add_argument("--project", required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--schemas", default="schemas", metavar="DIR")
    parser.add_argument("--quiet", action="store_true", help="print tables that differ and the sum only")
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    options = parser.parse_args(arguments)
    try:
        reports = compare(
            options.sqlite, options.endpoint, options.project, options.dataset, options.schemas, options.tables
        )
    except (OSError, ValueError, Refused, sqlite3.Error) as problem:
        print(f"mirror: {problem}", file=sys.stderr)
        return 1
    for report in reports:
        if not (options.quiet and report.equal):
            print(report)
    equal = sum(report.equal for report in reports)
    rows = sum(report.source_rows for report in reports)
    print(f"{equal} of {len(reports)} tables equal, {rows} rows compared value by value")
    return 0 if reports and equal == len(reports) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

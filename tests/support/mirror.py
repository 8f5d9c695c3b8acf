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

from tests.support.mirror_values import TYPE_NAMES, Reject, Rule, Text, expected, received, same

PAGE_ROWS = 5_000
SHOWN = 5


@dataclass
class TableReport:
    """What was found of one table. Keys are tuples; `different` also names columns with both values."""

    table: str
    source_rows: int = 0
    warehouse_rows: int = 0
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    missing: list[tuple[Any, ...]] = field(default_factory=list)
    extra: list[tuple[Any, ...]] = field(default_factory=list)
    duplicated: list[tuple[Any, ...]] = field(default_factory=list)
    different: list[tuple[tuple[Any, ...], str, Any, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not (self.missing or self.extra or self.duplicated or self.different or self.problems)

    def __str__(self) -> str:
        state = "equal" if self.equal else "NOT EQUAL"
        lines = [f"{self.table:24} {self.source_rows:>9} {self.warehouse_rows:>9}  {state}"]
        if self.rejected:
            lines[0] += f", {len(self.rejected)} rejected"
        lines += [f"    {problem}" for problem in self.problems]
        for name in ("missing", "extra", "duplicated", "different"):
            found = getattr(self, name)
            lines += [f"    {name}: {short(item)}" for item in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"    {name}: and {len(found) - SHOWN} more")
        return "\n".join(lines)


def short(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 300 else text[:297] + "..."


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
        with urllib.request.urlopen(request, timeout=60) as answer:
            result: dict[str, Any] = json.load(answer)
            return result

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """(name, type) in the table's order, or None if there is no such table."""
        try:
            answer = self.get(urllib.parse.quote(table, safe=""))
        except urllib.error.HTTPError as problem:
            problem.close()
            if problem.code == 404:
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
    connection.text_factory = Text
    return connection


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def source_rows(connection: sqlite3.Connection, definition: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(quote(rule.source) for rule in map(Rule.of, definition["columns"]))
    where = f" WHERE (\n{definition['where']}\n)" if definition.get("where") else ""
    yield from connection.execute(f"SELECT {columns} FROM {quote(definition['table'])}{where}")


Key = tuple[Any, ...]


def read_warehouse(
    endpoint: Endpoint, definition: dict[str, Any], rules: list[Rule], key: list[int], report: TableReport
) -> dict[Key, list[Any]] | None:
    """The rows of the target by key, doubled keys noted; None if the table cannot be compared."""
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
    rows: dict[Key, list[Any]] = {}
    for cells in endpoint.rows(target):
        report.warehouse_rows += 1
        values = [received(rule.type, cells[place]) for rule, place in zip(rules, order)]
        row_key = tuple(values[place] for place in key)
        if row_key in rows:
            report.duplicated.append(row_key)
        rows[row_key] = values
    return rows


def read_source_row(rules: list[Rule], row: tuple[Any, ...]) -> tuple[list[Any], list[str]]:
    """The values BigQuery has to hold, and why some of them do not fit."""
    values: list[Any] = []
    reasons = []
    for rule, value in zip(rules, row):
        try:
            values.append(expected(rule, value))
        except Reject as reject:
            values.append(None)
            reasons.append(f"{rule.name} {reject}")
    return values, reasons


def compare_table(connection: sqlite3.Connection, endpoint: Endpoint, definition: dict[str, Any]) -> TableReport:
    report = TableReport(definition["table"])
    rules = [Rule.of(column) for column in definition["columns"]]
    names = [rule.name for rule in rules]
    key = [names.index(name) for name in definition["key"]]
    rows = read_warehouse(endpoint, definition, rules, key, report)
    if rows is None:
        return report

    for source in source_rows(connection, definition):
        report.source_rows += 1
        values, reasons = read_source_row(rules, source)
        row_key = tuple(values[place] for place in key)
        if reasons:
            # Whatever BigQuery holds for this key is the version before, or nothing: both are right.
            report.rejected.append(row_key)
            rows.pop(row_key, None)
            continue
        there = rows.pop(row_key, None)
        if there is None:
            report.missing.append(row_key)
            continue
        report.different += [
            (row_key, rule.name, here, found)
            for rule, here, found in zip(rules, values, there)
            if not same(here, found)
        ]
    report.extra = list(rows)
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
    except (OSError, ValueError, sqlite3.Error) as problem:
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

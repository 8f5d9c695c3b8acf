"""The outside check finds what differs: it is run against an endpoint that holds prepared rows."""

import contextlib
import decimal
import http.server
import io
import json
import pathlib
import sqlite3
import tempfile
import threading
import unittest
import urllib.parse
from typing import Any

from tests.support import mirror
from tests.support.mirror_values import Json, Reject, Rule, Text, expected, received, same

COLUMNS = [
    {"name": "id", "type": "INT64", "mode": "REQUIRED"},
    {"name": "label", "type": "STRING"},
    {"name": "at", "type": "TIMESTAMP"},
    {"name": "extra", "type": "JSON"},
]
FIELDS = [{"name": c["name"], "type": "INTEGER" if c["type"] == "INT64" else c["type"]} for c in COLUMNS]
SOURCE = [
    (1, "one", "2025-11-03 15:32:07.5+05:30", '{"a": [1, true], "b": null}'),
    (2, "zwei 🙂", None, "null"),
    (3, None, "2025-11-03", "7"),
]
CELLS = [
    ["1", "one", "1762164127500000", '{"b":null,"a":[1.0,true]}'],
    ["2", "zwei 🙂", None, "null"],
    ["3", None, "1762128000000000", "7"],
]


class Endpoint(http.server.ThreadingHTTPServer):
    """Answers tables.get and tabledata.list (two rows a page) from self.cells."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fields: list[dict[str, str]] | None = FIELDS
        self.cells: list[list[str | None]] = [list(row) for row in CELLS]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.server.fields is None:
            return self.answer(404, {"error": {"code": 404}})
        if not url.path.endswith("/data"):
            return self.answer(200, {"schema": {"fields": self.server.fields}})
        start = int(query.get("pageToken", "0"))
        rows = [{"f": [{"v": cell} for cell in row]} for row in self.server.cells[start : start + 2]]
        page: dict[str, Any] = {"totalRows": str(len(self.server.cells)), "rows": rows}
        if start + 2 < len(self.server.cells):
            page["pageToken"] = str(start + 2)
        self.answer(200, page)

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class MirrorCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.define({})
        connection = sqlite3.connect(self.folder / "app.db")
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, label, at TEXT, extra)")
        connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?)", SOURCE)
        connection.commit()
        connection.close()
        self.endpoint = Endpoint()
        thread = threading.Thread(target=self.endpoint.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.endpoint.server_close)
        self.addCleanup(self.endpoint.shutdown)

    def define(self, more: dict[str, Any]) -> None:
        definition = {"table": "things", "key": ["id"], "sync": {"mode": "upsert"}, "columns": COLUMNS, **more}
        (self.folder / "things.json").write_text(json.dumps(definition))

    def change_source(self, statement: str, *values: Any) -> None:
        connection = sqlite3.connect(self.folder / "app.db")
        connection.execute(statement, values)
        connection.commit()
        connection.close()

    def compare(self) -> mirror.TableReport:
        url = f"http://127.0.0.1:{self.endpoint.server_port}"
        (report,) = mirror.compare(str(self.folder / "app.db"), url, "p", "d", self.folder)
        return report


class Mirror(MirrorCase):
    def test_equal_tables_are_equal_over_several_pages(self) -> None:
        report = self.compare()

        self.assertTrue(report.equal, str(report))
        self.assertEqual((report.source_rows, report.warehouse_rows), (3, 3))

    def test_each_kind_of_difference_is_named(self) -> None:
        self.endpoint.cells = [
            ["1", "One", "1762164127500001", '{"b":null,"a":[1,1]}'],
            ["3", None, "1762128000000000", "7"],
            ["3", None, "1762128000000000", "7"],
            ["4", None, None, None],
        ]

        report = self.compare()

        self.assertEqual(report.missing, [(2,)])
        self.assertEqual(report.extra, [(4,)])
        self.assertEqual(report.duplicated, [(3,)])
        self.assertEqual([(key, name) for key, name, _, _ in report.different], [((1,), "label"), ((1,), "at"), ((1,), "extra")])
        self.assertFalse(report.equal)

    def test_null_and_json_null_and_the_empty_text_are_three_things(self) -> None:
        self.endpoint.cells[1] = ["2", "", None, None]

        report = self.compare()

        self.assertEqual([name for _, name, _, _ in report.different], ["label", "extra"])

    def test_a_missing_table_or_column_or_another_type_is_a_problem(self) -> None:
        for fields, problem in (
            (None, "BigQuery has no table things"),
            (FIELDS[:3], "BigQuery has no column things.extra"),
            ([*FIELDS[:3], {"name": "extra", "type": "STRING"}], "things.extra is STRING in BigQuery, JSON here"),
        ):
            with self.subTest(problem):
                self.endpoint.fields = fields
                report = self.compare()
                self.assertEqual(report.problems, [problem])
                self.assertFalse(report.equal)

    def test_columns_may_stand_in_another_order_and_bigquery_may_have_more(self) -> None:
        self.endpoint.fields = [{"name": "theirs", "type": "FLOAT"}, *reversed(FIELDS)]
        self.endpoint.cells = [["0.5", *reversed(row)] for row in CELLS]

        self.assertTrue(self.compare().equal)

    def test_a_row_that_does_not_fit_is_rejected_whatever_bigquery_holds(self) -> None:
        self.change_source("UPDATE things SET at = 'soon' WHERE id = 1")
        self.endpoint.cells[0][1] = "the version before"

        report = self.compare()

        self.assertEqual(report.rejected, [(1,)])
        self.assertTrue(report.equal)

    def test_a_filter_hides_rows_that_must_then_not_be_there(self) -> None:
        self.define({"where": "label IS NOT NULL"})

        report = self.compare()

        self.assertEqual(report.extra, [(3,)])

    def test_the_command_tells_by_its_exit_status(self) -> None:
        arguments = ["--sqlite", str(self.folder / "app.db"), "--project", "p", "--dataset", "d", "--quiet"]
        arguments += ["--endpoint", f"127.0.0.1:{self.endpoint.server_port}", "--schemas", str(self.folder)]
        sink = io.StringIO()
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            equal = mirror.main(arguments)
            self.endpoint.cells.pop()
            different = mirror.main(arguments)
            unknown = mirror.main([*arguments, "nothings"])

        self.assertEqual((equal, different, unknown), (0, 1, 1))


class SharedKeys(MirrorCase):
    """Two rows of the source whose keys are one value in BigQuery: label is the key, a column without affinity."""

    def setUp(self) -> None:
        super().setUp()
        self.define({"key": ["label"]})
        self.change_source("UPDATE things SET label = id, at = NULL, extra = NULL")
        self.change_source("INSERT INTO things VALUES (4, '1', NULL, NULL)")
        self.endpoint.cells = [["1", "1", None, None], ["2", "2", None, None], ["3", "3", None, None]]

    def test_any_one_of_them_may_be_there_and_the_other_is_rejected(self) -> None:
        for present in ("1", "4"):
            with self.subTest(present):
                self.endpoint.cells[0][0] = present
                report = self.compare()
                self.assertTrue(report.equal, str(report))
                self.assertEqual(report.rejected, [("1",)])

    def test_both_or_neither_or_another_row_is_a_difference(self) -> None:
        for cells, kind in (
            ([["1", "1", None, None], ["4", "1", None, None]], "duplicated"),
            ([], "missing"),
            ([["9", "1", None, None]], "different"),
        ):
            with self.subTest(kind):
                self.endpoint.cells = [*cells, ["2", "2", None, None], ["3", "3", None, None]]
                report = self.compare()
                self.assertEqual(len(getattr(report, kind)), 1)
                self.assertFalse(report.equal)

    def test_a_row_that_does_not_fit_may_hold_the_key_with_its_version_before(self) -> None:
        self.change_source("UPDATE things SET at = 'soon' WHERE id = 1")
        for there in ("1", "4", "9"):
            with self.subTest(there):
                self.endpoint.cells[0][0] = there
                report = self.compare()
                self.assertTrue(report.equal, str(report))
                self.assertEqual(len(report.rejected), 1 if there == "4" else 2)

    def test_a_null_in_the_key_rejects_the_row_but_in_mode_replace(self) -> None:
        self.change_source("UPDATE things SET label = NULL WHERE id > 1")

        self.endpoint.cells = [["1", "1", None, None]]
        report = self.compare()
        self.assertTrue(report.equal, str(report))
        self.assertEqual(len(report.rejected), 3)

        self.define({"key": ["label"], "sync": {"mode": "replace"}})
        self.assertEqual(self.compare().missing, [(None,), (None,), (None,)])

    def test_mode_replace_counts_rows_that_are_the_same(self) -> None:
        self.change_source("CREATE VIEW bag AS SELECT 1 AS id, 'x' AS label, NULL AS at, NULL AS extra FROM things")
        self.define({"table": "bag", "key": ["label"], "sync": {"mode": "replace"}})
        for count, equal in ((4, True), (3, False), (5, False)):
            with self.subTest(count):
                self.endpoint.cells = [["1", "x", None, None]] * count
                self.assertEqual(self.compare().equal, equal)

    def test_a_table_without_a_key_is_compared_by_whole_rows(self) -> None:
        self.define({"key": [], "sync": {"mode": "replace"}})
        self.endpoint.cells.append(["4", "1", None, None])
        self.assertTrue(self.compare().equal)

        self.endpoint.cells[0] = ["4", "1", None, None]
        self.assertFalse(self.compare().equal)

    def test_the_version_before_of_a_rejected_row_must_stay_where_it_is_known(self) -> None:
        self.change_source("DELETE FROM things WHERE id = 4")
        self.change_source("UPDATE things SET at = 'soon' WHERE id = 1")
        source = mirror.open_source(str(self.folder / "app.db"))
        self.addCleanup(source.close)
        endpoint = mirror.Endpoint(f"http://127.0.0.1:{self.endpoint.server_port}", "p", "d")
        definition = json.loads((self.folder / "things.json").read_text())

        before = mirror.compare_table(source, endpoint, definition, {}).held
        del self.endpoint.cells[0]

        self.assertEqual(mirror.compare_table(source, endpoint, definition, before).lost, [("1",)])
        self.assertTrue(mirror.compare_table(source, endpoint, definition).equal)


class Encodings(unittest.TestCase):
    def test_texts_of_utf_16_are_read_by_their_bytes(self) -> None:
        for encoding, surrogate in (("UTF-16le", b"\x00\xd8"), ("UTF-16be", b"\xd8\x00")):
            with self.subTest(encoding), tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/app.db"
                connection = sqlite3.connect(path)
                connection.executescript(f"PRAGMA encoding = '{encoding}'; CREATE TABLE t(a, b, c)")
                connection.execute("INSERT INTO t VALUES ('ü', ?, ?)", (b"ab", surrogate))
                # A parameter would be cast as UTF-8.
                connection.execute("UPDATE t SET c = CAST(c AS TEXT)")
                connection.commit()
                connection.close()
                source = mirror.open_source(path)
                self.addCleanup(source.close)

                columns = [{"name": name, "type": "STRING"} for name in "abc"]
                ((text, blob, broken),) = mirror.source_rows(source, {"table": "t", "columns": columns})

                self.assertEqual(expected(rule("STRING"), text), "ü")
                self.assertEqual(blob, b"ab")
                for type_name in ("STRING", "BYTES"):
                    with self.assertRaises(Reject):
                        expected(rule(type_name), broken)


class Collations(unittest.TestCase):
    def test_a_table_in_the_order_of_a_collation_of_the_application_is_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            connection = sqlite3.connect(f"{folder}/app.db")
            connection.create_collation("own", lambda one, other: (one < other) - (one > other))
            connection.execute("CREATE TABLE t(a TEXT PRIMARY KEY COLLATE own) WITHOUT ROWID")
            connection.execute("INSERT INTO t VALUES ('a'), ('b')")
            connection.commit()
            connection.close()
            source = mirror.open_source(f"{folder}/app.db")
            self.addCleanup(source.close)

            rows = list(mirror.source_rows(source, {"table": "t", "columns": [{"name": "a", "type": "STRING"}]}))

            self.assertEqual(rows, [(b"b",), (b"a",)])


def rule(type_name: str, **more: Any) -> Rule:
    return Rule.of({"name": "c", "type": type_name, **more})


class Values(unittest.TestCase):
    def test_values_that_fit_are_read_exactly(self) -> None:
        cases: list[tuple[Rule, Any, Any]] = [
            (rule("INT64"), Text(b"-42"), -42),
            (rule("INT64"), 3.0, 3),
            (rule("FLOAT64"), 2**53, 2.0**53),
            (rule("FLOAT64"), Text(b".5e1"), 5.0),
            (rule("BOOL"), Text(b"TRUE"), True),
            (rule("STRING"), 1.0, "1.0"),
            (rule("STRING", transform="truncate:2"), Text("äöü".encode()), "äö"),
            (rule("STRING", transform="sha256"), Text(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (rule("BYTES"), Text(b"\xff"), b"\xff"),
            (rule("NUMERIC"), 0.1, decimal.Decimal("0.1")),
            (rule("BIGNUMERIC"), Text(b"1e38"), decimal.Decimal(10**38)),
            (rule("DATE"), Text(b"1969-12-31"), -1),
            (rule("TIME"), Text(b"23:59:59.999999"), 86_399_999_999),
            (rule("DATETIME"), Text(b"1970-01-01T00:01"), 60_000_000),
            (rule("TIMESTAMP"), Text(b"1970-01-01 05:30:00.0000010+0530"), 1),
            (rule("TIMESTAMP"), Text(b"0001-01-01"), -62_135_596_800_000_000),
            (rule("TIMESTAMP", format="unix_ms"), 1500, 1_500_000),
            (rule("TIMESTAMP", format="julian"), 2440587.5, 0),
            (rule("JSON"), 2.5, Json(2.5)),
            (rule("JSON"), Text(b" null "), Json(None)),
            (rule("JSON"), Text(b"[1.50, 67.174118, 18446744073709551615]"), Json([1.5, 67.174118, 2**64 - 1])),
            (rule("JSON", json="round"), Text(b'{"a": 1, "a": 18446744073709551616}'), Json({"a": 1})),
        ]
        for about, value, wanted in cases:
            with self.subTest(f"{about.type} {value!r}"):
                self.assertEqual(expected(about, value), wanted)

    def test_values_that_do_not_fit_are_rejected(self) -> None:
        cases: list[tuple[Rule, Any]] = [
            (rule("INT64"), 1.5),
            (rule("INT64"), Text(b" 1")),
            (rule("INT64"), Text(b"9223372036854775808")),
            (rule("FLOAT64"), 2**53 + 1),
            (rule("BOOL"), 2),
            (rule("BOOL"), Text(b"t")),
            (rule("STRING"), b"blob"),
            (rule("STRING"), Text(b"\xed\xa0\x80")),
            (rule("STRING"), Text(b"a\0b")),
            (rule("NUMERIC"), Text(b"0.0000000001")),
            (rule("DATETIME"), Text(b"2025-01-01 00:00:00Z")),
            (rule("TIMESTAMP"), Text(b"2025-02-29")),
            (rule("TIMESTAMP"), Text(b"2025-01-01 24:00:00")),
            (rule("TIMESTAMP"), Text(b"2025-01-01 00:00:60")),
            (rule("TIMESTAMP"), Text(b"2025-01-01 00:00:00.0000001")),
            (rule("TIMESTAMP"), Text(b"9999-12-31 23:59:59-01:00")),
            (rule("TIMESTAMP"), 1),
            (rule("JSON"), Text(b"")),
            (rule("JSON"), Text(b"NaN")),
            (rule("JSON"), Text(b"[18446744073709551616]")),
            (rule("JSON"), Text(b"0.10000000000000000001")),
            (rule("JSON"), Text(b'{"a": 1, "a": 1}')),
            (rule("INT64", mode="REQUIRED"), None),
        ]
        for about, value in cases:
            with self.subTest(f"{about.type} {value!r}"), self.assertRaises(Reject):
                expected(about, value)

    def test_cells_are_read_by_their_type(self) -> None:
        cases = [
            ("BYTES", "/w==", b"\xff"),
            ("DATE", "1970-01-02", 1),
            ("DATETIME", "1970-01-01T00:00:00.5", 500_000),
            ("TIME", "00:00:01", 1_000_000),
            ("BOOL", "true", True),
            ("FLOAT64", "-Infinity", float("-inf")),
            ("NUMERIC", "1.50", decimal.Decimal("1.5")),
        ]
        for type_name, cell, wanted in cases:
            with self.subTest(type_name):
                self.assertTrue(same(received(type_name, cell), wanted))


if __name__ == "__main__":
    unittest.main()

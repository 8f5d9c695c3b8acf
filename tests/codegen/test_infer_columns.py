"""What infer chooses for a column: the type, and how its values are read."""

import unittest
import uuid

from tests.codegen.inferring import InferTest

ISO = ["2024-01-01 10:00:00", "2024-02-01 10:00:00.5", "2024-03-01T10:00"]


class TypeTest(InferTest):
    def test_the_declared_type_decides_where_there_is_no_value(self):
        for declared, kind in (
                ("INTEGER", "INT64"), ("TEXT", "STRING"), ("VARCHAR(20)", "STRING"), ("REAL", "FLOAT64"),
                ("DECIMAL(10,2)", "NUMERIC"), ("BOOLEAN", "BOOL"), ("TINYINT(1)", "BOOL"), ("DATE", "DATE"),
                ("TIME", "TIME"), ("DATETIME", "TIMESTAMP"), ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
                ("JSON", "JSON"), ("BLOB", "BYTES"), ("UUID", "STRING"), ("", "STRING"), ("BIGINT", "INT64")):
            for values in ([], [None]):
                self.assertEqual(self.column(declared, values), {"type": kind}, declared)

    def test_the_values_decide_what_holds_them_exactly(self):
        for declared, values, expected in (
                ("INTEGER", [1, 2, -5], {"type": "INT64"}),
                ("INTEGER", [1, 2.5], {"type": "FLOAT64"}),
                ("INTEGER", [1, 2.5, 2**53 + 1], {"type": "STRING"}),
                ("INTEGER", [1, "n/a"], {"type": "STRING"}),
                ("INTEGER", [1, ""], {"type": "INT64", "empty": "null"}),
                ("INTEGER", [2.0**63], {"type": "FLOAT64"}),
                ("REAL", [1.5, 3], {"type": "FLOAT64"}),
                ("REAL", [1.5, "1,234.50"], {"type": "STRING"}),
                ("REAL", [float("inf")], {"type": "FLOAT64"}),
                ("DECIMAL(10,2)", [1.25, 7], {"type": "NUMERIC"}),
                ("DECIMAL(10,2)", [0.1 + 0.2], {"type": "FLOAT64"}),
                ("NUMERIC", [2**63 - 1, -1.125], {"type": "NUMERIC"}),
                ("MONEY", ["$1.50"], {"type": "STRING"}),
                ("BOOLEAN", [0, 1, None], {"type": "BOOL"}),
                ("BOOLEAN", [0, 1, 2], {"type": "INT64"}),
                ("BOOLEAN", ["t", "f"], {"type": "BOOL", "bool": "words"}),
                ("BOOLEAN", ["true", "FALSE", 1], {"type": "BOOL"}),
                ("INTEGER", [0, 1], {"type": "INT64"}),
                ("INTEGER CHECK (c IN (0, 1))", [0, 1], {"type": "BOOL"}),
                ("TEXT", ["42", "7"], {"type": "STRING"}),
                ("TEXT", ["true", "false"], {"type": "STRING"}),
                ("TEXT", ["true", "False"] * 5, {"type": "BOOL"}),
                ("TEXT", ["t", "f"] * 5, {"type": "BOOL", "bool": "words"}),
                ("TEXT", ["t"] * 10, {"type": "STRING"}),
                ("TEXT", ["yes", "no"] * 5, {"type": "STRING"}),
                ("", [1, 2], {"type": "INT64"}),
                ("", ["a", 1], {"type": "STRING"}),
                ("", [1, "7", "-7"], {"type": "INT64"}),
                ("", [1, "00002"], {"type": "STRING"}),
                ("", [1, "+2"], {"type": "STRING"}),
                ("", [1, "-0"], {"type": "STRING"}),
                ("", [1.5, "-2.5"], {"type": "FLOAT64"}),
                ("", [1.5, "1.10"], {"type": "STRING"}),
                ("", [1.5, "01.5"], {"type": "STRING"}),
                ("", [1, "00002"] * 200 + ["0"], {"type": "STRING"}),
                ("INTEGER", [1, "00002"], {"type": "INT64"}),
                ("BLOB", [b"\xff", b"\x00"], {"type": "BYTES"}),
                ("BLOB", ["text"], {"type": "STRING"}),
                ("BLOB", ["text", b"\xff"], {"type": "BYTES"}),
                ("TEXT", ["text", b"text"], {"type": "STRING", "text": "utf8"}),
                ("TEXT", ["text", b"\xff"], {"type": "BYTES"}),
                ("TEXT", ["a\0b"], {"type": "BYTES"})):
            with self.subTest(declared=declared, values=values):
                self.assertEqual(self.column(declared, values), expected)

    def test_not_null_is_required_only_where_it_holds(self):
        self.assertEqual(self.column("INTEGER NOT NULL", [1]), {"type": "INT64", "mode": "REQUIRED"})
        self.assertEqual(self.column("INTEGER", [1]), {"type": "INT64"})
        self.assertEqual(self.column("DATE NOT NULL", ["2024-01-01", ""]), {"type": "DATE", "empty": "null"})

    def test_a_default_of_an_empty_text_will_come(self):
        self.assertEqual(self.column("TEXT NOT NULL DEFAULT ''", ISO, "created"),
                         {"type": "TIMESTAMP", "empty": "null"})

    def test_json_is_json_only_if_it_is_held_exactly(self):
        for declared, values, expected in (
                ("TEXT", ['{"a": 1}', "[1, 2]"], {"type": "JSON"}),
                ("TEXT", ['{"a": 1}', "{broken"], {"type": "STRING"}),
                ("TEXT", [' {"a": 1}', "\n[]"], {"type": "JSON"}),
                ("TEXT", ['{"a": 1}', "\x0b[]"], {"type": "STRING"}),
                ("TEXT", ['{"a": 1}', ""], {"type": "JSON", "empty": "null"}),
                ("TEXT", ['{"a": 0.10000000000000000001}'], {"type": "STRING"}),
                ("JSON", ['"text"', "1", "null", "{}"], {"type": "JSON"}),
                ("JSON", ["text"], {"type": "STRING"}),
                ("BLOB", [b'{"a": 1}'], {"type": "JSON", "text": "utf8"}),
                ("BLOB", [bytes([0x4C, 0x17, 0x61, 0x13, 0x31])], {"type": "JSON", "text": "jsonb"})):
            with self.subTest(declared=declared, values=values):
                self.assertEqual(self.column(declared, values), expected)

    def test_uuid_blobs_are_texts_in_their_byte_order(self):
        ids = [uuid.UUID(int=number * 2**100 + 12345, version=4) for number in range(1, 40)]

        self.assertEqual(self.column("BLOB", [one.bytes for one in ids]), {"type": "STRING", "text": "uuid"})
        self.assertEqual(self.column("BLOB", [one.bytes_le for one in ids]), {"type": "STRING", "text": "guid"})
        self.assertEqual(self.column("BLOB", [bytes(range(16))] * 20), {"type": "BYTES"})
        self.assertEqual(self.column("BLOB", [ids[0].bytes]), {"type": "BYTES"})
        self.assertEqual(self.column("BLOB", [ids[0].bytes], "uuid"), {"type": "STRING", "text": "uuid"})


class TimeTest(InferTest):
    def test_texts(self):
        for declared, values, expected in (
                ("TEXT", ISO, {"type": "TIMESTAMP"}),
                ("TEXT", ["2024-01-01", "2024-01-02", "2024-01-03"], {"type": "DATE"}),
                ("TEXT", ["2024-01-01"], {"type": "STRING"}),
                ("TEXT", ISO + ["soon"], {"type": "STRING"}),
                ("DATETIME", ["2024-01-01"], {"type": "TIMESTAMP"}),
                ("DATE", ["2024-01-01", "2024-01-01 00:00:00"], {"type": "DATE"}),
                ("DATE", ["2024-01-01", "2024-01-01 10:00:00"], {"type": "TIMESTAMP"}),
                ("TIMESTAMP", ["2024-01-01 10:00:00.1234567"], {"type": "TIMESTAMP", "fraction": "truncate"}),
                ("TIMESTAMP", ["2024-01-01 10:00:00 +0000 UTC"], {"type": "TIMESTAMP", "format": "go"}),
                ("TIMESTAMP", ["2024-01-01 10:00:00 +0000 UTC", "2024-01-01"],
                 {"type": "TIMESTAMP", "format": ["iso8601", "go"]}),
                ("DATETIME", ["0000-00-00 00:00:00", "2024-01-01"], {"type": "TIMESTAMP", "empty": "null"}),
                ("DATETIME", ["", None], {"type": "TIMESTAMP", "empty": "null"}),
                ("TIME", ["10:00", "11:30:00"], {"type": "TIME"}),
                ("TIME", ["2000-01-01 10:00:00", "2000-01-01 11:30:00"], {"type": "TIME", "date": "drop"}),
                ("TIME", ["2000-01-01 10:00:00", "2000-01-02 11:30:00"], {"type": "TIMESTAMP"}),
                ("TEXT", ["10:30", "01:45"], {"type": "STRING"}),
                ("VARCHAR(8)", ["10:30:00", "24:45:00"], {"type": "STRING"})):
            with self.subTest(declared=declared, values=values):
                self.assertEqual(self.column(declared, values), expected)

    def test_numbers_are_times_where_name_or_type_and_every_date_say_so(self):
        for declared, name, values, expected in (
                ("INTEGER", "created_at", [1704103200, 1704103201], {"type": "TIMESTAMP", "format": "unix_s"}),
                ("INTEGER", "views", [1704103200, 1704103201], {"type": "INT64"}),
                ("DATETIME", "c", [1704103200500], {"type": "TIMESTAMP", "format": "unix_ms"}),
                ("REAL", "last_updated_ts", [1704103200.123], {"type": "TIMESTAMP", "format": "unix_s"}),
                ("TEXT", "created_at", ["1704103200"], {"type": "TIMESTAMP", "format": "unix_s"}),
                ("BIGINT", "creation_utc", [13348576800500000], {"type": "TIMESTAMP", "format": "webkit_us"}),
                ("INTEGER", "at", [1704103200000000001],
                 {"type": "TIMESTAMP", "format": "unix_ns", "fraction": "truncate"}),
                ("DATETIME", "c", [1704103200, 1704103200500, "2024-01-01 10:00:00"],
                 {"type": "TIMESTAMP", "format": ["unix_s", "unix_ms", "iso8601"]}),
                ("INTEGER", "created_at", [0, 1704103200], {"type": "INT64"}),
                ("INTEGER", "created_at", [5000], {"type": "INT64"}),
                ("INTEGER", "start_ms", [1704103200], {"type": "INT64"}),
                ("INTEGER", "start_ms", [1704103200500], {"type": "TIMESTAMP", "format": "unix_ms"}),
                ("TEXT", "opens_at", ["10:30"], {"type": "TIME"}),
                ("TEXT", "duration", ["10:30"], {"type": "STRING"}),
                ("TIMESTAMP", "c", [725796000.5], {"type": "TIMESTAMP", "format": "unix_s"})):
            with self.subTest(name=name, values=values):
                self.assertEqual(self.column(declared, values, name), expected)

    def test_core_data_counts_from_2001(self):
        self.write("""create table Z_METADATA(Z_VERSION integer primary key);
                      create table Z_PRIMARYKEY(Z_ENT integer primary key);
                      create table ZNOTE(Z_PK integer primary key, ZCREATED timestamp);
                      insert into ZNOTE values (1, 725796000.5);""")

        columns = self.infer()["ZNOTE"]["columns"]

        self.assertEqual(columns[1], {"name": "ZCREATED", "type": "TIMESTAMP", "format": "apple_s"})

    def test_a_column_without_values_is_read_as_its_siblings(self):
        self.write("""create table t(id integer primary key, a datetime, b datetime, c DATETIME, d date);
                      insert into t(a, b) values (1704103200500, 1704103200501);""")

        columns = self.infer()["t"]["columns"]

        self.assertEqual([column.get("format") for column in columns[1:]],
                         ["unix_ms", "unix_ms", "unix_ms", None])
        self.assertIn("c: TIMESTAMP; has no value yet; read as the other DATETIME columns are", self.report)

    def test_a_default_says_what_times_will_be(self):
        for declared, values, expected in (
                ("INTEGER DEFAULT (unixepoch())", [], {"type": "TIMESTAMP", "format": "unix_s"}),
                ("INTEGER DEFAULT (unixepoch() * 1000)", [], {"type": "TIMESTAMP", "format": "unix_ms"}),
                ("INTEGER DEFAULT (strftime('%s', 'now'))", [1704103200], {"type": "TIMESTAMP", "format": "unix_s"}),
                ("INTEGER DEFAULT (unixepoch() / 60)", [], {"type": "INT64"}),
                ("TEXT DEFAULT CURRENT_TIMESTAMP", [], {"type": "TIMESTAMP"}),
                ("TEXT DEFAULT (datetime('now', 'localtime'))", [], {"type": "DATETIME"}),
                ("DATETIME DEFAULT (datetime('now', 'localtime'))", ISO, {"type": "DATETIME"}),
                ("TEXT DEFAULT 'x'", [], {"type": "STRING"})):
            with self.subTest(declared=declared):
                self.assertEqual(self.column(declared, values), expected)

    def test_local_times_are_no_moments(self):
        self.column("DATETIME DEFAULT (datetime('now', 'localtime'))", ISO)
        self.assertIn("c: DATETIME; 3 of 3 are ISO text; local times, as its default says, of a zone that is not "
                      "known", self.report)

    def test_the_report_says_what_was_seen_and_what_was_assumed(self):
        for name, values, line in (
                ("created_at", ISO, "3 of 3 are ISO text, UTC assumed: none has a zone"),
                ("created_at", ["2024-01-01 10:00Z"], "1 of 1 are ISO text, all have a zone"),
                ("created_at", ["2024-01-01 10:00Z", "2024-01-01"], "UTC assumed for the 1 without a zone"),
                ("at", [1704103200], "1 of 1 are unix_s, 2024-01-01 to 2024-01-01"),
                ("at_ms", [1704103200], "that would be times as unix_s, but the name ends in another unit"),
                ("at", [0, 1704103200], "2 of 2 are numbers, of which 1 would not be times of 1990 to 2100"),
                ("at", [5000], "(1970-01-01 to 1970-01-01 as unix_s; 1970-01-01 to 1970-01-01 as unix_ms)")):
            self.column("", values, name)
            self.assertIn(line, self.report)

    def test_no_value_stands_in_the_report(self):
        self.column("INTEGER", [1, "somebody-private"])
        self.assertNotIn("somebody", self.report)


if __name__ == "__main__":
    unittest.main()

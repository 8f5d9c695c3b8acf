"""What infer makes of databases, columns and values that are seldom met."""

import json
import os
import sqlite3
import unittest
from unittest import mock
import uuid

from codegen.infer import source
from tests.codegen.inferring import InferTest

ISO = ["2024-01-01 10:00:00", "2024-01-02 11:30:00", "2024-01-03 12:45:00"]


class ColumnTest(InferTest):
    def test_declared_types_that_few_programs_use(self):
        for declared, expected in (("POINT", {"type": "STRING"}), ("int check (c in (0, 1))", {"type": "BOOL"})):
            with self.subTest(declared):
                self.assertEqual(expected, self.column(declared, []))

    def test_bytes_that_may_be_uuids_in_either_order_are_told_by_the_type(self):
        both = [bytes.fromhex("00112233445546478899aabbccddeeff")]
        self.assertEqual({"type": "STRING", "text": "guid"}, self.column("GUID", both))
        self.assertEqual({"type": "STRING", "text": "uuid"}, self.column("BLOB", both, "uuid"))

    def test_decimals_that_are_real_numbers_of_many_digits(self):
        self.assertEqual({"type": "NUMERIC"}, self.column("DECIMAL(10,2)", [1.25, 1e-05]))
        self.assertEqual("FLOAT64", self.column("DECIMAL(10,2)", [float("inf"), 1.5])["type"])
        self.assertEqual("FLOAT64", self.column("DECIMAL(10,2)", [1e-300])["type"])

    def test_counts_with_a_point_may_be_finer_than_a_microsecond(self):
        coarse, fine = ["1704103200.5", "1704103201.25"], ["1704103200.5", "1704103200.1234567"]
        self.assertEqual({"type": "TIMESTAMP", "format": "unix_s"}, self.column("TEXT", coarse, "created_at"))
        self.assertEqual({"type": "TIMESTAMP", "format": "unix_s", "fraction": "truncate"},
                         self.column("TEXT", fine, "created_at"))

    def test_flags_are_no_times_though_their_name_says_so(self):
        self.assertEqual({"type": "INT64"}, self.column("INTEGER", [0, 1, 0], "deleted_at"))
        self.assertNotIn("no time was guessed", self.report)

    def test_digits_of_an_issuer_that_does_not_exist_are_no_card(self):
        self.assertEqual({"type": "STRING"}, self.column("TEXT", ["4444444444444444"] * 3, "number"))

    def test_texts_of_36_characters_are_no_uuid_if_their_dashes_stand_elsewhere(self):
        values = [str(uuid.UUID(int=number * 2**100 + 12345, version=4)) for number in range(1, 30)]
        self.assertEqual({"type": "STRING"}, self.column("TEXT", values))

    def test_numbers_that_are_no_times_are_counted_where_times_are_texts(self):
        self.assertEqual({"type": "TIMESTAMP"}, self.column("DATETIME", ISO * 100 + [5]))
        self.assertIn("1 of 301 values do not fit", self.report)

    def test_a_column_of_empty_texts_is_read_as_its_siblings(self):
        self.write("create table t(id integer primary key, a datetime, b datetime)",
                   [("insert into t(a, b) values (?, '')", [(value,) for value in ISO])])
        columns = {column["name"]: column for column in self.infer()["t"]["columns"]}

        self.assertEqual({"name": "b", "type": "TIMESTAMP", "empty": "null"}, columns["b"])
        self.assertIn("b: TIMESTAMP; has no value yet; read as the other datetime columns are", self.report)


class TableTest(InferTest):
    def key(self, sql, rows=()):
        self.write(sql, rows)
        document = self.infer()["t"]
        return document.get("key"), document["sync"]["mode"]

    def test_keys_are_compared_as_bigquery_sees_them(self):
        for declared, values, twins in (
                ("bool", [1, "true", 0], 1), ("numeric", [1.5, 2], 0), ("decimal(5,2)", [0, 1, 2.5], 0),
                ("text", ["a", b"a", b"b"], 1)):
            with self.subTest(declared):
                self.setUp()
                self.key("create table t(k %s primary key not null) without rowid" % declared,
                         [("insert into t values (?)", [(value,) for value in values])])
                said = "could not tell %d of the %d keys" % (twins, len(values))
                self.assertEqual(twins > 0, said in self.report, self.report)

    def test_a_key_of_uuids_in_bytes_and_texts(self):
        # A version where one order has it, and none where the other has.
        one, two = uuid.UUID("01234567-89ab-4004-8123-456789abcdef"), uuid.UUID("fedcba98-7654-4003-8fed-cba987654321")
        for name, both in (("text order", [one.bytes, two.bytes, str(one)]), ("nets", [one.bytes_le, two.bytes_le, str(one)])):
            with self.subTest(name):
                self.setUp()
                self.key("create table t(uuid blob primary key not null) without rowid",
                         [("insert into t values (?)", [(value,) for value in both])])
                self.assertIn("could not tell 1 of the 3 keys", self.report)

    def test_a_secret_key_in_bytes_is_sent_as_it_is(self):
        self.write("create table t(password blob primary key not null) without rowid",
                   [("insert into t values (?)", [(bytes([255, number]),) for number in range(9)])])
        columns = self.infer()["t"]["columns"]

        self.assertEqual([{"name": "password", "type": "BYTES", "mode": "REQUIRED"}], columns)

    def test_a_foreign_key_to_a_table_that_is_not_there(self):
        self.write("create table t(id integer primary key, other int references gone(id))")

        self.assertEqual(["id", "other"], [column["name"] for column in self.infer()["t"]["columns"]])

    def test_a_table_of_which_no_column_can_be_sent_is_left_out(self):
        self.write("create table t(password text); create table u(id integer primary key);"
                   "insert into t values ('x')")

        self.assertEqual(["u"], list(self.infer()))
        self.assertIn("t: left out, because none of its columns can be sent", self.report)

    def test_reals_of_many_digits_that_are_sent_as_texts_are_named(self):
        self.write("create table t(id integer primary key, c text, d)",
                   [("insert into t(d) values (?)", [(0.1 + 0.2,), *(("x",) for _ in range(9))])])
        self.infer()

        self.assertIn("1 of its 1 reals have more digits than the 15 of SQLite's text", self.report)


    def test_secrets_in_bytes_that_are_uuids_are_hashed_as_texts(self):
        self.write("create table t(id integer primary key, api_key blob); create table u(key blob references t(api_key))",
                   [("insert into t(api_key) values (?)",
                     [(uuid.UUID(int=number * 2**100 + 12345, version=4).bytes,) for number in range(1, 30)])])
        columns = {column["name"]: column for column in self.infer()["t"]["columns"]}

        self.assertEqual({"name": "api_key", "type": "STRING", "text": "uuid", "transform": "sha256"},
                         {key: columns["api_key"][key] for key in ("name", "type", "text", "transform")})

    def test_what_is_joined_with_personal_data_is_hashed_too(self):
        self.write("create table p(contact text primary key not null) without rowid;"
                   "create table t(id integer primary key, email text references p(contact));"
                   "insert into p values ('one'); insert into t values (1, 'one')")
        self.infer()

        self.assertIn("contact: STRING, hashed", self.report.replace("contact: hashed", "contact: STRING, hashed"))
        self.assertEqual("sha256", self.definitions()["p"]["columns"][0].get("transform"))

    def test_empty_texts_that_refer_to_numbers_stand_for_none(self):
        self.write("create table p(id integer primary key); insert into p values (1);"
                   "create table t(id integer primary key, p text references p(id)); insert into t values (1, ''), (2, '1')")
        columns = {column["name"]: column for column in self.infer()["t"]["columns"]}

        self.assertEqual({"name": "p", "type": "INT64", "empty": "null"}, columns["p"])

    def test_times_that_are_joined_are_cut_only_where_they_are_finer(self):
        self.write("create table p(created_at text primary key not null) without rowid; insert into p values ('1704103200.5');"
                   "create table t(id integer primary key, created_at text references p(created_at));"
                   "insert into t values (1, '1704103200.1234567')")
        columns = {column["name"]: column for column in self.infer()["t"]["columns"]}

        self.assertEqual("truncate", columns["created_at"].get("fraction"))

    def test_a_key_that_is_a_secret_of_bytes_gives_way_to_none(self):
        self.write("create table t(password blob unique not null, a int)",
                   [("insert into t(password) values (?)", [(bytes([255, number]),) for number in range(9)])])
        document = self.infer()["t"]

        self.assertEqual((None, ["a"]), (document.get("key"), [column["name"] for column in document["columns"]]))

    def test_a_key_that_is_a_secret_is_hashed_instead_of_left_out(self):
        self.write("create table t(a int, password text not null unique); insert into t values (1, 'x')")
        document = self.infer()["t"]

        self.assertEqual((["password"], "sha256"), (document["key"], document["columns"][1].get("transform")))

    def test_what_an_emptied_table_rejected_is_remembered(self):
        self.write("create table t(id integer primary key, c datetime)",
                   [("insert into t(c) values (?)", [(value,) for value in [*ISO * 100, 5]])])
        self.assertEqual("column", self.infer()["t"].get("on_reject"))
        self.write("delete from t")

        self.assertEqual((0, ""), self.run_infer()[:2])

    def test_a_key_that_comes_later_stands_before_the_columns(self):
        self.write("create table t(a int not null)")
        self.infer()
        self.write("create unique index one on t(a)")
        self.assertEqual((0, ""), self.run_infer("--update")[:2])

        keys = list(self.definitions()["t"])
        self.assertLess(keys.index("key"), keys.index("columns"))

    def test_a_table_without_a_name_that_can_be_written_is_left_out(self):
        self.write('create table t("\x01" int, "a\x02" int); create table u(id integer primary key)')

        self.assertEqual(["u"], list(self.infer()))
        self.assertRegex(self.report, r"(?m)t\b.*none of its columns can be written in a definition")

    def test_a_number_beyond_all_measure_is_a_text(self):
        self.assertEqual({"type": "STRING"}, self.column("", ["1e99999999999999999999", "1.5"]))

    def test_a_password_hash_is_known_by_its_table(self):
        self.write("create table users(id integer primary key, hash text)")

        self.assertEqual(["id"], [column["name"] for column in self.infer()["users"]["columns"]])
        self.assertIn("its name speaks of a password hash", self.report)

    def test_nulls_in_a_column_that_forbids_them(self):
        self.write("create table t(id integer primary key, c int); insert into t values (1, null);"
                   "pragma writable_schema = on;"
                   "update sqlite_master set sql = replace(sql, 'c int', 'c int not null') where name = 't'")
        columns = {column["name"]: column for column in self.infer()["t"]["columns"]}

        self.assertNotIn("mode", columns["c"])
        self.assertIn("c: NULLABLE, because 1 rows have NULL although it is declared NOT NULL", self.report)


class SourceTest(InferTest):
    def test_an_order_of_the_application_is_lent_for_an_index(self):
        database = sqlite3.connect(self.path)
        database.create_collation("own", lambda one, other: (one > other) - (one < other))
        database.executescript("create table t(a text collate own primary key not null, b int) without rowid;"
                               "insert into t values ('y', 1), ('x', 2)")
        database.close()

        self.assertEqual(["a"], self.infer()["t"]["key"])
        self.assertEqual([-1, 0, 1], [source._compare(one, "b") for one in "abc"])

    def test_what_is_wrong_with_a_database_is_said_with_its_cure(self):
        for message, cure in (
                ("database is locked", "another program holds it locked; try again when it is done"),
                ("file is not a database", "it is damaged or encrypted"),
                ("database disk image is malformed", "it is damaged or encrypted"),
                ("unable to open database file", "an interrupted transaction may have to be rolled back first"),
                ("malformed database schema (t)", "its schema cannot be parsed by SQLite "),
                ("no such module: x", "cannot read it")):
            with self.subTest(message), mock.patch.object(source, "_connect", side_effect=sqlite3.OperationalError(message)):
                self.write("create table if not exists t(a)")
                status, _, stderr = self.run_infer()
                self.assertEqual(2, status)
                self.assertIn("app.db: ", stderr)
                self.assertIn(cure, stderr)
                self.assertIn("(SQLite: %s)" % message, stderr)

    def test_a_database_that_breaks_while_it_is_read_is_one_line(self):
        self.write("create table t(id integer primary key)")
        with mock.patch("codegen.infer.command.read_catalog", side_effect=sqlite3.DatabaseError("disk I/O error")):
            self.assertEqual((2, "", "%s: cannot be read: disk I/O error\n" % self.path), self.run_infer())

    def test_a_table_that_cannot_be_read_is_passed_over(self):
        self.write("create table t(id integer primary key); create table u(id integer primary key)")
        with mock.patch("codegen.infer.reading._read", side_effect=sqlite3.OperationalError("no such collation: X")):
            status, _, stderr = self.run_infer()
        self.assertEqual(2, status)
        self.assertRegex(stderr, r"(?m)t: .*because SQLite %s cannot read it: no such collation: X$" % sqlite3.sqlite_version)

    def test_a_memory_of_another_version_is_named(self):
        self.write("create table t(id integer primary key)")
        self.infer()
        self.save(".infer", json.dumps({"version": 99, "tables": {}}))
        status, _, stderr = self.run_infer()

        self.assertEqual(3, status)
        self.assertIn(".infer: cannot be read (it was not written by this version of infer); remove it", stderr)

    def test_what_the_generator_would_refuse_is_not_written(self):
        self.write("create table t(id integer primary key)")
        with mock.patch("codegen.infer.command._problems", return_value=("t.json:1: wrong",)):
            status, _, stderr = self.run_infer()

        self.assertEqual(3, status)
        self.assertIn("%s: the generator would refuse what was inferred from it; nothing was written:\nt.json:1: wrong\n"
                      % self.path, stderr)
        self.assertFalse(os.path.exists(os.path.join(self.out, "t.json")))


if __name__ == "__main__":
    unittest.main()

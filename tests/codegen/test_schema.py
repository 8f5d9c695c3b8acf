"""Definitions that no one would write on purpose: the generator answers with problems, never with a
traceback, and what it accepts it can generate."""

import copy
import glob
import json
import os
import random
import re
import sqlite3
import tempfile
import unittest

from codegen import emit_sql, output, schema
from tests.codegen.golden import GOLDEN
from tests.codegen.support import definition, load_table

ODD = (
    None, True, 0, -1, 1.5, 10**300, "", " ", "id", "INT64", "ID", "\n", "x" * 2000, "é", "${staging}",
    "`", '"', "'", "\\", "*/", "??/", "\u202e", "\U0001f600", [], ["id"], [[]], {}, {"mode": "x"},
    "DATE(id)", "RANGE_BUCKET(id, GENERATE_ARRAY(0, %s, 1))" % ("9" * 40), "truncate:9999999999",
    "hmac_sha256:", "int", "registry", "_PARTITION", "sqlite_x")
LINE = re.compile(r".*/[^/:]+\.json:\d+(:\d+)?: .+")


def slots(value):
    """Every place in a document that holds a value: (container, key)."""
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from slots(value[key])
    if isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from slots(value[index])


class RobustnessTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def load(self, name, data):
        path = os.path.join(self.directory, name + ".json")
        with open(path, "wb") as file:
            file.write(data)
        loaded = schema.load(self.directory)
        os.remove(path)
        return loaded

    def check(self, loaded, seed):
        """Either problems, each on a line of its own with its place, or files."""
        if loaded.messages:
            for message in loaded.messages:
                self.assertRegex(message, LINE, seed)
                self.assertTrue(message.isprintable(), (seed, message))
        else:
            for text in output.render(loaded.tables).values():
                text.encode("utf-8")

    def test_values_in_the_wrong_place_are_problems(self):
        documents = []
        for path in sorted(glob.glob(os.path.join(GOLDEN, "good_*", "schemas", "*.json"))):
            with open(path, encoding="utf-8") as file:
                documents.append(json.load(file))
        for seed in range(3000):
            chance = random.Random(seed)
            document = copy.deepcopy(chance.choice(documents))
            name = document["table"].replace(" ", "_")
            for _ in range(chance.randrange(1, 4)):
                container, key = chance.choice(list(slots(document)))
                if isinstance(container, dict) and chance.random() < 0.2:
                    container[str(chance.choice(ODD))] = container[key]
                else:
                    container[key] = copy.deepcopy(chance.choice(ODD))
            self.check(self.load(name, json.dumps(document).encode()), seed)

    def test_damaged_texts_are_problems(self):
        path = os.path.join(GOLDEN, "good_transforms_and_formats", "schemas", "people.json")
        with open(path, "rb") as file:
            whole = file.read()
        for seed in range(3000):
            chance = random.Random(seed)
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 3)):
                at = chance.randrange(len(data))
                data[at:at + chance.randrange(3)] = bytes(
                    chance.choice(b'{}[]:,"\\ \n0-1e.truenl\xff\x00\xc3') for _ in range(2))
            self.check(self.load("people", bytes(data)), seed)

    def test_nesting_without_end_is_a_problem(self):
        loaded = self.load("deep", b"[" * 100000)

        self.assertEqual(1, len(loaded.messages))
        self.assertIn("nested deeper", loaded.messages[0])

    def test_a_file_that_cannot_be_read_is_a_problem(self):
        os.mkdir(os.path.join(self.directory, "users.json"))

        self.assertEqual(
            ("%s/users.json: cannot be read: Is a directory" % self.directory,), schema.load(self.directory).messages)

    def test_nothing_is_read_behind_an_item_that_cannot_be_one(self):
        for text, found in ((b'{"a": [1 2], "b": 1}', '2'), (b'{"a": 1 2, "b": 1}', '2'),
                            (b'{"a": [1 x], "b": 1}', 'x')):
            with self.subTest(text):
                loaded = self.load("t", text)
                self.assertEqual(1, len(loaded.messages), loaded.messages)
                self.assertIn('found "%s"' % found, loaded.messages[0])


class ModelTest(unittest.TestCase):
    def test_as_many_columns_are_accepted_as_sqlite_can_read(self):
        self.check_limit(1999)

    def test_the_column_of_misfits_counts_among_them(self):
        self.check_limit(1998, on_reject="column")

    def check_limit(self, limit, **more):
        columns = [("c%d" % number, "INT64") for number in range(limit)]
        table = load_table(definition("wide", ["c0"], columns, **more))
        database = sqlite3.connect(":memory:")
        self.addCleanup(database.close)
        database.execute("create table wide (%s)" % ", ".join(column[0] for column in columns))
        for statement in emit_sql.capture_install(table):
            if statement.startswith("create table"):
                database.execute(statement)

        self.assertEqual([], database.execute(emit_sql.changes(table), (0, 0)).fetchall())
        columns.append(("one_more", "INT64"))
        with self.assertRaisesRegex(
                AssertionError, "columns: has %d columns, the limit is %d: SQLite" % (limit + 1, limit)):
            load_table(definition("wide", ["c0"], columns, **more))

    def test_the_column_of_misfits_changes_both_hashes(self):
        plain = definition("people", ["id"], [("id", "INT64"), ("age", "INT64")])
        without, same, column = (
            load_table({**plain, **more}) for more in ({}, {"on_reject": "fail"}, {"on_reject": "column"}))

        self.assertEqual((without.content_hash, without.shape_hash), (same.content_hash, same.shape_hash))
        self.assertNotEqual(without.content_hash, column.content_hash)
        self.assertNotEqual(without.shape_hash, column.shape_hash)
        self.assertEqual(["id", "age", "_bqsync_unfit"], [one.name for one in column.columns])

    def test_the_key_keeps_its_own_order(self):
        table = load_table(definition(
            "prices", ["currency", "sku"], [("sku", "STRING"), ("currency", "STRING")]))

        self.assertEqual(["currency", "sku"], [column.name for column in table.key])
        self.assertEqual([True, True], [column.key for column in table.columns])

    def test_a_filter_may_hold_anything_inside_quotes_and_comments(self):
        for where in ("a = ';'", 'a = "b?"', "a = '(' /* ) ; ? */", "[a;b] is null", "`a?` > 1",
                      "a -> '$.x' = 1", "a = 1 -- ;"):
            with self.subTest(where):
                table = load_table(definition("t", ["id"], [("id", "INT64")], where=where))
                self.assertEqual(where, table.where)


class FilesTest(unittest.TestCase):
    """What is wrong with a folder of definitions, and with values that are too large."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def write(self, name, **more):
        document = definition(more.pop("table", "users"), ["id"], [("id", "INT64")], **more)
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            json.dump(document, file)

    def messages(self):
        return [message.replace(self.folder + "/", "") for message in schema.load(self.folder).messages]

    def test_a_file_that_cannot_be_read(self):
        os.symlink("nowhere", os.path.join(self.folder, "users.json"))

        self.assertEqual(["users.json: cannot be read: No such file or directory"], self.messages())

    def test_names_that_differ_only_in_case(self):
        self.write("users.json")
        self.write("Users.json", table="Users")

        self.assertEqual(['users.json:1: table: "users" is defined in Users.json already',
                          "users.json:1: the file name differs from that of Users.json only in case"],
                         sorted(self.messages(), reverse=False))

    def test_a_target_of_too_many_bytes(self):
        self.write("users.json", target="a" * 255)
        self.assertEqual([], self.messages())
        self.write("users.json", target="a" * 256)
        self.assertIn("users.json:1: target: is longer than 255 bytes", self.messages())

    def test_more_labels_than_bigquery_takes(self):
        for count, said in ((61, []), (62, ["users.json:1: bigquery.labels: has 62 labels, the limit is 61"])):
            self.write("users.json", bigquery={"labels": {"l%d" % number: "x" for number in range(count)}})
            self.assertEqual(said, self.messages())

    def test_a_number_without_end(self):
        with open(os.path.join(self.folder, "users.json"), "w", encoding="utf-8") as file:
            file.write('{"table": %s}' % ("1" * 401))

        self.assertEqual(["users.json:1:11: a number of more than 400 characters"], self.messages())

    def test_a_filter_may_name_its_table_and_columns_that_are_not_listed(self):
        self.write("users.json", where="users.gone = 1 and main.users.other is null")
        self.assertEqual([], self.messages())
        self.write("users.json", where="main.id = 1")
        self.assertIn("SQLite says: no such column: main.id", self.messages()[0])


if __name__ == "__main__":
    unittest.main()

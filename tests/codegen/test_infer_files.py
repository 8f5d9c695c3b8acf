"""What infer reads and writes: first and second runs, hand-made edits, files that are no databases."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest
from unittest import mock

from codegen.infer import reading, report, source
from tests.codegen.inferring import InferTest
from tests.codegen.support import ROOT

USERS = "create table users(id integer primary key, name text, seen int);"


class SecondRunTest(InferTest):
    def setUp(self):
        super().setUp()
        self.write(USERS + "insert into users values (1, 'Ada', 5);")

    def edit(self, **changes):
        document = self.definitions()["users"]
        document.update(changes)
        self.save("users.json", document)
        return document

    def test_it_changes_nothing(self):
        self.infer()
        before = {name: self.read(name) for name in os.listdir(self.out)}

        status, stdout, _ = self.run_infer()

        self.assertEqual((status, stdout), (0, ""))
        self.assertEqual({name: self.read(name) for name in os.listdir(self.out)}, before)
        self.assertEqual(self.run_infer("--update")[0], 0)
        self.assertEqual({name: self.read(name) for name in os.listdir(self.out)}, before)

    def test_the_bytes_are_the_same_in_another_folder(self):
        self.infer()
        first = self.read("users.json")
        self.out = os.path.join(self.folder, "other")
        self.infer()
        self.assertEqual(self.read("users.json"), first)

    def test_a_new_column_is_a_diff_and_an_update_adds_it(self):
        self.infer()
        before = self.read("users.json")
        self.write("alter table users add column age int")

        status, stdout, stderr = self.run_infer()

        self.assertEqual(status, 1)
        self.assertIn('+    { "name": "age", "type": "INT64" }\n', stdout)
        self.assertIn("nothing was written; --update makes these changes", stderr)
        self.assertEqual(self.read("users.json"), before)

        self.assertEqual(self.run_infer("--update")[:2], (0, ""))
        self.assertEqual([column["name"] for column in self.definitions()["users"]["columns"]],
                         ["id", "name", "seen", "age"])
        self.assertEqual(self.run_infer()[:2], (0, ""))

    def test_a_new_table_is_a_diff_unless_it_is_named(self):
        self.infer()
        self.write("create table orders(id integer primary key)")

        status, stdout, _ = self.run_infer()

        self.assertEqual(status, 1)
        self.assertIn('--- /dev/null\n', stdout)
        self.assertEqual(list(self.definitions()), ["users"])
        self.assertEqual(list(self.infer("orders")), ["orders", "users"])
        self.assertEqual(self.run_infer()[:2], (0, ""))

    def test_a_file_that_defines_another_table_stays(self):
        self.write('create table "sold-out"(id integer primary key)')
        self.infer()
        before = self.read("sold_out.json")
        self.write('create table "sold out"(id integer primary key, day text)')

        self.assertEqual(self.run_infer("--update")[:2], (0, ""))
        self.assertEqual(self.read("sold_out.json"), before)
        self.assertEqual(json.loads(self.read("sold_out_2.json"))["table"], "sold out")
        self.assertEqual(self.run_infer()[:2], (0, ""))

    def test_what_was_edited_by_hand_stays(self):
        self.infer()
        document = self.definitions()["users"]
        columns = [{**document["columns"][0], "description": "mine"},
                   {"name": "full_name", "type": "STRING", "source": "name", "transform": "truncate:5"}]
        edited = self.edit(columns=columns, description="people", sync={"mode": "append"},
                           bigquery={"labels": {"team": "a"}}, where="id > 0")

        self.assertEqual(self.run_infer()[:2], (0, ""))

        self.write("alter table users add column age int")
        self.assertEqual(self.run_infer("--update")[0], 0)
        edited["columns"].append({"name": "age", "type": "INT64"})
        self.assertEqual(self.definitions()["users"], edited)

    def test_what_was_not_edited_follows_the_database(self):
        self.infer()
        self.edit(description="people")
        self.write("insert into users values (2, 'Bob', 'never')")

        self.assertEqual(self.run_infer()[0], 1)
        self.run_infer("--update")

        document = self.definitions()["users"]
        self.assertEqual(document["description"], "people")
        self.assertEqual(document["columns"][2]["type"], "STRING")

    def test_a_reading_that_was_edited_stays_whole(self):
        self.infer()
        document = self.definitions()["users"]
        document["columns"][1] = {"name": "name", "type": "JSON"}
        self.save("users.json", document)
        self.write("insert into users values (2, x'41', 5)")

        self.assertEqual(self.run_infer()[:2], (0, ""))

    def test_a_definition_that_was_removed_stays_so(self):
        self.write("create table orders(id integer primary key)")
        self.infer()
        os.remove(os.path.join(self.out, "orders.json"))

        status, stdout, stderr = self.run_infer("--update")

        self.assertEqual((status, stdout), (0, ""))
        self.assertIn("orders: its definition was removed, and stays so unless the table is named", stderr)
        self.assertEqual(list(self.infer("orders")), ["orders", "users"])

    def test_all_definitions_can_be_made_again(self):
        self.infer()
        os.remove(os.path.join(self.out, "users.json"))
        self.assertEqual(list(self.infer()), ["users"])

    def test_a_change_that_was_made_by_hand_is_followed_from_there(self):
        self.infer()
        self.write("alter table users add column age int")
        document = self.definitions()["users"]
        document["columns"].append({"name": "age", "type": "INT64"})
        self.save("users.json", document)
        self.assertEqual(self.run_infer("--update")[:2], (0, ""))

        self.write("insert into users(age) values ('old')")
        self.run_infer("--update")

        self.assertEqual(self.definitions()["users"]["columns"][-1]["type"], "STRING")

    def test_a_file_keeps_its_own_layout_when_a_column_is_added(self):
        self.infer()
        text = json.dumps(self.definitions()["users"], indent=2)
        self.save("users.json", text)
        self.write("alter table users add column age int")

        self.run_infer("--update")

        end = "    }\n  ]\n}"
        self.assertTrue(text.endswith(end))
        self.assertEqual(self.read("users.json"), text[:-len(end)]
                         + '    },\n    { "name": "age", "type": "INT64" }\n  ]\n}')

    def test_a_file_of_one_line_stays_one(self):
        self.infer()
        text = json.dumps(self.definitions()["users"])
        self.save("users.json", text)
        self.write("alter table users add column age int")

        self.run_infer("--update")

        self.assertEqual(self.read("users.json"), text[:-2] + ', { "name": "age", "type": "INT64" }]}')

    def test_without_its_memory_all_that_is_defined_stays(self):
        self.save("users.json", {"table": "users", "key": ["id"], "sync": {"mode": "append"}, "columns": [
            {"name": "id", "type": "STRING"}, {"name": "seen", "type": "STRING", "source": "name"}]})

        status, stdout, _ = self.run_infer()

        self.assertEqual(status, 1)
        self.run_infer("--update")
        self.assertEqual(self.definitions()["users"]["columns"], [
            {"name": "id", "type": "STRING"}, {"name": "seen", "type": "STRING", "source": "name"},
            {"name": "seen_2", "type": "INT64", "source": "seen"}])
        self.assertEqual(self.run_infer()[:2], (0, ""))

    def test_what_is_gone_is_said(self):
        self.infer()
        self.write("alter table users drop column seen; create table t(id integer primary key);")
        self.save("gone.json", {"table": "gone", "key": ["id"], "sync": {"mode": "upsert"},
                                "columns": [{"name": "id", "type": "INT64"}]})

        _, _, stderr = self.run_infer()

        self.assertIn("users.json: the table has no column for seen any more", stderr)
        self.assertIn("gone.json: the database has no table gone any more", stderr)
        self.assertIn("gone", self.definitions())

    def test_a_wrong_definition_stops_it(self):
        self.save("users.json", '{"table": "users"}')

        status, _, stderr = self.run_infer("--update")

        self.assertEqual(status, 3)
        self.assertIn("users.json:1: key: missing", stderr)
        self.assertEqual(self.read("users.json"), '{"table": "users"}')

    def test_a_folder_that_cannot_be_written(self):
        with open(self.out, "w", encoding="utf-8"):
            pass

        status, _, stderr = self.run_infer()

        self.assertEqual(status, 1)
        self.assertIn("schemas: cannot be written", stderr)


class SourceTest(InferTest):
    def refused(self, status=2):
        found, stdout, stderr = self.run_infer()
        self.assertEqual((found, stdout), (status, ""))
        self.assertFalse(os.path.exists(self.out))
        return stderr

    def test_what_is_no_database(self):
        self.assertIn("app.db: cannot be read: No such file or directory", self.refused())
        with open(self.path, "wb") as file:
            file.write(os.urandom(4096))
        self.assertIn("app.db: is not an SQLite database, or an encrypted one", self.refused())
        self.path = self.folder
        self.assertIn("is a directory", self.refused())

    def test_a_damaged_one(self):
        self.write(USERS)
        with open(self.path, "r+b") as file:
            file.seek(100)
            file.write(b"\xff" * 3000)
        self.assertIn("app.db: ", self.refused())

    def test_an_empty_one(self):
        open(self.path, "wb").close()
        self.assertIn("app.db: has no tables; is it the file that the application writes to?\n", self.refused())
        self.write("create view v as select 1 as a")
        self.assertIn("app.db: has no tables that can be taken without being named", self.refused())

    def test_an_unknown_table(self):
        self.write(USERS)
        status, _, stderr = self.run_infer("usres", "x")
        self.assertEqual(status, 2)
        self.assertIn("app.db: no table usres (did you mean users?)\n", stderr)
        self.assertIn("app.db: no table x", stderr)

    def test_a_view_that_cannot_be_read(self):
        self.write(USERS + "create table gone(a); create view broken as select a from gone; drop table gone;")
        status, _, stderr = self.run_infer("broken")
        self.assertEqual(status, 2)
        self.assertIn("app.db: broken cannot be read: no such table: main.gone\n", stderr)

    def test_nothing_is_left_beside_a_database_in_wal_mode(self):
        self.write("pragma journal_mode = wal;" + USERS)
        before = self.state()

        self.infer()

        self.assertEqual(self.state(), before)

    def test_what_a_crash_left_beside_it_stays_as_it_is(self):
        self.write("pragma journal_mode = wal;" + USERS)
        for suffix in ("-shm", "-wal"):
            open(self.path + suffix, "wb").close()
            before = self.state()
            shutil.rmtree(self.out, ignore_errors=True)
            self.assertEqual(list(self.infer()), ["users"])
            self.assertEqual(self.state(), before, suffix)
            os.remove(self.path + suffix)

    def test_changes_that_are_only_in_the_wal_are_read(self):
        database = sqlite3.connect(self.path)
        self.addCleanup(database.close)
        database.executescript("pragma journal_mode = wal;" + USERS + "create table t(a int);")
        copy = os.path.join(self.folder, "copy.db")
        for suffix in ("", "-wal"):
            with open(self.path + suffix, "rb") as file, open(copy + suffix, "wb") as other:
                other.write(file.read())
        before = self.state()
        self.assertEqual(list(self.infer()), ["t", "users"])
        self.assertEqual(self.state(), before)

        self.path = copy
        before = self.state()
        self.out = os.path.join(self.folder, "other")
        self.assertEqual(list(self.infer()), ["t", "users"])
        self.assertEqual(self.state(), before)

    def state(self):
        """What is beside the database, and its own bytes."""
        found = {name: None for name in os.listdir(self.folder) if name.startswith(os.path.basename(self.path))}
        with open(self.path, "rb") as file:
            return found, file.read()

    def test_a_link_to_a_database(self):
        database = sqlite3.connect(self.path)
        self.addCleanup(database.close)
        database.executescript("pragma journal_mode = wal;" + USERS)
        link = os.path.join(self.folder, "link")
        os.symlink(self.path, link)
        self.path = link

        self.assertEqual(list(self.infer()), ["users"])

    def test_collations_of_the_application(self):
        database = sqlite3.connect(self.path)
        database.create_collation("unicase", lambda one, other: (one > other) - (one < other))
        database.executescript("""create table t(a text primary key collate "unicase", b text) without rowid;
                                  insert into t values ('a', 'x'), ('b', 'y');""")
        database.close()

        self.assertEqual(self.infer()["t"]["key"], ["a"])

    def test_texts_that_are_no_utf8(self):
        self.write("create table t(a text, b text); insert into t values (cast(x'ff41' as text), 'ok')")

        self.assertEqual([column["type"] for column in self.infer()["t"]["columns"]], ["BYTES", "STRING"])
        self.assertIn("a: BYTES; 1 of 1 are text that is no valid UTF-8 or holds U+0000", self.report)


    def test_a_database_that_is_written_meanwhile_is_read_again(self):
        self.write("pragma journal_mode = wal;" + USERS)
        writes = iter(["alter table users add column age int"])

        class Slow(reading.Profile):
            def add(profile, values):
                super().add(values)
                for sql in writes:
                    self.write(sql)

        self.write("insert into users values (1, 'Ada', 5)")
        self.addCleanup(setattr, reading, "Profile", reading.Profile)
        reading.Profile = Slow

        self.assertEqual([column["name"] for column in self.infer()["users"]["columns"]],
                         ["id", "name", "seen", "age"])

    def test_a_database_that_is_written_all_the_time_is_refused(self):
        self.write("pragma journal_mode = wal; create table t(a int); insert into t values (1)")
        with mock.patch.object(source.Source, "has_changed", return_value=True):
            status, stdout, stderr = self.run_infer()

        self.assertEqual((status, stdout), (2, ""))
        self.assertIn("app.db: was written each time that it was read; try again when it rests", stderr)
        self.assertFalse(os.path.exists(self.out))

    def test_large_rows_come_in_small_portions(self):
        self.write("""create table t(id integer primary key, a blob);
            with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
            insert into t select i, zeroblob(case when i > 4900 then 1000000 else 1 end) from n;""")
        database = sqlite3.connect(self.path)
        self.addCleanup(database.close)

        sizes = [[len(value) for _, value in rows]
                 for rows in reading._chunks(database.execute("select id, a from t"), 1000)]

        self.assertEqual(sum(map(len, sizes)), 5000)
        self.assertLessEqual(max(map(len, sizes)), 1032)
        self.assertLess(max(map(sum, sizes)), 40_000_000)
        self.assertLess(sum(sizes[-1]), 9_000_000)

    def test_a_locked_database_is_named(self):
        self.write(USERS)
        holder = sqlite3.connect(self.path)
        self.addCleanup(holder.close)
        holder.execute("begin exclusive")
        self.addCleanup(setattr, source, "_TIMEOUT_S", source._TIMEOUT_S)
        source._TIMEOUT_S = 0.1

        self.assertIn("app.db: another program holds it locked", self.refused())


class ProgressTest(unittest.TestCase):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def test_a_bar_on_a_terminal(self):
        terminal = self.Terminal()
        progress = report.Progress(terminal)

        progress("t\x1b", 500, 1000)
        progress.clear()

        self.assertIn("[###############...............] t\\u001b: 500 rows", terminal.getvalue())
        self.assertTrue(terminal.getvalue().endswith("\r\x1b[K"))

    def test_nothing_elsewhere(self):
        file = io.StringIO()
        report.Progress(file)("t", 500, 1000)
        self.assertEqual(file.getvalue(), "")


class CommandTest(InferTest):
    def test_it_is_a_command_of_the_generator(self):
        self.write(USERS)

        done = subprocess.run(
            [sys.executable, "-m", "codegen", "infer", self.path, "--out", self.out], cwd=ROOT,
            capture_output=True, text=True, check=False)

        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(done.stderr, "users: 0 rows, 3 columns, key id, upsert -> %s/users.json\n" % self.out)

    def test_usage_names_the_program(self):
        done = subprocess.run([sys.executable, "-m", "codegen", "infer"], cwd=ROOT, capture_output=True,
                              text=True, check=False)

        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: python3 -m codegen infer", done.stderr)
        self.assertIn("the following arguments are required: DB\n", done.stderr)

    def test_the_editor_schema_is_named_where_it_lies(self):
        self.write(USERS)
        self.save("table.schema.json", {})

        self.assertEqual(self.run_infer()[0], 0)

        self.assertEqual(json.loads(self.read("users.json"))["$schema"], "./table.schema.json")


if __name__ == "__main__":
    unittest.main()

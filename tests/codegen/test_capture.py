"""The triggers of change capture, run by SQLite: they find every change, and no application
statement ends differently because of them."""

import itertools
import random
import sqlite3
import unittest

from codegen import emit_sql
from tests.codegen.support import definition, load_table

CONTROL = """create table bq_sync_capture (
  table_name text primary key, sequence integer not null, watermark integer) without rowid"""

# label, create table, key columns with types, values that keys take. Keys of any storage class,
# also such that a column's affinity or collation holds equal what is not.
SHAPES = (
    ("rowid alias", "create table t (id integer primary key, v, u unique)",
     [("id", "INT64")], [1, 2, 3, "4", 5]),
    ("rowid alias, automatic",
     "create table t (id integer primary key autoincrement, v, u)",
     [("id", "INT64")], [1, 2, 3, None]),
    ("int that is no alias", "create table t (id int primary key, v, u)",
     [("id", "INT64")], [1, "2", 3.0, "x", None, b"1"]),
    ("text", "create table t (k text primary key, v, u)",
     [("k", "STRING")], ["a", "A", "a ", "", None, 1, "1", b"a"]),
    ("text, strict", "create table t (k text primary key, v any, u any) strict",
     [("k", "STRING")], ["a", "A", None, "1"]),
    ("text without rowid", "create table t (k text primary key, v, u unique) without rowid",
     [("k", "STRING")], ["a", "A", "b", None, 1]),
    ("no affinity", "create table t (k primary key, v, u)",
     [("k", "STRING")], [1, "1", 1.5, b"1", "", None]),
    ("real", "create table t (k real primary key, v, u)",
     [("k", "NUMERIC")], [1, 1.5, "2", "x", None, 9007199254740993]),
    ("numeric", "create table t (k numeric primary key, v, u)",
     [("k", "NUMERIC")], [1, "1.0", "1e2", "x", 1.5, b"1"]),
    ("composite", "create table t (a text, b integer, v, u, primary key (a, b))",
     [("a", "STRING"), ("b", "INT64")], [1, "1", "a", None]),
    ("composite without rowid",
     "create table t (a text, b, v, u unique, primary key (b, a)) without rowid",
     [("a", "STRING"), ("b", "BYTES")], [1, "a", b"\x00", None]),
    ("nocase", "create table t (k text collate nocase primary key, v, u)",
     [("k", "STRING")], ["a", "A", "b", "B", None]),
    ("rtrim and nocase",
     "create table t (a text collate rtrim, b text collate nocase, v, u, primary key (a, b))",
     [("a", "STRING"), ("b", "STRING")], ["a", "a ", "A"]),
)
CONFLICTS = ("", "or replace", "or ignore", "or fail", "or abort", "or rollback")


def make_table(keys, **more):
    return load_table(definition(
        "t", [name for name, _ in keys], list(keys) + [("v", "STRING"), ("u", "STRING")], **more))


def script(statements):
    return ";\n".join(list(statements) + [""])


def connect(create, table=None):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(create)
    if table is not None:
        connection.execute(CONTROL)
        connection.execute("insert into bq_sync_capture values (?, 1, null)", (table.name,))
        connection.executescript(script(emit_sql.capture_install(table)))
    return connection


def statements(keys, values, chance):
    """An endless stream of (sql, parameters) that an application might run."""
    names = [name for name, _ in keys]

    def pick():
        return [chance.choice(values) for _ in names]

    def some():
        return chance.choice(["x", "y", 1, None, chance.random()])

    same_key = " and ".join("%s is ?" % name for name in names)
    new_key = ", ".join("%s = ?" % name for name in names)
    while True:
        conflict = chance.choice(CONFLICTS)
        kind = chance.randrange(10)
        marks = ", ".join("?" * (len(names) + 2))
        insert = "insert %s into t (%s, v, u) values (%s)" % (conflict, ", ".join(names), marks)
        if kind < 4:
            yield insert, pick() + [some(), some()]
        elif kind == 4:
            two = insert + ", (%s)" % marks
            yield two, pick() + [some(), some()] + pick() + [some(), some()]
        elif kind == 5:
            clause = chance.choice((
                " on conflict do nothing",
                " on conflict (%s) do update set v = excluded.v" % ", ".join(names),
                " on conflict (%s) do update set %s, v = 'moved'" % (
                    ", ".join(names), ", ".join("%s = excluded.%s" % (n, n) for n in names))))
            plain = insert.replace(conflict, "") if conflict else insert
            yield plain + clause, pick() + [some(), some()]
        elif kind == 6:
            yield "update %s t set v = ? where %s" % (conflict, same_key), [some()] + pick()
        elif kind == 7:
            yield "update %s t set %s, v = ? where %s" % (conflict, new_key, same_key), (
                pick() + [some()] + pick())
        elif kind == 8:
            yield "update %s t set %s" % (conflict, new_key), pick()
        else:
            yield ("delete from t", []) if chance.random() < 0.1 else (
                "delete from t where %s" % same_key, pick())


def run(connection, sql, parameters):
    """What the application sees of a statement."""
    try:
        connection.execute(sql, parameters)
        problem = None
    except sqlite3.Error as error:
        problem = "%s: %s" % (type(error).__name__, error)
    if connection.in_transaction:
        connection.execute("commit")
    return (problem,) + connection.execute("select changes(), last_insert_rowid()").fetchone()


def content(connection, keys):
    """Every row by its exact key: value and storage class."""
    order = ", ".join("%s, typeof(%s)" % (name, name) for name, _ in keys)
    rows = connection.execute("select %s, v, u from t" % order).fetchall()
    return {repr(row[:-2]): row[-2:] for row in rows}


class ApplicationTest(unittest.TestCase):
    def test_no_statement_ends_differently(self):
        for label, create, keys, values in SHAPES:
            with self.subTest(label):
                table = make_table(keys)
                bare, watched = connect(create), connect(create, table)
                stream = statements(keys, values, random.Random(label))
                for step, (sql, parameters) in enumerate(itertools.islice(stream, 1500)):
                    if step % 50 == 0:
                        watched.execute("update bq_sync_capture set sequence = sequence + 1")

                    expected = run(bare, sql, parameters)
                    found = run(watched, sql, parameters)

                    # changes() counts a failed OR FAIL's rows; triggers never add to it.
                    self.assertEqual(expected, found, (sql, parameters))
                    self.assertEqual(content(bare, keys), content(watched, keys), (sql, parameters))

    def test_a_statement_in_a_transaction_that_rolls_back_leaves_no_mark(self):
        table = make_table([("k", "STRING")])
        connection = connect("create table t (k text primary key, v, u)", table)

        connection.execute("begin")
        connection.execute("insert into t values ('a', 1, 2)")
        connection.execute("rollback")

        self.assertEqual(
            [], connection.execute('select * from "bq_sync_dirty_t"').fetchall())

    def test_schema_changes_of_the_application_still_work(self):
        table = make_table([("k", "STRING")])
        connection = connect("create table t (k text primary key, v, u)", table)
        connection.execute("insert into t values ('a', 1, 2)")

        connection.execute("alter table t drop column u")
        connection.execute("alter table t rename column k to kk")
        connection.execute("alter table t rename to t2")
        connection.execute("update t2 set v = 3")
        connection.execute("create table t (k text primary key, v)")
        connection.execute("insert into t values ('b', 1)")
        connection.execute("drop table t2")
        connection.execute("vacuum")

        self.assertEqual([("b", 1)], connection.execute("select * from t").fetchall())


class CaptureTest(unittest.TestCase):
    def test_every_change_is_found(self):
        for label, create, keys, values in SHAPES:
            with self.subTest(label):
                self._follow(create, keys, values, random.Random(label + "!"))

    def _follow(self, create, keys, values, chance):
        """A mirror that applies what changes_sql returns stays equal to the table."""
        table = make_table(keys)
        connection = connect(create, table)
        mirror = {}
        width = len(table.columns)
        # REPLACE removes rows of another spelling without firing a trigger; that takes guards on
        # unique indexes, which are made at run time from SQLite's own list of them.
        stream = (
            (sql, parameters) for sql, parameters in statements(keys, values, chance)
            if "or replace" not in sql or not ("nocase" in create or "unique" in create))
        for sequence in range(1, 60):
            connection.execute("update bq_sync_capture set sequence = ?", (sequence,))
            for sql, parameters in itertools.islice(stream, chance.randrange(1, 20)):
                run(connection, sql, parameters)

            for row in self._changes(connection, table, sequence - 1, None):
                key = repr(self._exact(row[:len(table.key)]))
                if row[width]:
                    mirror.pop(key, None)
                else:
                    mirror[key] = row[:width]

            names = ", ".join(column.name for column in table.columns)
            rows = connection.execute("select %s from t" % names).fetchall()
            expected = {
                repr(self._exact(row[:len(table.key)])): row for row in rows
                if None not in row[:len(table.key)]}
            self.assertEqual(expected, mirror)

    def test_columns_called_true_and_false_hide_no_change(self):
        for create, watermark in (
                ("create table t (id integer primary key, true, false)", 10),
                ("create table t (id int primary key, true, false)", None)):
            with self.subTest(create):
                table = load_table(definition(
                    "t", ["id"], [("id", "INT64"), ("true", "INT64"), ("false", "INT64")]))
                connection = connect(create, table)
                connection.execute("update bq_sync_capture set watermark = ?", (watermark,))
                connection.execute(
                    "insert into t values (1, 0, 1), (2, 1, 0), (3, null, null), (4, 0, 0)")

                connection.execute("delete from t where id = 4")

                self.assertEqual(
                    [(1, 0, 1, 0), (2, 1, 0, 0), (3, None, None, 0), (4, None, None, 1)],
                    self._changes(connection, table, 0, watermark))

    @staticmethod
    def _exact(key):
        # 1 and 1.0 are one key: no unique index holds both.
        return tuple(
            int(value) if isinstance(value, float) and value.is_integer() else value
            for value in key)

    @staticmethod
    def _changes(connection, table, since, watermark):
        parameters = [since, watermark] if table.single_int64_key else [since]
        return connection.execute(emit_sql.changes(table), parameters).fetchall()

    def test_rows_above_the_watermark_are_left_to_their_id(self):
        table = make_table([("id", "INT64")])
        connection = connect("create table t (id integer primary key, v, u)", table)
        connection.execute("update bq_sync_capture set watermark = 10")

        connection.execute("insert into t values (9, 1, 1), (10, 1, 1), (11, 1, 1), (12, 1, 1)")
        connection.execute("update t set v = 2 where id >= 11")
        connection.execute("delete from t where id = 12")

        self.assertEqual(
            [(9, 1), (10, 1)], connection.execute('select * from "bq_sync_dirty_t"').fetchall())
        self.assertEqual(
            [11], [row[0] for row in connection.execute(emit_sql.new_rows(table), (10,))])

    def test_a_row_that_moves_over_the_watermark_leaves_its_old_key_behind(self):
        table = make_table([("id", "INT64")])
        connection = connect("create table t (id integer primary key, v, u)", table)
        connection.execute("insert into t values (5, 'x', 1), (20, 'y', 2)")
        connection.execute('delete from "bq_sync_dirty_t"')
        connection.execute("update bq_sync_capture set watermark = 10")

        connection.execute("update t set id = 21 where id = 5")
        connection.execute("update t set _rowid_ = 6 where id = 20")

        self.assertEqual(
            [(5, None, None, 1), (6, "y", 2, 0)], self._changes(connection, table, 0, 10))

    def test_a_key_changed_again_carries_the_newer_sequence(self):
        table = make_table([("k", "STRING")])
        connection = connect("create table t (k text primary key, v, u)", table)
        connection.execute("insert into t values ('a', 1, 1), ('b', 1, 1)")
        connection.execute("update bq_sync_capture set sequence = 2")

        connection.execute("update t set v = 2 where k = 'a'")

        self.assertEqual(
            [("a", 2, 1, 0)], self._changes(connection, table, 1, None))

    def test_rows_outside_of_the_filter_read_as_gone(self):
        table = make_table([("id", "INT64")], where="u is null -- live")
        connection = connect("create table t (id integer primary key, v, u)", table)

        connection.execute("insert into t values (1, 'x', null), (2, 'y', 'gone')")

        self.assertEqual(
            [(1, "x", None, 0), (2, None, None, 1)], self._changes(connection, table, 0, None))
        self.assertEqual(
            [(1, "x", None)], connection.execute(emit_sql.scan(table)).fetchall())
        self.assertEqual(
            [], connection.execute(emit_sql.new_rows(table), (1,)).fetchall())

    def test_spellings_that_a_collation_holds_equal_are_two_keys(self):
        table = make_table([("k", "STRING")])
        connection = connect("create table t (k text collate nocase primary key, v, u)", table)
        connection.execute("insert into t values ('Key', 1, 1)")
        connection.execute("update bq_sync_capture set sequence = 2")

        connection.execute("update t set k = 'KEY'")

        self.assertEqual(
            [("KEY", 1, 1, 0), ("Key", None, None, 1)],
            sorted(self._changes(connection, table, 1, None)))


class HeldTest(unittest.TestCase):
    """What the dirty set of a table with history says of a row: it was there when the last pass that succeeded was
    sealed."""

    def test_a_row_that_is_said_to_have_been_there_was(self):
        for label, create, keys, values in SHAPES:
            with self.subTest(label):
                said, known = self._follow(create, keys, values, random.Random(label + "?"))
                self.assertGreater(said, 30)
                self.assertGreater(known, said / 4)

    def _follow(self, create, keys, values, chance):
        """Passes that succeed or fail, and entries that are cleaned or not; how many keys had changed, and of how many it
        was known that their rows had been there."""
        table = make_table(keys, sync={"mode": "upsert", "history": True})
        connection = connect(create, table)
        names = ", ".join(column.name for column in table.key)
        stream = (
            (sql, parameters) for sql, parameters in statements(keys, values, chance)
            if "or replace" not in sql or not ("nocase" in create or "unique" in create))
        synced, there, said, known = 0, set(), 0, 0
        for sequence in range(1, 80):
            connection.execute("update bq_sync_capture set sequence = ?", (sequence,))
            for sql, parameters in itertools.islice(stream, chance.randrange(1, 8)):
                run(connection, sql, parameters)
            for row in CaptureTest._changes(connection, table, synced, None):
                said += 1
                known += row[-1]
                if row[-1]:
                    self.assertIn(repr(CaptureTest._exact(row[:len(table.key)])), there)
            if chance.random() < 0.7:
                synced = sequence
                there = {repr(CaptureTest._exact(row)) for row in connection.execute("select %s from t" % names)}
                if chance.random() < 0.7:
                    connection.execute('delete from "bq_sync_dirty_t" where bq_sync_sequence <= ?', (synced,))
        return said, known

    def test_what_the_first_change_finds_counts(self):
        table = make_table([("k", "STRING")], sync={"mode": "upsert", "history": True})
        connection = connect("create table t (k text primary key, v, u)", table)
        connection.execute("insert into t values ('a', 1, 1), ('b', 1, 1), ('c', 1, 1), ('d', 1, 1)")
        connection.execute("update bq_sync_capture set sequence = 2")

        for sql in ("update t set v = 2 where k = 'a'", "delete from t where k = 'b'", "insert into t values ('b', 3, 3)",
                    "replace into t values ('c', 4, 4)", "update t set v = 5 where k = 'c'",
                    "insert into t values ('e', 6, 6)", "update t set v = 7 where k = 'e'"):
            connection.execute(sql)

        self.assertEqual({"a": 1, "b": 1, "c": 0, "e": 0}, {
            row[0]: row[-1] for row in CaptureTest._changes(connection, table, 1, None)})


class CostTest(unittest.TestCase):
    def test_changed_rows_are_looked_up_by_their_key(self):
        for label, create, keys, _ in SHAPES:
            with self.subTest(label):
                table = make_table(keys, where="v is not null")
                connection = connect(create, table)
                connection.execute("create index other on t (v)")

                plan = [
                    row[3] for row in connection.execute(
                        "explain query plan " + emit_sql.changes(table),
                        [0] * (2 if table.single_int64_key else 1))]

                self.assertEqual(["SCAN d"], [step for step in plan if step.startswith("SCAN")])
                search = [step for step in plan if step.startswith("SEARCH t USING")]
                self.assertEqual(1, len(search), plan)
                for name, _ in keys:
                    self.assertRegex(search[0], r"\((.* AND )?(%s|rowid)=\?" % name)

    def test_new_rows_are_searched_by_their_key(self):
        table = make_table([("id", "INT64")])
        connection = connect("create table t (id integer primary key, v, u)", table)

        plan = connection.execute("explain query plan " + emit_sql.new_rows(table), [0]).fetchall()

        self.assertIn("SEARCH t USING INTEGER PRIMARY KEY (rowid>?)", plan[0][3])

    def test_triggers_find_their_entry_without_reading_the_dirty_set(self):
        for label, create, keys, _ in SHAPES:
            with self.subTest(label):
                connection = connect(create, make_table(keys))
                root = connection.execute(
                    "select rootpage from sqlite_master where name = 'bq_sync_dirty_t'"
                ).fetchone()[0]
                for statement in ("update t set v = 1", "delete from t"):
                    program = connection.execute("explain " + statement).fetchall()
                    cursors = {
                        row[2] for row in program
                        if row[1] in ("OpenRead", "OpenWrite") and row[3] == root}
                    scans = [
                        row for row in program
                        if row[1] in ("Rewind", "Last") and row[2] in cursors]
                    seeks = [
                        row for row in program
                        if row[1] in ("SeekGE", "NotFound", "NoConflict") and row[2] in cursors]

                    self.assertTrue(seeks, program)
                    # Cursor numbers start again in each trigger program: a scan of the same number
                    # in the outer statement is one of t, which both statements do once.
                    self.assertLessEqual(len(scans), 1, scans)


class InstallTest(unittest.TestCase):
    def test_installing_twice_changes_nothing(self):
        table = make_table([("k", "STRING")])
        connection = connect("create table t (k text primary key, v, u)", table)
        before = connection.execute("select * from sqlite_master").fetchall()

        connection.executescript(script(emit_sql.capture_install(table)))

        self.assertEqual(before, connection.execute("select * from sqlite_master").fetchall())

    def test_names_need_no_care(self):
        table = load_table(definition(
            'it\'s "new"', ["k"],
            [{"name": "k", "type": "INT64", "source": 'se"lect'}, ("v", "STRING")],
            target="plain"))
        connection = connect(
            'create table "it\'s ""new""" ("se""lect" integer primary key, v)', table)

        connection.execute('insert into "it\'s ""new""" values (1, 2)')

        self.assertEqual([(1, "2", 0)], [
            (row[0], str(row[1]), row[2])
            for row in connection.execute(emit_sql.changes(table), (0, None))])


if __name__ == "__main__":
    unittest.main()

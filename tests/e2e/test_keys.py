"""Keys that SQLite tells apart as they are stored and BigQuery compares as they are converted."""

import functools
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SCHEMA = """
create table times(k text primary key, v, n);
create table amounts(k text primary key, v, n);
create table numbers(k primary key, v, n);
create table labels(k primary key, v, n);
create table digests(k primary key, v, n);
create table blobs(k primary key, v, n);
create table flags(k primary key, v, n);
create table days(k text primary key, v, n);
create table hours(k text primary key, v, n);
create table reals(k real primary key, v, n);
create table names(k text primary key, v, n);
create table things(id integer, v, n);
create view doubled as select id as k, v, n from things;
"""

# Table, two spellings of one key, and another key, as SQL literals.
SPELLINGS = [
    ("times", "'2024-01-01 00:00:00'", "'2024-01-01T00:00:00Z'", "'2025-01-01'"),
    ("amounts", "'1.0'", "'1.00'", "'2'"),
    ("numbers", "7", "'007'", "8"),
    ("labels", "7", "'7'", "'x'"),
    ("digests", "'7'", "7", "'x'"),
    ("blobs", "'a'", "x'61'", "'b'"),
    ("flags", "1", "'true'", "0"),
    ("days", "'2024-01-01'", "'2024-01-01 00:00:00'", "'2024-01-02'"),
    ("hours", "'12:00:00'", "'12:00:00.000'", "'13:00:00'"),
]


REJECTED = 1  # the exit status of a run with rejected rows


class KeyCase(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_keys", schema=SCHEMA, state=self.state))

    def sync(self, table, status=0, *arguments):
        return self.app.table(self.app.sync(table, *arguments, status=status), table)

    def values(self, table):
        return sorted(row["v"] for row in self.bq.rows("d", table))

    def agree(self, table):
        report = self.app.table(self.app.json("verify", table), table)
        self.assertTrue(report["equal"], report)
        return report


class ReportTest(KeyCase):
    def test_bytes_that_are_not_text_are_reported_as_hex(self):
        self.app.script("insert into blobs(k, v) values (x'ff00', 'one'), (x'fe', 'two')")
        self.sync("blobs")
        self.bq.query("delete from d.blobs where v = 'one'; insert into d.blobs (k, v) values (from_hex('c6'), 'three')")

        report = self.app.table(self.app.json("verify", "blobs", status=1), "blobs")

        self.assertEqual((["ff00"], ["c6"]), (report["missing"], report["extra"]))


def for_each_spelling(story):
    @functools.wraps(story)
    def test(self):
        for table, one, two, other in SPELLINGS:
            with self.subTest(table):
                story(self, table, one, two, other)
    return test


class SpellingTest(KeyCase):
    @for_each_spelling
    def test_the_later_of_two_rows_of_one_key_is_rejected_and_names_the_other(self, table, one, two, other):
        self.app.script(f"insert into {table}(k, v) values ({one}, 'one'), ({other}, 'other')")
        self.sync(table)
        self.app.script(f"insert into {table}(k, v) values ({two}, 'two')")

        run = self.sync(table, REJECTED)

        self.assertEqual(1, run["rows_rejected"])
        self.assertEqual(["one", "other"], self.values(table))
        self.assertIn("are one key in BigQuery", self.app.run("rejects", table)[1])
        self.agree(table)

    @for_each_spelling
    def test_a_delete_of_one_of_two_rows_leaves_the_other(self, table, one, two, other):
        self.app.script(f"insert into {table}(k, v) values ({one}, 'one'), ({other}, 'other')")
        self.sync(table)
        self.app.script(f"insert into {table}(k, v) values ({two}, 'two')")
        self.sync(table, REJECTED)

        self.app.script(f"delete from {table} where v = 'two'")
        self.sync(table)
        self.assertEqual(["one", "other"], self.values(table))

        self.app.script(f"insert into {table}(k, v) values ({two}, 'two')")
        self.sync(table, REJECTED)
        self.app.script(f"delete from {table} where v = 'one'")
        run = self.sync(table)

        self.assertEqual(0, run["rows_rejected"])
        self.assertEqual(["other", "two"], self.values(table))
        self.agree(table)

    @for_each_spelling
    def test_another_spelling_of_the_only_row_is_a_plain_success(self, table, one, two, other):
        self.app.script(f"insert into {table}(k, v) values ({one}, 'one')")
        self.sync(table)
        self.app.script(f"update {table} set k = {two}, v = 'two'")

        self.assertEqual("synced", self.sync(table)["status"])

        self.assertEqual(["two"], self.values(table))
        self.assertEqual("unchanged", self.sync(table)["status"])
        self.app.script(f"update {table} set k = {other}, v = 'other'")
        self.sync(table)
        self.assertEqual(["other"], self.values(table))
        self.agree(table)

    @for_each_spelling
    def test_a_replacement_sends_one_of_two_rows(self, table, one, two, other):
        self.app.script(f"insert into {table}(k, v) values ({one}, 'one'), ({two}, 'two')")
        self.sync(table, REJECTED)
        self.assertEqual(["one"], self.values(table))
        self.agree(table)

        self.app.script(f"delete from {table} where v = 'one'")
        self.sync(table)
        self.assertEqual(["two"], self.values(table))
        self.sync(table, 0, "--full")
        self.assertEqual(["two"], self.values(table))
        self.agree(table)

    @for_each_spelling
    def test_a_rejected_row_keeps_its_key(self, table, one, two, other):
        self.app.script(f"insert into {table}(k, v, n) values ({one}, 'one', 1)")
        self.sync(table)
        self.app.script(f"update {table} set n = 'no number'; insert into {table}(k, v) values ({two}, 'two')")

        self.assertEqual(2, self.sync(table, REJECTED)["rows_rejected"])

        self.assertEqual(["one"], self.values(table))
        self.app.script(f"delete from {table} where v = 'one'")
        self.sync(table)
        self.assertEqual(["two"], self.values(table))


class SpellingByScanTest(SpellingTest):
    state = "state.db"


class SpellingInATransactionTest(KeyCase):
    def test_another_spelling_of_the_only_row_holds_up_no_table(self):
        self.app.script("insert into times(k, v) values ('2024-01-01 00:00:00', 'one');"
                        "insert into names(k, v) values ('a', '1')")
        self.app.sync(BQ_SYNC_ATOMIC="1")
        self.app.script("update times set k = '2024-01-01T00:00:00Z', v = 'two'; update names set v = '2'")

        self.app.sync(BQ_SYNC_ATOMIC="1")

        self.assertEqual((["two"], ["2"]), (self.values("times"), self.values("names")))
        self.agree("times")


class StorageClassTest(KeyCase):
    def test_an_integer_that_becomes_a_real_is_another_text(self):
        self.app.script("insert into labels(k, v) values (1, 'a'), ('x', 'b')")
        self.sync("labels")
        self.app.script("update labels set k = 1.0 where k = 1")

        self.sync("labels")

        self.assertEqual(["1.0", "x"], sorted(row["k"] for row in self.bq.rows("d", "labels")))
        self.agree("labels")

    def test_a_repair_of_a_key_that_is_a_real_does_not_delete_it(self):
        self.app.script("insert into reals(k, v) values (1.5, 'a'), (2.5, 'b')")
        self.sync("reals")
        self.bq.query("update d.reals set v = 'wrong' where k = '1.5'")

        self.app.json("verify", "reals", "--repair", status=0)

        self.assertEqual(["a", "b"], self.values("reals"))
        self.agree("reals")

    def test_a_repair_deletes_what_only_bigquery_has(self):
        self.app.script("insert into labels(k, v) values (7, 'a'), ('x', 'b')")
        self.sync("labels")
        self.app.script("delete from labels where k = 7; insert into labels(k, v) values ('y', 'c')")
        self.sync("labels")
        self.bq.query("insert into d.labels (k, v) values ('7', 'extra')")

        self.app.json("verify", "labels", "--repair", status=0)

        self.assertEqual(["b", "c"], self.values("labels"))

    def test_keys_of_one_form_for_each_value_cost_nothing(self):
        self.app.script("insert into names(k, v) values ('a', '1'), ('b', '2')")
        self.sync("names")

        self.assertEqual([], self.app.execute(
            "select name from sqlite_master where name in ('bq_sync_shadow_names', 'bq_sync_pending_names')"))


class StorageClassByScanTest(StorageClassTest):
    state = "state.db"


class DoubledKeyTest(KeyCase):
    def test_verify_counts_the_row_that_gave_way_as_rejected(self):
        self.app.script("insert into labels(k, v) values (7, 'a'), ('7', 'b'), ('x', 'c')")
        self.sync("labels", REJECTED)

        report = self.agree("labels")

        self.assertEqual((1, 0), (report["rejected"], report["pending"]))

    def test_verify_compares_the_row_that_has_the_key(self):
        self.app.script("insert into labels(k, v) values (7, 'a'), ('7', 'b'), ('x', 'c')")
        self.sync("labels", REJECTED)
        for sql, found in [("delete from d.labels where k = '7'", "missing_count"),
                           ("update d.labels set v = 'q' where k = '7'", "different_count")]:
            with self.subTest(found):
                self.bq.query(sql)
                report = self.app.table(self.app.json("verify", "labels", status=1), "labels")
                self.assertEqual((1, 1, 0), (report[found], report["rejected"], report["pending"]))
                self.app.run("verify", "--repair", "labels")
                self.assertEqual(["a", "c"], self.values("labels"))
                self.agree("labels")

    def test_a_change_of_the_row_that_has_the_key_is_pending(self):
        self.app.script("insert into labels(k, v) values (7, 'a'), ('7', 'b'), ('x', 'c')")
        self.sync("labels", REJECTED)
        self.app.script("update labels set v = 'd' where v = 'a'")
        self.assertEqual(1, self.agree("labels")["pending"])
        self.sync("labels", REJECTED)
        self.assertEqual((1, 0), tuple(self.agree("labels")[name] for name in ("rejected", "pending")))

    def test_a_dry_run_counts_the_row_that_gives_way(self):
        self.sync("numbers")  # makes the state database
        self.app.script("insert into labels(k, v) values (7, 'a'), ('7', 'b'), ('x', 'c')")
        for arguments, rejected in [([], 1), (["--full"], 1)]:
            with self.subTest(arguments):
                self.assertEqual(rejected, self.sync("labels", REJECTED, "--dry-run", *arguments)["rows_rejected"])
        self.sync("labels", REJECTED)
        self.app.script("insert into labels(k, v) values (8, 'd'), ('8', 'e')")
        for synced in (False, True):
            for arguments in ([], ["--full"]):
                with self.subTest(arguments, synced=synced):
                    self.assertEqual(2, self.sync("labels", REJECTED, "--dry-run", *arguments)["rows_rejected"])
            self.sync("labels", REJECTED)

    def test_a_view_that_holds_a_key_twice_sends_it_once(self):
        self.app.script("insert into things values (1, 'a', 1), (1, 'b', 2), (2, 'c', 3)")

        run = self.sync("doubled", REJECTED)

        self.assertEqual(1, run["rows_rejected"])
        self.assertEqual(["a", "c"], self.values("doubled"))
        self.agree("doubled")
        self.assertEqual("unchanged", self.sync("doubled", REJECTED)["status"])

        self.app.script("delete from things where v = 'a'")
        self.sync("doubled")
        self.assertEqual(["b", "c"], self.values("doubled"))
        self.app.script("insert into things values (2, 'd', 4)")
        self.sync("doubled", REJECTED)
        self.assertEqual(["b", "c"], self.values("doubled"))
        self.agree("doubled")


class DoubledKeyByScanTest(DoubledKeyTest):
    state = "state.db"


class WordsTest(unittest.TestCase):
    """SQLite takes true and false for a column, where a table has one of that name."""

    def test_columns_called_true_and_false_are_columns(self):
        schema = ("create table word_columns(id integer primary key, true, false);"
                  "create table word_keys(true unique, false);")
        with Bqlocal(datasets=["d"]) as bq, Deployment(bq, program="bqsync_lives", schema=schema) as app:
            tables = ("word_columns", "word_keys")
            app.script("insert into word_columns values (1, 0, 'a'), (2, 1, 'b'), (3, null, 'c'), (4, 0, 'd');"
                       "insert into word_keys values (0, 0), (1, 0), (2, 1), (null, 0)")
            first = app.sync(*tables, status=REJECTED)
            self.assertEqual(1, app.table(first, "word_keys")["rows_rejected"])

            app.script("update word_columns set false = 'new'; delete from word_columns where id = 4;"
                       "update word_keys set true = true + 10 where true < 2; delete from word_keys where true = 2")
            app.sync(*tables, status=REJECTED)

            self.assertEqual([(1, 0, "new"), (2, 1, "new"), (3, None, "new")],
                             app.warehouse_rows("word_columns"))
            self.assertEqual([(10, 0), (11, 0)], app.warehouse_rows("word_keys"))
            app.execute("update word_keys set true = 12 where true is null")
            app.sync(*tables)
            self.assertEqual([(10, 0), (11, 0), (12, 0)], app.warehouse_rows("word_keys"))


if __name__ == "__main__":
    unittest.main()

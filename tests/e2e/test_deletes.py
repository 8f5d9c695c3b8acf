"""`sync.deletes`: what becomes in BigQuery of rows that are deleted in SQLite, in every mode, found in every way, and
through every replacement. Judged by the rows that BigQuery holds."""

import datetime
import json
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

MARKED = ("marked", "marked_log", "marked_small", "marked_scanned", "marked_words")
KEPT = ("kept", "kept_log", "kept_small", "kept_scanned", "kept_words")
SOME = ("marked_some", "kept_some")
DAYS = ("marked_days", "kept_days")
TOLD = ("marked_told", "kept_told")
LEAST_BILL = 10 << 20
SCHEMA = "".join(
    f"create table {table}(id integer primary key, name text, doc text, made_at text);"
    for table in (*(name for name in MARKED + KEPT + SOME + TOLD if not name.endswith("_words")), "mirrored", "turned"))
SCHEMA += "".join(f"create table {table}(id integer primary key, name text, doc text, day text);" for table in DAYS)
SCHEMA += "".join(f"create table {table}(id integer, name text primary key, doc text, made_at text);"
                  for table in ("marked_words", "kept_words", "kept_hashed"))


class DeletesTest(unittest.TestCase):
    state = None
    program = "bqsync_deletes"

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.deploy()

    def deploy(self, **more):
        return self.enterContext(
            Deployment(self.bq, program=self.program, schema=SCHEMA, state=self.state, **more))

    def add(self, table, *ids, name="n"):
        for number in ids:
            self.app.execute(f"insert into {table} values (?, ?, ?, '2026-01-01T00:00:00Z')",
                             (number, f"{name}{number}", json.dumps({"n": number})))

    def sync(self, table, *arguments, status=0, **environment):
        return self.app.table(self.app.sync(table, *arguments, status=status, **environment), table)

    def live(self, table):
        """Names of rows by id, without those that are marked."""
        return {row["id"]: row["name"] for row in self.bq.rows("d", table) if row.get("_bqsync_deleted_at") is None}

    def marks(self, table):
        """When each row that is marked was found deleted, by id."""
        return {row["id"]: row["_bqsync_deleted_at"] for row in self.bq.rows("d", table)
                if row.get("_bqsync_deleted_at") is not None}

    def assert_equal(self, table, kept):
        found = self.app.table(self.app.json("verify", table), table)
        self.assertEqual((True, kept, 0, 0), (found["equal"], found["kept"], found["extra_count"], found["pending"]),
                         found)


class NotedTest(DeletesTest):
    def test_a_budget_that_is_too_small_for_a_change_does_not_advise_a_load(self):
        """A table of which rows stay is not replaced by a load: that would cost more, not nothing."""
        tables = {"mirrored": True, "marked": False, "kept": False}
        for table, advised in tables.items():
            self.add(table, 1)
            self.sync(table)
            self.app.execute(f"update {table} set name = hex(zeroblob(600000))")
            message = self.sync(table, status=1, BQ_MAX_BYTES_BILLED_PER_DAY=str(11 << 20))["error"]["message"]
            self.assertIn("never fits", message)
            self.assertEqual(advised, "by a load" in message, message)

    def test_a_pass_after_one_that_only_noted_deletions_writes_nothing(self):
        for table in KEPT + ("kept_some",):
            with self.subTest(table), self.app.connect() as watcher:
                self.add(table, 1, 2)
                self.sync(table)
                self.app.execute(f"delete from {table} where id = 1")
                self.assertEqual("unchanged", self.sync(table)["status"])
                version = watcher.execute("pragma data_version").fetchone()

                self.sync(table)

                self.assertEqual(version, watcher.execute("pragma data_version").fetchone())
                self.assertEqual([], watcher.execute(self.listed(watcher, table)).fetchall())

    def listed(self, db, table):
        """The statement for the keys that are listed as changed."""
        known = db.execute("select 1 from sqlite_master where name = ?", (f"bq_sync_dirty_{table}",)).fetchall()
        return f"select * from bq_sync_dirty_{table}" if known else "select 1 where 0"


class PurgeTest(DeletesTest):
    def test_a_purge_of_1000_rows_leaves_what_the_definition_says(self):
        tables = ("mirrored", "marked", "kept")
        for table in tables:
            self.app.script(f"with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500)"
                            f" insert into {table}(id, name) select i, 'n' || i from n")
            self.sync(table)
            self.app.execute(f"delete from {table} where id <= 1000")
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)

        for table in tables:
            self.sync(table)

        self.assertEqual([500, 1500, 1500], [len(self.bq.rows("d", table)) for table in tables])
        self.assertEqual(500, len(self.live("marked")))
        self.assertEqual(set(range(1, 1001)), set(self.marks("marked")))
        self.assertEqual(1, len(set(self.marks("marked").values())))
        stamp = self.bq.scalar("select max(unix_micros(_bqsync_deleted_at)) from d.marked")
        self.assertGreater(int(stamp) / 1e6, before.timestamp())
        self.assertLess(int(stamp) / 1e6, before.timestamp() + 300)
        for table, kept in zip(tables, (0, 1000, 1000)):
            self.assert_equal(table, kept)


class LifeTest(DeletesTest):
    def live_of(self, table, *, marks):
        """Deletes, and keys that come back, each way in which a pass may send them."""
        self.add(table, 1, 2, 3, 4)
        self.sync(table)
        self.app.execute(f"delete from {table} where id in (2, 4)")
        self.sync(table)
        self.assertEqual({2, 4} if marks else set(), set(self.marks(table)))
        self.assertEqual({1, 2, 3, 4}, {row["id"] for row in self.bq.rows("d", table)})
        self.assert_equal(table, 2)
        self.assertEqual("unchanged", self.sync(table)["status"])
        first = self.marks(table)

        # The row keeps its last values; one that comes back is a row like any other.
        self.add(table, 4)
        self.app.execute(f"update {table} set doc = '5' where id = 4")
        self.add(table, 5)
        self.sync(table)
        self.assertEqual({2: first[2]} if marks else {}, self.marks(table))
        rows = {row["id"]: row for row in self.bq.rows("d", table)}
        self.assertEqual([1, 2, 3, 4, 5], sorted(rows))
        self.assertEqual(("n2", {"n": 2}, 5), (rows[2]["name"], json.loads(rows[2]["doc"]), json.loads(rows[4]["doc"])))
        self.assert_equal(table, 1)

        # A second deletion has a time of its own; the first time of another row stays.
        self.app.execute(f"delete from {table} where id = 4")
        self.sync(table)
        if marks:
            self.assertEqual(first[2], self.marks(table)[2])
            self.assertNotEqual(first[4], self.marks(table)[4])
        self.assert_equal(table, 2)

    def replaced(self, table):
        """What a replacement leaves: it sends all rows, and drops none."""
        self.add(table, 1, 2, 3, 4)
        self.sync(table)
        self.app.execute(f"delete from {table} where id in (2, 4)")
        self.sync(table)
        stamps = self.marks(table)
        self.app.execute(f"delete from {table} where id = 1")
        self.add(table, 2)
        return stamps

    def check_replaced(self, table, stamps, *, marks, through):
        self.assertEqual([1, 2, 3, 4], sorted(row["id"] for row in self.bq.rows("d", table)), through)
        if marks:
            self.assertEqual({2: "n2", 3: "n3"}, self.live(table), through)
            self.assertEqual(stamps[4], self.marks(table)[4], through)
        self.assert_equal(table, 2)

    def test_rows_live_and_are_deleted(self):
        for table in MARKED + KEPT:
            with self.subTest(table):
                self.live_of(table, marks=table in MARKED)

    def test_a_full_sync_drops_no_row(self):
        for table in MARKED + KEPT:
            with self.subTest(table):
                stamps = self.replaced(table)
                self.assertEqual("replace", self.sync(table, "--full")["mode"])
                self.check_replaced(table, stamps, marks=table in MARKED, through="--full")

    def test_a_reset_drops_no_row(self):
        for table in MARKED + KEPT:
            with self.subTest(table):
                stamps = self.replaced(table)
                self.app.run("reset", table)
                self.assertEqual("replace", self.sync(table)["mode"])
                self.check_replaced(table, stamps, marks=table in MARKED, through="reset")

    def test_a_replacement_by_no_rows_drops_none(self):
        for table in MARKED + KEPT:
            with self.subTest(table):
                self.add(table, 1, 2)
                self.sync(table)
                self.app.execute(f"delete from {table}")
                self.sync(table, "--full")
                self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", table)))
                self.assertEqual([1, 2] if table in MARKED else [], sorted(self.marks(table)))
                self.assert_equal(table, 2)

    def double(self, table):
        """Somebody copies all rows of the target into it."""
        self.bq.query(f"insert into d.{table} select * from d.{table}")

    def check_one_of_each(self, table, stamps, left):
        """Of the ids 1 to 3, of which the last was deleted at stamps, SQLite has those that are left."""
        self.assertEqual([1, 2, 3], sorted(row["id"] for row in self.bq.rows("d", table)))
        if stamps:
            self.assertEqual({3: stamps[3]}, {key: when for key, when in self.marks(table).items() if key == 3})
            self.assertEqual({key: f"n{key}" for key in left}, self.live(table))
        self.assert_equal(table, 3 - len(left))

    def test_a_replacement_leaves_one_of_two_rows_that_somebody_has_doubled(self):
        for left in ([1, 2], [2], []):
            for table in MARKED + KEPT:
                with self.subTest(table, left=left):
                    self.app.execute(f"delete from {table}")
                    self.add(table, 1, 2, 3)
                    self.sync(table)
                    self.app.execute(f"delete from {table} where id = 3")
                    self.sync(table)
                    stamps = self.marks(table)
                    self.double(table)
                    self.app.script("".join(f"delete from {table} where id = {key};" for key in {1, 2} - {*left}))
                    self.app.run("reset", table)
                    self.assertEqual("replace", self.sync(table)["mode"])
                    self.check_one_of_each(table, stamps, left)

    def test_a_repair_leaves_one_of_two_doubled_rows_although_sqlite_has_none(self):
        for table in KEPT:
            with self.subTest(table):
                self.add(table, 1, 2)
                self.sync(table)
                self.app.execute(f"delete from {table}")
                self.sync(table)
                self.double(table)
                found = self.app.table(self.app.json("verify", "--repair", table), table)
                self.assertEqual((True, 2), (found["equal"], found["kept"]), found)
                self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", table)))

    def test_a_replacement_of_a_transaction_leaves_one_of_two_doubled_rows(self):
        tables = ("marked", "kept", "marked_log")
        for left in ([2], []):
            for table in tables:
                self.app.execute(f"delete from {table}")
                self.add(table, 1, 2, 3)
            self.app.sync(*tables, BQ_SYNC_ATOMIC="1")
            for table in tables:
                self.app.execute(f"delete from {table} where id = 3")
            self.app.sync(*tables, BQ_SYNC_ATOMIC="1")
            stamps = {table: self.marks(table) for table in tables}
            for table in tables:
                self.double(table)
                self.app.script("".join(f"delete from {table} where id = {key};" for key in {1, 2} - {*left}))
            self.app.sync("--full", *tables, BQ_SYNC_ATOMIC="1")
            for table in tables:
                with self.subTest(table, left=left):
                    self.check_one_of_each(table, stamps[table], left)

    def test_replacements_by_no_rows_are_paid_from_the_days_budget(self):
        tables = ("marked", "kept")
        for table in tables:
            self.add(table, 1, 2)
        self.app.sync(*tables)
        for table in tables:
            self.app.execute(f"delete from {table}")
        run = self.app.sync(*tables, "--full", status=1, BQ_MAX_BYTES_BILLED_PER_DAY=str(LEAST_BILL * 3 // 2))
        self.assertEqual(LEAST_BILL, run["bytes_billed"])
        failed = [one["error"]["code"] for one in run["tables"] if one["status"] == "failed"]
        self.assertEqual(["budget"], failed)

    def test_an_id_that_was_kept_and_is_used_again_after_a_reset_is_one_row(self):
        for table in MARKED + KEPT:
            with self.subTest(table):
                self.add(table, 1, 2)
                self.sync(table)
                self.app.execute(f"delete from {table} where id = 2")
                self.sync(table)
                self.app.run("reset", table)
                self.sync(table)
                self.add(table, 2)
                self.app.execute(f"update {table} set doc = '7' where id = 2")
                self.sync(table)
                self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", table)))
                self.assert_equal(table, 0)

    def test_a_dropped_target_is_made_anew_by_one_load(self):
        for table in ("marked", "kept"):
            self.add(table, 1, 2)
            self.sync(table)
            self.app.execute(f"delete from {table} where id = 2")
            self.sync(table)
            self.bq.delete(f"datasets/d/tables/{table}")
            self.bq.clear_requests()
            self.sync(table)
            self.assertEqual([1], [row["id"] for row in self.bq.rows("d", table)])
            self.assertEqual([], [one["path"] for one in self.bq.requests() if "staging" in one["path"]])

    def test_rows_travel_by_a_staging_table_too(self):
        for table in ("marked", "kept"):
            self.app.script(f"with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000)"
                            f" insert into {table}(id, name) select i, 'n' || i from n")
            self.sync(table)
            self.app.execute(f"update {table} set name = 'm' where id % 2 = 0")
            self.app.execute(f"delete from {table} where id <= 3000")
            self.sync(table)
            self.assertEqual(6000, len(self.bq.rows("d", table)))
            self.assert_equal(table, 3000)

    def test_the_tables_of_a_transaction_keep_rows_too(self):
        tables = ("marked", "kept", "mirrored", "marked_log")
        for table in tables:
            self.add(table, 1, 2, 3)
        self.app.sync(*tables, BQ_SYNC_ATOMIC="1")
        for table in tables:
            self.app.execute(f"delete from {table} where id = 2")
        self.app.sync(*tables, BQ_SYNC_ATOMIC="1")
        self.assertEqual([3, 3, 2, 3], [len(self.bq.rows("d", table)) for table in tables])
        self.assertEqual([[2], [2]], [list(self.marks(table)) for table in ("marked", "marked_log")])
        for table in tables:
            self.app.execute(f"delete from {table} where id = 3")
        self.app.sync("--full", *tables, BQ_SYNC_ATOMIC="1")
        self.assertEqual([3, 3, 1, 3], [len(self.bq.rows("d", table)) for table in tables])
        for table in tables:
            self.app.execute(f"delete from {table}")
        self.app.sync("--full", *tables, BQ_SYNC_ATOMIC="1")
        self.assertEqual([3, 3, 0, 3], [len(self.bq.rows("d", table)) for table in tables])
        for table, kept in zip(tables, (3, 3, 0, 3)):
            self.assert_equal(table, kept)

    def test_a_row_that_leaves_the_filter_counts_as_deleted(self):
        for table in SOME:
            self.add(table, 1, 2)
            self.sync(table)
            self.app.execute(f"update {table} set name = null where id = 1")
            self.sync(table)
            self.assertEqual({1: "n1", 2: "n2"}, {row["id"]: row["name"] for row in self.bq.rows("d", table)})
            self.assertEqual([1] if table == "marked_some" else [], list(self.marks(table)))
            self.assert_equal(table, 1)
            self.app.execute(f"update {table} set name = 'back' where id = 1")
            self.sync(table)
            self.assertEqual({1: "back", 2: "n2"}, self.live(table))
            self.assert_equal(table, 0)

    def test_a_rejected_row_is_not_marked_by_a_replacement(self):
        for table in ("marked", "marked_scanned", "kept"):
            self.add(table, 1, 2)
            self.sync(table)
            self.app.execute(f"update {table} set made_at = 'never' where id = 1")
            for again in (["--full"], [], ["reset"]):
                if again == ["reset"]:
                    self.app.run("reset", table)
                self.sync(table, *(again if again != ["reset"] else []), status=1)
                self.assertEqual({1: "n1", 2: "n2"}, self.live(table), (table, again))


class PathTest(DeletesTest):
    """Statements that a replacement takes only in some tables."""

    def test_rows_stay_through_a_replacement_in_parts(self):
        for table in DAYS:
            with self.subTest(table):
                self.app.script(
                    f"with recursive n(i) as (select 1 union all select i + 1 from n where i < 4100) insert into {table}"
                    f" select i, 'n' || i, '[67.174118]', date('2010-01-01', i || ' days') from n")
                self.sync(table)
                self.app.execute(f"delete from {table} where id in (1, 2)")
                self.sync(table)
                stamps = self.marks(table)
                self.app.execute(f"delete from {table} where id = 3")
                self.sync(table, "--full")

                rows = {row["id"]: row for row in self.bq.rows("d", table)}
                self.assertEqual(4100, len(rows))
                self.assertEqual([67.174118], json.loads(rows[3]["doc"]))
                self.assertEqual([1, 2, 3] if stamps else [], sorted(self.marks(table)))
                self.assertEqual(stamps, {key: when for key, when in self.marks(table).items() if key < 3})
                self.assert_equal(table, 3)

    def test_rows_stay_where_json_is_loaded_as_text(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], args=["--json-numbers", "refuse"]))
        self.app = self.deploy()
        for table in ("marked", "kept", *DAYS):
            self.app.execute(f"insert into {table} (id, name, doc) values (1, 'a', '[67.174118]'), (2, 'b', '[1.5]')")
            self.sync(table)
            self.app.execute(f"delete from {table} where id = 1")
            for arguments in ([], ["--full"]):
                self.sync(table, *arguments)
                docs = {row["id"]: json.loads(row["doc"]) for row in self.bq.rows("d", table)}
                self.assertEqual({1: [67.174118], 2: [1.5]}, docs)
                self.assert_equal(table, 1)

    def test_kept_rows_keep_what_only_bigquery_has(self):
        for table in ("marked", "kept"):
            self.add(table, 1, 2)
            self.sync(table)
            self.bq.query(f"alter table d.{table} add column remark string")
            self.bq.query(f"update d.{table} set remark = 'by hand' where true")
            self.app.execute(f"delete from {table} where id = 1")
            self.sync(table, "--full")
            self.assertEqual({1: "by hand", 2: None}, {row["id"]: row["remark"] for row in self.bq.rows("d", table)})


class HistoryTest(DeletesTest):
    """Rows stay, and the log tells when they were deleted."""

    program = "bqsync_deletes_told"

    def logged(self, table):
        """Operations by id, in the order of generations."""
        rows = self.bq.rows("d", table + "_changes")
        return [(row["id"], row["_bqsync_operation"]) for row in
                sorted(rows, key=lambda row: (row["_bqsync_generation"], row["id"]))]

    def test_a_deletion_is_logged_once_and_the_row_stays(self):
        for table in TOLD:
            with self.subTest(table):
                self.add(table, 1, 2, 3)
                self.sync(table)
                self.app.execute(f"delete from {table} where id = 2")
                self.sync(table)
                self.sync(table, "--full")
                log = [(1, "insert"), (2, "insert"), (3, "insert"), (2, "delete")]
                self.assertEqual(log, self.logged(table))
                self.assertEqual([1, 2, 3], sorted(row["id"] for row in self.bq.rows("d", table)))
                self.assert_equal(table, 1)

                self.add(table, 2, name="again")
                self.sync(table)
                self.assertEqual(log + [(2, "insert")], self.logged(table))
                self.app.execute(f"delete from {table}")
                self.sync(table, "--full")
                self.assertEqual(log + [(2, "insert"), (1, "delete"), (2, "delete"), (3, "delete")], self.logged(table))
                self.assertEqual([1, 2, 3], sorted(row["id"] for row in self.bq.rows("d", table)))
                self.assertEqual([1, 2, 3] if table == "marked_told" else [], sorted(self.marks(table)))
                self.assert_equal(table, 3)


    def test_a_row_that_somebody_has_doubled_is_one_row_after_a_replacement(self):
        for left in ([1], []):
            for table in TOLD:
                with self.subTest(table, left=left):
                    self.app.execute(f"delete from {table}")
                    self.add(table, 1, 2)
                    self.sync(table)
                    self.app.execute(f"delete from {table} where id = 2")
                    self.sync(table)
                    log = self.logged(table)
                    self.bq.query(f"insert into d.{table} select * from d.{table}")
                    if not left:
                        self.app.execute(f"delete from {table}")
                    self.sync(table, "--full")
                    self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", table)))
                    self.assertEqual(log + ([] if left else [(1, "delete")]), self.logged(table))
                    self.assert_equal(table, 1 if left else 2)


class ScanElsewhereTest(LifeTest):
    """The same with the state elsewhere, when every table is scanned."""

    state = "state.db"


class ReportTest(DeletesTest):
    def test_a_plan_says_what_becomes_of_deleted_rows(self):
        for table in ("marked", "kept"):
            self.add(table, 1, 2, 3, 4)
            self.sync(table)
            self.app.execute(f"delete from {table} where id < 4")
        marked, kept = (self.app.table(self.app.json("plan"), table) for table in ("marked", "kept"))
        self.assertEqual((0, 3), (marked["delete"], marked["mark"]))
        self.assertEqual((0, 3), (kept["delete"], kept["keep"]))
        status, out, _ = self.app.run("plan", "marked", "kept")
        self.assertIn("3 to mark as deleted", out)
        self.assertIn("3 to keep although deleted in SQLite", out)

        self.app.sync("marked", "kept")
        _, out, _ = self.app.run("verify", "marked", "kept")
        self.assertEqual(2, out.count("kept in BigQuery: 3 rows that SQLite does not have any more"), out)
        self.assertIn("BigQuery equals SQLite", out)

    def test_tables_say_what_is_declared(self):
        tables = {one["table"]: one["deletes"] for one in self.app.json("tables")["tables"]}
        self.assertEqual(("mirror", "mark", "keep"), (tables["mirrored"], tables["marked"], tables["kept_small"]))

    def test_a_repair_marks_and_keeps(self):
        """Damage by hand is repaired, and rows that SQLite does not have stay."""
        for table in ("marked", "kept", "marked_scanned", "kept_scanned"):
            with self.subTest(table):
                self.add(table, 1, 2, 3)
                self.sync(table)
                self.app.execute(f"delete from {table} where id = 3")
                self.sync(table)
                self.bq.query(f"update d.{table} set name = 'by hand' where id = 1")
                self.bq.query(f"insert into d.{table} (id, name) values (9, 'by hand')")
                self.bq.query(f"insert into d.{table} (id, name) values (2, 'twice')")
                self.app.json("verify", table, status=1)
                found = self.app.table(self.app.json("verify", "--repair", table), table)
                self.assertEqual((True, 2), (found["equal"], found["kept"]), found)
                self.assertEqual([1, 2, 3, 9], sorted(row["id"] for row in self.bq.rows("d", table)))
                self.assertEqual({1: "n1", 2: "n2"},
                                 {key: name for key, name in self.live(table).items() if key < 3})
                self.assertEqual([3, 9] if table.startswith("marked") else [], sorted(self.marks(table)))


class DefinitionTest(DeletesTest):
    """One choice after another for the same table."""

    def turn(self, program):
        self.app.program = program

    def test_from_mirror_to_mark_and_keep_and_back(self):
        self.turn(self.before)
        for table in ("marked", "kept"):
            self.add(table, 1, 2, 3)
            self.sync(table)
        self.turn(self.after)
        for table in ("marked", "kept"):
            self.app.execute(f"delete from {table} where id = 2")
        plan = self.app.table(self.app.json("plan"), "marked")
        self.assertEqual(1, len(plan["ddl"]), plan)
        self.assertIn("add column `_bqsync_deleted_at` TIMESTAMP", plan["ddl"][0])
        for table in ("marked", "kept"):
            self.sync(table)
            self.assertEqual(3, len(self.bq.rows("d", table)))
            self.assert_equal(table, 1)
        self.assertEqual([2], list(self.marks("marked")))

        self.turn(self.before)
        for table in ("marked", "kept"):
            self.sync(table)
            self.assertEqual([1, 3], sorted(row["id"] for row in self.bq.rows("d", table)))
            self.assert_equal(table, 0)
        self.assertEqual([], list(self.marks("marked")))

    def test_from_keep_to_mark_marks_what_was_kept(self):
        self.turn(self.before)
        self.add("turned", 1, 2)
        self.sync("turned")
        self.app.execute("delete from turned where id = 1")
        self.sync("turned")
        self.turn(self.after)
        self.sync("turned")
        self.assertEqual(([1], {2: "n2"}), (list(self.marks("turned")), self.live("turned")))
        self.assert_equal("turned", 1)

        self.turn(self.before)
        self.sync("turned")
        self.assertEqual(2, len(self.bq.rows("d", "turned")))
        self.assertEqual([1], list(self.marks("turned")))

    def setUp(self):
        super().setUp()
        self.after = self.app.program
        self.before = self.after.replace("bqsync_deletes", "bqsync_deletes_before")


if __name__ == "__main__":
    unittest.main()

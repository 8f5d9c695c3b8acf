"""Rejected rows: what they cost, what stays in BigQuery, and where they are seen."""

import sqlite3
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.killing import wait_until_held


class RejectsTest(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state=self.state))

    def sync(self, table, *options, status=0, **environment):
        return self.app.table(self.app.sync(*options, status=status, **environment), table)

    def test_one_reject_does_not_reload_an_append_table(self):
        self.app.execute("insert into events values (1, 'a', '{}', 1), (2, 'b', 'no json', 2), (3, 'c', '{}', 3)")
        self.assertEqual(1, self.sync("events", status=1)["rows_rejected"])
        for number in range(4):
            self.bq.clear_requests()
            events = self.sync("events", status=1)
            self.assertEqual(1, len(self.bq.requests()))
            self.assertNotEqual("replace", events["mode"])
            self.assertEqual((0, 1), (events["bytes_sent"], events["rows_rejected"]), number)
        self.app.execute("insert into events values (4, 'd', '{}', 4)")
        self.assertEqual(1, self.sync("events", status=1)["rows_inserted"])
        self.assertEqual([1, 3, 4], sorted(row["id"] for row in self.bq.rows("d", "events")))

    def test_an_error_that_is_over_is_not_reported_any_longer(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        with sqlite3.connect(self.app.folder / (self.state or "app.db")) as db:
            db.execute("update bq_sync_tracking set last_error = 'broken' where table_name = 'accounts'")
        db.close()

        self.assertEqual("unchanged", self.sync("accounts")["status"])

        self.assertIsNone(self.app.table(self.app.json("status"), "accounts")["last_error"])

    def test_rejects_are_logged_with_their_first_reason(self):
        self.app.execute("insert into accounts values (1, 'a@x', 'much', null), (2, 'b@x', 'more', null)")
        for _ in range(2):
            _, _, err = self.app.run("sync")
            line = next(line for line in err.splitlines() if "rows rejected" in line)
            self.assertIn(" warn ", line)
            self.assertIn('table=accounts rows=2 first_reason="balance: text value', line)
            self.assertNotIn("much", line)

    def test_status_says_why_the_last_run_was_not_ok(self):
        self.app.execute("insert into accounts values (1, 'a@x', 'much', null)")
        self.app.sync(status=1)
        self.assertIn("    1 row is rejected: bqsync rejects lists values and reasons\n", self.app.run("status")[1])

    # What makes a row of each mode unfit, and what it was before.
    SPOILED = [
        ("accounts", "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two')",
         "update accounts set balance = 'much' where id = 2"),
        ("events", "insert into events values (1, 'a', '{}', 1), (2, 'b', '{}', 2)",
         "update events set payload = 'no json' where id = 2"),
        ("devices", "insert into devices values ('a', 1, 1.5), ('b', 0, 2.5)",
         "update devices set reading = 'warm' where serial = 'b'"),
        ("memberships", "insert into memberships values ('t', 'a', 'r', null), ('t', 'b', 's', '2024-01-01')",
         "update memberships set since = 'never' where person = 'b'"),
    ]

    def spoil(self, **environment):
        for _, insert, _ in self.SPOILED:
            self.app.execute(insert)
        self.app.sync(**environment)
        before = {table: self.app.warehouse_rows(table) for table, _, _ in self.SPOILED}
        for _, _, update in self.SPOILED:
            self.app.execute(update)
        return before

    def expect_kept(self, before, run):
        for table, rows in before.items():
            with self.subTest(table=table):
                self.assertEqual(rows, self.app.warehouse_rows(table))
                self.assertEqual(1, self.app.table(run, table)["rows_rejected"])
        self.assertTrue(self.app.json("verify")["ok"])

    def expect_gone(self, **environment):
        """An incremental sync sees what becomes of the rows that were kept."""
        self.app.execute("delete from accounts where id = 2")
        self.app.execute("update accounts set note = 'new' where id = 1")
        self.app.execute("delete from events where id = 2")
        self.app.execute("update devices set reading = 3.5 where serial = 'b'")
        self.app.execute("delete from memberships where person = 'b'")
        self.app.sync(**environment)
        for table, _, _ in self.SPOILED:
            self.assertEqual([], self.app.json("rejects", table)["rejects"])
        self.assertTrue(self.app.json("verify")["ok"])
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "accounts")])
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "events")])

    def test_the_version_synced_before_stays_through_replacements(self):
        before = self.spoil()
        for options in ((), ("--full",), (), ("--full",)):
            self.expect_kept(before, self.app.sync(*options, status=1))
        self.app.run("reset", "accounts")
        self.expect_kept(before, self.app.sync(status=1))
        self.expect_gone()

    def test_a_replacement_that_finds_the_reject_keeps_the_version(self):
        before = self.spoil()
        run = self.app.sync("--full", status=1)
        self.expect_kept(before, run)
        self.assertEqual(1, self.app.table(run, "accounts")["rows_inserted"])
        self.expect_gone()

    def test_a_transaction_keeps_the_version_too(self):
        before = self.spoil(BQ_SYNC_ATOMIC="1")
        for options in ((), ("--full",)):
            self.expect_kept(before, self.app.sync(*options, status=1, BQ_SYNC_ATOMIC="1"))
        self.expect_gone(BQ_SYNC_ATOMIC="1")

    def test_the_only_row_is_kept_although_none_is_sent(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.app.execute("update accounts set balance = 'much' where true")
        self.sync("accounts", "--full", status=1)
        self.assertEqual(1, len(self.bq.rows("d", "accounts")))
        self.assertIn(" equal except 1 rejected row ", self.app.run("verify", "accounts")[1].splitlines()[1])

    def test_of_a_kept_row_that_was_doubled_one_stays(self):
        before = self.spoil()
        for table in before:
            self.bq.query(f"insert into d.{table} select * from d.{table}")
        self.assertFalse(self.app.json("verify", status=1)["ok"])
        self.assertTrue(self.app.json("verify", "--repair")["ok"])
        for table, rows in before.items():
            self.assertEqual(rows, self.app.warehouse_rows(table))
        self.assertTrue(self.app.json("verify")["ok"])
        self.expect_gone()

    def test_rows_that_were_never_synced_are_not_kept(self):
        """With triggers nothing is known of what was sent but the highest id."""
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.execute("insert into devices values ('a', 1, 1.5)")
        self.app.sync()
        self.app.execute("insert into accounts values (2, 'b@x', 'much', null)")
        self.app.execute("insert into devices values ('b', 1, 'warm')")
        self.bq.query("insert into d.accounts (id, email) values (2, 'by hand')")
        self.bq.query("insert into d.devices (serial, online) values ('b', true)")
        self.app.sync("--full", status=1)
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "accounts")])
        self.assertEqual(["a"] if self.state else ["a", "b"],
                         sorted(row["serial"] for row in self.bq.rows("d", "devices")))
        self.app.execute("delete from devices where serial = 'b'")
        self.app.execute("delete from accounts where id = 2")
        self.app.sync()
        self.assertEqual(["a"], [row["serial"] for row in self.bq.rows("d", "devices")])

    def in_state(self, sql):
        with sqlite3.connect(self.app.folder / (self.state or "app.db")) as db:
            db.execute(sql)
        db.close()

    def test_versions_of_another_definition_are_not_kept(self):
        """They may show what the definition hides now, also if the change was interrupted or followed by a reset."""
        self.spoil()
        self.in_state("update bq_sync_tracking set content_hash = '0123456789ab' || substr(content_hash, 13)")
        self.in_state("update bq_sync_generations set content_hash = '0123456789ab' || substr(content_hash, 13)")
        forget = {"accounts": "update bq_sync_tracking set content_hash = '' where table_name = 'accounts'",
                  "devices": "delete from bq_sync_tracking where table_name = 'devices'"}
        for sql in forget.values():
            self.in_state(sql)
        self.app.sync(status=1)
        for table in (table for table, _, _ in self.SPOILED):
            self.assertEqual(1, len(self.bq.rows("d", table)), table)

    def test_versions_that_a_restored_source_rejects_stay(self):
        self.spoil()
        self.app.sync(status=1)
        with self.app.connect() as db:
            db.execute("pragma wal_checkpoint(truncate)")
        backup = self.app.path.read_bytes()
        self.app.execute("insert into accounts values (3, 'c@x', 3, null)")
        self.app.sync(status=1)
        for suffix in ("-wal", "-shm"):
            self.app.path.with_name(self.app.path.name + suffix).unlink(missing_ok=True)
        self.app.path.write_bytes(backup)
        run = self.app.sync(status=1)
        if not self.state:
            self.assertEqual("replace", self.app.table(run, "accounts")["mode"])
        self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", "accounts")))
        self.expect_gone()

    def test_versions_stay_when_most_rows_have_changed(self):
        self.app.execute("insert into accounts with recursive n(i) as (values (1) union all select i + 1 from n"
                         " where i < 10000) select i, i || '@x', i, null from n")
        self.app.sync()
        self.app.execute("update accounts set note = 'new', balance = iif(id = 7, 'much', balance)")
        accounts = self.sync("accounts", status=1)
        self.assertEqual(("replace", 9999), (accounts["mode"], accounts["rows_inserted"]))
        self.assertEqual([(7, None)], [(row["id"], row["note"]) for row in self.bq.rows("d", "accounts")
                                       if row["note"] is None])
        self.assertEqual(1, self.sync("accounts", status=1)["rows_rejected"])

    def test_a_table_of_mode_replace_keeps_nothing(self):
        self.app.execute("insert into settings values ('a', '1'), ('b', '2')")
        self.app.sync()
        self.app.execute("update settings set value = x'ff' where name = 'b'")
        self.sync("settings", status=1)
        self.assertEqual(["a"], [row["name"] for row in self.bq.rows("d", "settings")])

    def test_a_row_that_is_fixed_while_it_is_rejected_is_sent_by_the_next_pass(self):
        self.app.script("insert into accounts values (1, 'a@x', 1, 'one'); insert into devices values ('d', 0, 1)")
        self.app.sync()
        self.app.script("update accounts set note = 'two'; update devices set online = 'perhaps'")
        # Both are read; accounts goes first and waits for BigQuery.
        self.bq.faults({"method": "POST", "path": "/jobs", "nth": 1, "count": 1, "action": "hang_before"})
        process = self.app.start("sync", "accounts", "devices", BQ_PARALLEL="1")
        self.assertTrue(wait_until_held(self.bq, process))
        self.app.execute("update devices set online = 1")
        self.bq.clear_faults()
        process.communicate()
        self.assertEqual(1, process.returncode)

        self.assertEqual("synced", self.app.table(self.app.sync(), "devices")["status"])

        self.assertEqual([("d", True, 1.0)], self.app.warehouse_rows("devices"))


class ScannedRejectsTest(RejectsTest):
    state = "state.db"


class RespelledRejectsTest(unittest.TestCase):
    """Keys of which BigQuery calls several spellings one: of the rows that share one, the sent one owns it."""

    tables = ("key_moments", "key_scanned")

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(
            self.bq, "bqsync_lives", "".join(f"create table {table}(at text primary key, v);" for table in self.tables)))

    def each(self, sql):
        for table in self.tables:
            self.app.execute(sql.replace("TABLE", table))

    def sync(self, status, *options):
        for table in self.app.sync(*options, *self.tables, status=status)["tables"]:
            self.assertEqual(status, min(table["rows_rejected"], 1), table)

    def expect(self, *values):
        for table in self.tables:
            self.assertEqual(sorted(values), sorted(row["v"] for row in self.bq.rows("d", table)), table)
            self.assertTrue(self.app.json("verify", table)["ok"])

    def test_the_row_that_was_sent_keeps_its_key(self):
        self.each("insert into TABLE values ('2024-01-02 00:00:00', 'old'), ('2024-01-03', 'other')")
        self.sync(0)
        self.each("update TABLE set v = x'ff' where v = 'old'")
        self.each("insert into TABLE values ('2024-01-02T00:00Z', 'beside')")
        for options in (("--full",), (), ("--full",), ()):
            self.sync(1, *options)
            self.expect("old", "other")
        # Its spelling changes: the version under the key is no longer that of a rejected row.
        self.each("delete from TABLE where v = x'ff'")
        self.sync(0)
        self.expect("beside", "other")

    def test_a_row_that_was_never_sent_keeps_none(self):
        self.each("insert into TABLE values ('2024-01-02 00:00:00', x'ff'), ('2024-01-03', 'other')")
        self.sync(1)
        self.each("insert into TABLE values ('2024-01-02T00:00Z', 'beside')")
        for options in (("--full",), (), ("--full",)):
            self.sync(1, *options)
            self.expect("beside", "other")

    def test_a_kept_row_that_is_respelled_and_fits_is_a_success(self):
        self.each("insert into TABLE values ('2024-01-02 00:00:00', 'old')")
        self.sync(0)
        self.each("update TABLE set v = x'ff'")
        self.sync(1, "--full")
        self.expect("old")
        self.each("update TABLE set at = '2024-01-02', v = 'new'")
        self.sync(0)
        self.expect("new")


if __name__ == "__main__":
    unittest.main()

"""Tables whose rows no key tells apart: without a key, with NULL in it, or with rows that are equal."""

import os
import sqlite3
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.killing import kill_at_commit, kill_at_request

SCHEMA = """
create table android_metadata(locale text);
create table user_roles(user_id integer not null, role_id integer not null, since);
create table gpkg_extensions(table_name text, column_name text, extension_name text not null, definition text not null,
  scope text not null, unique (table_name, column_name, extension_name));
create table things(id integer primary key, k text, v text);
create view bag as select k, v from things;
create view named_bag as select k, v from things;
create table documents(kind text, doc, n real);
create table exact(n);
create table filtered(id integer primary key, n, gone integer not null);
create table loose(k text unique, n);
create table loose_log(k text unique, n);
"""
REPLACED = ["android_metadata", "user_roles", "gpkg_extensions", "bag", "named_bag", "documents"]
REJECTED = 1  # the exit status of a run with rejected rows
SCHEMAS = "tests/schemas/bags"

# What an application does, one step after another.
STORIES = {
    "android_metadata": [
        "insert into android_metadata values ('en_US')", "insert into android_metadata values ('en_US')",
        "update android_metadata set locale = 'de_DE'", "insert into android_metadata values (null)",
        "delete from android_metadata where rowid = 1", "delete from android_metadata"],
    "user_roles": [
        "insert into user_roles values (1, 1, null), (1, 2, '2024-01-01')", "insert into user_roles values (1, 1, null)",
        "insert into user_roles values (1, 1, null), (1, 1, null)", "delete from user_roles where rowid = 1",
        "update user_roles set since = '2024-01-01' where rowid = 3", "update user_roles set role_id = 3 - role_id"],
    "gpkg_extensions": [
        "insert into gpkg_extensions values (null, null, 'gpkg_crs_wkt', 'http://x', 'read-write')",
        "insert into gpkg_extensions values (null, null, 'gpkg_crs_wkt', 'http://x', 'read-write')",
        "insert into gpkg_extensions values ('roads', null, 'rtree', 'http://y', 'write-only')",
        "insert into gpkg_extensions values ('roads', 'geom', 'rtree', 'http://y', 'write-only')",
        "update gpkg_extensions set definition = 'http://z' where column_name is null and table_name is not null",
        "delete from gpkg_extensions where rowid = 1",
        "delete from gpkg_extensions where table_name is null",
        "update gpkg_extensions set scope = 'read-write'", "delete from gpkg_extensions where column_name is null",
        "update gpkg_extensions set scope = 'x'"],
    "bag": [
        "insert into things(k, v) values ('a', 'x'), ('a', 'x'), ('a', 'x'), (null, null)",
        "insert into things(k, v) values ('a', 'x')", "delete from things where id = 1",
        "insert into things(k, v) values (null, null)", "update things set v = 'y' where id = 2"],
    "documents": [
        """insert into documents values ('a', '{"b": 1, "a": [1, 2.50]}', 1), ('a', '{"b": 1, "a": [1, 2.50]}', 1)""",
        """insert into documents values ('a', '{"b": 1, "a": [1, 2.50]}', 1)""",
        """update documents set doc = '[]' where rowid = 2""", "update documents set n = null"],
}
STORIES["named_bag"] = STORIES["bag"]


class KeylessCase(unittest.TestCase):
    state = None
    environment = {}
    journal = "wal"

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(
            self.bq, program="bqsync_bags", schema=SCHEMA, state=self.state, environment=self.environment,
            journal=self.journal))

    def sync(self, table, status=0, *arguments):
        return self.app.table(self.app.sync(table, *arguments, status=status), table)

    def verify(self, table, status=0, *arguments):
        return self.app.table(self.app.json("verify", table, *arguments, status=status), table)

    def compare(self, table):
        """Judged from outside."""
        report, = mirror.compare(str(self.app.path), self.bq.url, "p", "d", SCHEMAS, [table])
        self.assertTrue(report.equal, str(report))
        return report

    def rejects(self, table):
        return [(entry["key"], entry["column"]) for entry in self.app.json("rejects", table)["rejects"]]

    def in_state(self, sql):
        db = sqlite3.connect(self.app.folder / self.state if self.state else self.app.path, isolation_level=None)
        db.execute(sql)
        db.close()

    def idle(self, table, status=0):
        """A pass without changes: one request, and no byte in the source."""
        before = self.app.path.read_bytes()
        with self.app.connect() as watcher:
            version = watcher.execute("pragma data_version").fetchone()
            self.bq.clear_requests()
            part = self.sync(table, status)
            self.assertEqual(("unchanged", 0), (part["status"], part["bytes_sent"]))
            self.assertEqual(1, len(self.bq.requests()), self.bq.requests())
            self.assertEqual(version, watcher.execute("pragma data_version").fetchone())
        self.assertTrue(before == self.app.path.read_bytes())
        return part


class Steps:
    """Each class that has them runs them in its own surroundings."""

    def test_each_step_is_mirrored_exactly_and_the_pass_after_it_is_idle(self):
        for table in REPLACED:
            with self.subTest(table):
                self.app.execute("delete from things")
                self.sync(table)
                for step in STORIES[table]:
                    self.app.execute(step)
                    self.assertEqual("synced", self.sync(table)["status"], step)
                    self.compare(table)
                    self.assertEqual([], self.verify(table)["missing"])
                    self.idle(table)
        self.assertEqual([], self.app.json("rejects")["rejects"])


class AtomicStepTest(Steps, KeylessCase):
    environment = {"BQ_SYNC_ATOMIC": "1"}
    journal = "delete"

    def test_tables_of_one_transaction_arrive_together(self):
        self.app.sync()
        self.app.script("insert into user_roles values (1, 1, null), (1, 1, null); insert into loose values ('a', 1);"
                        "insert into gpkg_extensions values (null, null, 'x', 'y', 'z')")
        self.app.sync()
        for table in ("user_roles", "loose", "gpkg_extensions", "android_metadata"):
            self.compare(table)
        self.assertEqual({"unchanged"}, {part["status"] for part in self.app.sync()["tables"]})


class ReplacedTest(Steps, KeylessCase):
    def test_plan_and_status_and_tables_know_them(self):
        for table in REPLACED:
            with self.subTest(table):
                self.app.execute(STORIES[table][0])
                self.sync(table)
                self.assertEqual(0, self.app.table(self.app.json("plan", table), table)["insert"])
                self.app.execute(STORIES[table][1])
                rows, = self.app.execute(f"select count(*) from {table}")[0]
                plan = self.app.table(self.app.json("plan", table), table)
                self.assertEqual((rows, 0, 0, "replace"), tuple(plan[k] for k in ("insert", "update", "delete", "mode")))
                dry = self.sync(table, 0, "--dry-run")
                self.assertEqual(("synced", rows), (dry["status"], dry["rows_inserted"]))
                self.assertEqual("replace", self.app.table(self.app.json("status"), table)["mode"])
        known = {table["table"]: table["key"] for table in self.app.json("tables")["tables"]}
        self.assertEqual(([], ["k"]), (known["bag"], known["named_bag"]))
        commands = [["check"], ["capture", "show"], ["ddl"], ["ddl", "--format", "merge"]]
        for command in commands + ([["capture", "install"]] if self.state is None else []):
            with self.subTest(command):
                status, out, err = self.app.run(*command)
                self.assertEqual(0, status, out + err)

    def test_check_reads_a_sample_and_says_that_there_is_no_key(self):
        self.app.execute("insert into user_roles values (1, 1, 'never')")
        found = {check["name"]: (check["status"], check["message"]) for check in self.app.json("check")["checks"]}
        self.assertEqual("warn", found["table user_roles"][0], found)
        self.assertEqual("ok", found["table bag"][0], found)
        self.assertEqual("ok", found["capture android_metadata"][0])
        if self.state is None:
            self.assertIn("names no key", found["capture android_metadata"][1])

    def test_a_run_that_is_killed_anywhere_is_settled_by_the_next(self):
        kills = [(kill_at_request, number, side) for number in range(1, 7) for side in ("before", "after")]
        if self.state is None:
            kills += [(kill_at_commit, number, side) for number in range(1, 7) for side in ("before", "after")]
        tables = ["user_roles", "gpkg_extensions", "bag"]
        self.app.sync(*tables)
        for step, (kill, number, side) in enumerate(kills):
            self.app.script("insert into user_roles values (1, 1, null);"
                            "insert into gpkg_extensions values (null, null, 'x', 'y', 'z');"
                            f"insert into things(k, v) values ('a', {'null' if step % 2 else quoted('x')})")
            killed = [kill(self.bq, self.app, number, side, tables) if kill is kill_at_request else
                      kill(self.app, number, side, tables)]
            with self.subTest(kill=kill.__name__, number=number, side=side, killed=killed):
                self.app.sync(*tables)
                for table in tables:
                    self.compare(table)
                    self.idle(table)

    def test_verify_counts_rows_that_no_key_names_and_repair_replaces(self):
        self.app.execute("insert into user_roles values (1, 1, null), (1, 1, null), (2, 1, null)")
        self.sync("user_roles")
        self.bq.query("delete from d.user_roles where user_id = 1")
        self.bq.query("insert into d.user_roles(user_id, role_id) values (2, 1), (7, 7)")

        report = self.verify("user_roles", 1)

        self.assertEqual((False, 2, 2), (report["equal"], report["missing_count"], report["extra_count"]))
        self.assertEqual(([], []), (report["missing"], report["extra"]))
        self.assertTrue(self.verify("user_roles", 0, "--repair")["equal"])
        self.compare("user_roles")

    def test_verify_sees_one_equal_row_more_or_fewer(self):
        for table, row in (("bag", "'a', 'x'"), ("named_bag", "'a', 'x'"), ("documents", "'a', json '[1]', 1.0")):
            self.app.script("delete from things; delete from documents;"
                            "insert into things(k, v) values ('a', 'x'), ('a', 'x'), ('a', 'x');"
                            "insert into documents values ('a', '[1]', 1), ('a', '[1]', 1), ('a', '[1]', 1)")
            self.sync(table)
            with self.subTest(table):
                self.bq.query(f"insert into d.{table} values ({row})")
                self.assertFalse(self.verify(table, 1)["equal"])
                self.bq.query(f"delete from d.{table} where true")
                self.bq.query(f"insert into d.{table} values ({row}), ({row})")
                self.assertFalse(self.verify(table, 1)["equal"])
                self.assertTrue(self.verify(table, 0, "--repair")["equal"])
                self.compare(table)

    def test_verify_sees_another_json_beside_equal_values(self):
        self.app.execute("insert into documents values ('a', '[1]', 1), ('a', '[1]', 1), ('b', '[2]', 2)")
        self.sync("documents")
        self.bq.query("update d.documents set doc = json '[3]' where kind = 'b'")
        self.assertFalse(self.verify("documents", 1)["equal"])
        self.assertTrue(self.verify("documents", 0, "--repair")["equal"])

    def test_changes_that_are_not_synced_yet_are_pending(self):
        for table in REPLACED:
            with self.subTest(table):
                self.app.execute(STORIES[table][0])
                self.sync(table)
                self.app.execute(STORIES[table][1])
                report = self.verify(table)
                self.assertTrue(report["equal"], report)
                self.assertGreater(report["pending"], 0)
                self.sync(table)
                self.assertEqual(0, self.verify(table)["pending"])

    def test_a_row_that_does_not_fit_is_rejected_by_its_number(self):
        self.app.execute("insert into user_roles values (1, 1, null), (1, 2, 'never'), (1, 2, 'never')")
        self.assertEqual(2, self.sync("user_roles", REJECTED)["rows_rejected"])
        self.assertEqual([({"row_number": 2}, "since"), ({"row_number": 3}, "since")], self.rejects("user_roles"))
        self.compare("user_roles")
        self.assertEqual(2, self.idle("user_roles", REJECTED)["rows_rejected"])
        self.assertEqual((True, 2), tuple(self.verify("user_roles")[name] for name in ("equal", "rejected")))

        self.app.execute("update user_roles set since = null where rowid = 2")
        self.assertEqual(1, self.sync("user_roles", REJECTED)["rows_rejected"])
        self.compare("user_roles")
        self.app.execute("delete from user_roles where since = 'never'")
        self.sync("user_roles")
        self.assertEqual([], self.rejects("user_roles"))
        self.compare("user_roles")

    def test_a_rejected_row_with_a_key_is_not_sent_for_at_each_pass(self):
        self.app.execute("insert into gpkg_extensions values ('a', 'b', 'c', 'd', 'e'), ('a', 'b', 'x', x'00', 'e')")
        self.sync("gpkg_extensions", REJECTED)
        self.compare("gpkg_extensions")
        self.assertEqual(1, self.idle("gpkg_extensions", REJECTED)["rows_rejected"])
        self.assertEqual((True, 1, 0), tuple(
            self.verify("gpkg_extensions")[name] for name in ("equal", "rejected", "pending")))
        self.in_state("delete from bq_sync_rejects")
        self.assertEqual(1, self.sync("gpkg_extensions", REJECTED)["rows_rejected"])
        self.assertEqual(1, len(self.rejects("gpkg_extensions")))
        self.app.execute("update gpkg_extensions set definition = 'd'")
        self.assertEqual("synced", self.sync("gpkg_extensions")["status"])
        self.compare("gpkg_extensions")
        self.idle("gpkg_extensions")

    def test_rows_that_a_filter_leaves_out_make_nobody_forget_a_rejected_row(self):
        self.app.execute("insert into filtered values (1, 1, 0), (2, 'x', 0)")
        self.sync("filtered", REJECTED)
        self.app.execute("insert into filtered values (3, 3, 1)")
        for _ in range(2):
            self.assertEqual(1, self.idle("filtered", REJECTED)["rows_rejected"])
            self.assertEqual([({"id": 2}, "n")], self.rejects("filtered"))
        self.compare("filtered")

    def test_rejects_that_were_deleted_by_hand_are_listed_again(self):
        self.app.execute("insert into user_roles values (1, 1, null), (1, 2, 'never')")
        self.sync("user_roles", REJECTED)
        self.in_state("delete from bq_sync_rejects")
        self.assertEqual(1, self.sync("user_roles", REJECTED)["rows_rejected"])
        self.assertEqual([({"row_number": 2}, "since")], self.rejects("user_roles"))

    def test_a_row_that_must_not_be_rejected_is_named_by_its_number(self):
        self.app.execute("insert into exact values (1), ('x')")
        part = self.sync("exact", 1)
        self.assertEqual("failed", part["status"])
        self.assertIn("exact.n: text value is not an integer", part["error"]["message"])
        self.assertIn("(the row number 2)", part["error"]["message"])

    def test_a_reset_a_dropped_target_and_a_restored_backup_are_noticed(self):
        self.app.execute("insert into user_roles values (1, 1, null), (1, 1, null)")
        self.sync("user_roles")
        self.in_state("delete from bq_sync_tracking")
        self.assertEqual("synced", self.sync("user_roles")["status"])
        self.compare("user_roles")
        self.bq.delete("datasets/d/tables/user_roles")
        self.assertEqual("synced", self.sync("user_roles")["status"])
        self.compare("user_roles")
        if self.state is None:
            backup = self.app.path.read_bytes()
            self.app.execute("insert into user_roles values (1, 1, null)")
            self.sync("user_roles")
            self.app.path.write_bytes(backup)
            for suffix in ("-wal", "-shm"):
                (self.app.folder / f"app.db{suffix}").unlink(missing_ok=True)
            self.assertEqual("synced", self.sync("user_roles")["status"])
            self.compare("user_roles")

    def test_a_pass_that_fails_leaves_the_change_to_the_next(self):
        self.app.execute("insert into user_roles values (1, 1, null)")
        self.sync("user_roles")
        self.app.execute("insert into user_roles values (1, 1, null)")
        self.bq.faults({"action": "job_fail", "nth": 1, "count": 1, "reason": "invalid"})
        self.assertEqual("failed", self.sync("user_roles", 1)["status"])
        self.bq.clear_faults()
        self.assertEqual("synced", self.sync("user_roles")["status"])
        self.compare("user_roles")
        self.idle("user_roles")


class ScannedReplacedTest(ReplacedTest):
    state = "state.db"


class NullKeyTest(KeylessCase):
    """A row with NULL in its key cannot be merged: it is rejected, and alone."""

    def test_an_idle_pass_reads_and_sends_nothing_else(self):
        for table in ("loose", "loose_log"):
            with self.subTest(table):
                self.app.execute(f"insert into {table} values ('a', 1), (null, 2), (null, 3)")
                self.assertEqual(2, self.sync(table, REJECTED)["rows_rejected"])
                self.assertEqual([({"k": None, "row_number": 1}, "k"), ({"k": None, "row_number": 2}, "k")],
                                 self.rejects(table))
                self.compare(table)
                self.assertEqual(2, self.idle(table, REJECTED)["rows_rejected"])
                self.assertEqual((True, 2), tuple(self.verify(table)[name] for name in ("equal", "rejected")))

    def test_a_change_of_another_row_is_merged(self):
        self.app.execute("insert into loose values ('a', 1), (null, 2)")
        self.sync("loose", REJECTED)
        self.app.execute("insert into loose values ('b', 2)")
        part = self.sync("loose", REJECTED)
        self.assertEqual(("synced", "merge", 1), (part["status"], part["mode"], part["rows_rejected"]))
        self.compare("loose")
        self.assertEqual([({"k": None, "row_number": 1}, "k")], self.rejects("loose"))

    def test_rows_without_a_key_come_and_go_without_a_replacement(self):
        self.app.execute("insert into loose values ('a', 1)")
        self.sync("loose")
        for sql, rejected in [("insert into loose values (null, 2)", 1), ("insert into loose values (null, 2)", 2),
                              ("update loose set n = 'x' where rowid = 2", 2), ("delete from loose where rowid = 3", 1),
                              ("update loose set k = 'b', n = 3 where k is null", 0), ("delete from loose where k = 'b'", 0)]:
            with self.subTest(sql):
                self.app.execute(sql)
                part = self.sync("loose", REJECTED if rejected else 0)
                self.assertNotEqual("replace", part["mode"])
                self.assertEqual(rejected, part["rows_rejected"])
                self.compare("loose")
                self.assertEqual(rejected, len({str(key) for key, _ in self.rejects("loose")}))

    def test_rejects_that_were_deleted_by_hand_are_listed_again(self):
        self.app.execute("insert into loose values ('a', 1), (null, 2)")
        self.sync("loose", REJECTED)
        self.in_state("delete from bq_sync_rejects")
        self.sync("loose", REJECTED)
        self.assertEqual([({"k": None, "row_number": 1}, "k")], self.rejects("loose"))

    @unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
    def test_a_row_that_goes_after_its_pass_was_killed_is_not_rejected_any_longer(self):
        self.app.execute("insert into loose values ('a', 1)")
        self.sync("loose")
        number, killed = 0, True
        while killed:
            number += 1
            self.app.execute("insert into loose values (null, 2)")
            killed = kill_at_commit(self.app, number, "after", ["loose"])
            self.app.execute("delete from loose where k is null")
            with self.subTest(commit=number):
                self.sync("loose")
                self.assertEqual([], self.rejects("loose"))
        self.assertGreater(number, 2)


class ScannedNullKeyTest(NullKeyTest):
    state = "state.db"


def quoted(text):
    return f"'{text}'"


if __name__ == "__main__":
    unittest.main()

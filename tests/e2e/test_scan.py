"""Tables whose changes are found without triggers: a source that may not be written, views, manual capture."""

import hashlib
import os
import pathlib
import signal
import sqlite3
import time
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import SHAPES, Deployment, run_program

LISTING = ("GET", "/bigquery/v2/projects/p/datasets/d/tables")


def calls(bq):
    return [(request["method"], request["path"].split("?")[0]) for request in bq.requests()]


class ScanCase(unittest.TestCase):
    state = "state.db"
    journal = "wal"
    schema = SHAPES
    environment = {}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(
            self.bq, schema=self.schema, journal=self.journal, state=self.state, environment=self.environment))

    def accounts(self):
        return sorted((row["id"], row["email"], row["note"]) for row in self.bq.rows("d", "accounts"))

    def source(self):
        return self.app.execute("select id, email, note from accounts order by id")

    def fill(self):
        self.app.script("insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c@x', 3, 'three');"
                        "insert into events(kind, at) values ('a', 1), ('b', 2);"
                        "insert into memberships values ('t', 'p', 'r', '2020-01-01'), ('t', 'q', 'r', '2020-01-01');"
                        "insert into settings values ('k', 'v'), ('l', 'w')")


class ReadOnlySourceTest(ScanCase):
    def test_status_does_not_claim_to_know_what_waits(self):
        self.fill()
        table = lambda: self.app.table(self.app.json("status"), "accounts")
        self.assertEqual(3, table()["pending_changes"])  # never synced: all of its rows
        self.app.sync()
        self.app.execute("update accounts set note = 'uno' where id = 1")

        self.assertEqual((None, True, None), (table()["pending_changes"], table()["scanned"], table()["problem"]))
        text = self.app.run("status")[1]
        self.assertRegex(text, r"\naccounts .* \? ")
        self.assertIn("?: not known until the next pass, which scans the table", text)

    def test_inserts_updates_and_deletes_are_found_by_one_read(self):
        self.fill()
        first = self.app.table(self.app.sync(), "accounts")
        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2;"
                        "insert into accounts values (4, 'd@x', 4, 'four'); update memberships set person = 'z' where person = 'q'")

        run = self.app.sync()

        accounts = self.app.table(run, "accounts")
        self.assertEqual(("synced", "replace", 3), (first["status"], first["mode"], first["rows_inserted"]))
        self.assertEqual(("synced", "merge", 1, 1, 1), (accounts["status"], accounts["mode"], accounts["rows_inserted"],
                                                        accounts["rows_updated"], accounts["rows_deleted"]))
        self.assertEqual(4, accounts["last_synced_row_id"])
        self.assertEqual(self.source(), self.accounts())
        self.assertEqual(["p", "z"], sorted(row["person"] for row in self.bq.rows("d", "memberships")))
        self.assertEqual("unchanged", self.app.table(run, "settings")["status"])
        self.assertTrue(self.app.json("verify")["ok"])

    def test_nothing_is_written_to_the_source(self):
        self.fill()
        with self.app.connect() as db:
            db.execute("pragma wal_checkpoint(truncate)")
        before = hashlib.sha256(self.app.path.read_bytes()).hexdigest()

        self.app.sync()
        self.app.sync()
        self.app.json("verify")
        self.app.json("plan")
        self.app.sync("--dry-run", "--full")

        self.assertEqual(before, hashlib.sha256(self.app.path.read_bytes()).hexdigest())
        wal = pathlib.Path(f"{self.app.path}-wal")
        self.assertEqual(0, wal.stat().st_size if wal.exists() else 0)
        self.assertEqual([], self.app.execute("select name from sqlite_master where name like 'bq_sync%'"))

    def test_a_source_that_nobody_may_write_is_mirrored(self):
        self.fill()
        states = self.app.folder / "states"
        states.mkdir()
        with self.app.connect() as db:
            db.execute("pragma wal_checkpoint(truncate)")
            db.execute("pragma journal_mode = delete")
        self.app.path.chmod(0o444)
        self.app.folder.chmod(0o555)
        states.chmod(0o777)
        self.addCleanup(self.app.folder.chmod, 0o700)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}

        process = run_program(
            [self.app.program, "sync", "--json"], self.app.folder,
            {**self.app.environment, "BQ_STATE_PATH": str(states / "state.db")}, **nobody)

        self.assertEqual(0, process.returncode, process.stderr)
        self.assertEqual(self.source(), self.accounts())
        self.assertEqual(["app.db", "states"], sorted(path.name for path in self.app.folder.iterdir()))

    def test_an_idle_pass_makes_exactly_one_request(self):
        self.fill()
        self.app.sync()
        self.bq.clear_requests()

        run = self.app.sync()

        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        self.assertEqual([LISTING], calls(self.bq))

    def test_new_rows_of_an_append_table_are_loaded_straight_into_the_target(self):
        self.fill()
        self.app.sync()
        self.bq.clear_requests()
        self.app.execute("insert into events(kind, at) values ('c', 3)")

        events = self.app.table(self.app.sync(), "events")

        self.assertEqual(("append", 1), (events["mode"], events["rows_inserted"]))
        self.assertEqual(1, len([call for call in calls(self.bq) if call[0] == "POST"]))
        self.assertEqual(3, self.bq.scalar("select count(*) from d.events"))

    def test_a_change_of_an_append_table_is_merged(self):
        self.fill()
        self.app.sync()
        self.app.script("update events set kind = 'z' where id = 2; insert into events(kind, at) values ('c', 3)")

        events = self.app.table(self.app.sync(), "events")

        self.assertEqual(("merge", 1, 1), (events["mode"], events["rows_inserted"], events["rows_updated"]))
        self.assertEqual(["a", "c", "z"], sorted(row["kind"] for row in self.bq.rows("d", "events")))

        self.app.execute("delete from events where kind = 'a'")
        events = self.app.table(self.app.sync(), "events")
        self.assertEqual(("merge", 1), (events["mode"], events["rows_deleted"]))

    def test_a_target_relaxed_by_hand_still_takes_appended_rows(self):
        self.fill()
        self.app.sync()
        self.bq.query("alter table d.events alter column kind drop not null")
        self.app.execute("insert into events(kind, at) values ('c', 3)")

        events = self.app.table(self.app.sync(), "events")

        self.assertEqual(("synced", "append"), (events["status"], events["mode"]))
        self.assertEqual(3, self.bq.scalar("select count(*) from d.events"))

    def test_a_table_of_mode_replace_is_replaced_only_when_it_differs(self):
        self.fill()
        self.app.sync()
        self.assertEqual("unchanged", self.app.table(self.app.sync(), "settings")["status"])
        self.app.execute("delete from settings where name = 'k'")

        settings = self.app.table(self.app.sync(), "settings")

        self.assertEqual(("synced", "replace", 1), (
            settings["status"], settings["mode"], settings["rows_inserted"]))
        self.assertEqual(["l"], [row["name"] for row in self.bq.rows("d", "settings")])
        self.assertEqual("unchanged", self.app.table(self.app.sync(), "settings")["status"])

    def test_a_rejected_row_is_tried_at_each_pass_until_it_fits(self):
        self.app.execute("insert into everything(id, i) values (1, 1), (2, 'abc')")
        self.app.sync(status=1)
        self.assertEqual(1, self.app.table(self.app.sync(status=1), "everything")["rows_rejected"])
        self.app.execute("update everything set i = 'x' where id = 1")
        self.assertEqual(2, self.app.table(self.app.sync(status=1), "everything")["rows_rejected"])
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "everything")])
        verdict = self.app.table(self.app.json("verify"), "everything")
        self.assertEqual((True, 2, 0), (verdict["equal"], verdict["rejected"], verdict["pending"]))

        self.app.script("update everything set i = 2 where id = 2; delete from everything where id = 1")
        everything = self.app.table(self.app.sync(), "everything")

        self.assertEqual((0, 1, 1), (
            everything["rows_rejected"], everything["rows_inserted"], everything["rows_deleted"]))
        self.assertEqual([], self.app.json("rejects")["rejects"])

    def test_a_rejected_row_that_goes_is_rejected_no_longer(self):
        self.app.execute("insert into everything(id, i) values (2, 'abc')")
        self.app.sync(status=1)
        self.app.execute("delete from everything")

        run = self.app.sync()

        self.assertTrue(run["ok"])
        self.assertEqual([], self.app.json("rejects")["rejects"])

    def test_plan_and_dry_run_count_what_a_sync_would_do_and_do_nothing(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2;"
                        "insert into accounts values (4, 'd@x', 4, 'four'), (5, 'e@x', 4, 'five')")
        self.bq.clear_requests()

        plan = self.app.table(self.app.json("plan", "accounts"), "accounts")
        dry = self.app.table(self.app.sync("--dry-run"), "accounts")

        self.assertEqual((2, 1, 1, "merge"), (plan["insert"], plan["update"], plan["delete"], plan["mode"]))
        self.assertEqual(("synced", 2, 2), (dry["status"], dry["rows_inserted"], dry["rows_updated"]))
        self.assertEqual([], [call for call in calls(self.bq) if call[0] != "GET"])
        accounts = self.app.table(self.app.sync(), "accounts")
        self.assertEqual((2, 1, 1), (
            accounts["rows_inserted"], accounts["rows_updated"], accounts["rows_deleted"]))

    def test_verify_counts_changes_not_synced_yet_as_pending(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2;"
                        "insert into accounts values (4, 'd@x', 4, 'four')")

        accounts = self.app.table(self.app.json("verify"), "accounts")

        self.assertEqual((True, 3), (accounts["equal"], accounts["pending"]))

        self.bq.query("update d.accounts set note = 'x' where id = 3")
        accounts = self.app.table(self.app.json("verify", status=1), "accounts")
        self.assertEqual(([3], 3), (accounts["different"], accounts["pending"]))
        self.assertTrue(self.app.json("verify", "--repair")["ok"])
        self.assertEqual(self.source(), self.accounts())

    def test_a_deleted_state_leads_to_a_replacement_without_duplicates(self):
        self.fill()
        self.app.sync()
        for file in self.app.folder.glob("state.db*"):
            file.unlink()
        self.app.execute("delete from accounts where id = 2")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual(("replace", 2), (accounts["mode"], accounts["rows_inserted"]))
        self.assertEqual(self.source(), self.accounts())

    def test_a_lost_shadow_leads_to_a_replacement(self):
        self.fill()
        self.app.sync()
        state = sqlite3.connect(self.app.folder / "state.db")
        state.execute('drop table "bq_sync_shadow_accounts"')
        state.close()
        self.app.execute("delete from accounts where id = 2")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual("replace", accounts["mode"])
        self.assertEqual(self.source(), self.accounts())

    def test_a_pass_that_fails_leaves_its_changes_to_the_next(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2")
        self.bq.faults({"method": "POST", "path": "/jobs$", "action": "status", "status": 403})
        run = self.app.sync(status=1)
        self.assertEqual("failed", self.app.table(run, "accounts")["status"])

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual((1, 1), (accounts["rows_updated"], accounts["rows_deleted"]))
        self.assertEqual(self.source(), self.accounts())
        self.assertEqual("unchanged", self.app.table(self.app.sync(), "accounts")["status"])

    def test_a_run_killed_while_its_merge_runs_is_settled_by_the_next(self):
        bq = self.enterContext(Bqlocal(datasets=["d"], latency="400ms"))
        app = self.enterContext(Deployment(bq, state="state.db"))
        app.script("insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two')")
        app.sync("accounts")
        app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2")
        process = app.start("sync", "--json", "accounts")
        self.wait_for(lambda: sum(
            request["method"] == "POST" and request["path"].split("?")[0].endswith("/jobs") and
            "upload" not in request["path"] for request in bq.requests()) > 0)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        app.execute("insert into accounts values (3, 'c@x', 3, 'three')")

        accounts = app.table(app.sync("accounts"), "accounts")

        self.assertEqual((1, 0, 0), (
            accounts["rows_inserted"], accounts["rows_updated"], accounts["rows_deleted"]))
        self.assertEqual([1, 3], sorted(row["id"] for row in bq.rows("d", "accounts")))
        self.assertEqual("unchanged", app.table(app.sync("accounts"), "accounts")["status"])

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, "never came true")
            time.sleep(0.005)


class UnreadableRowTest(ScanCase):
    """A row that cannot be read, because a value of the view overflows."""

    schema = SHAPES.replace("create table accounts(", "create table held(") + (
        "create view accounts as select id, email, abs(balance) as balance, note from held;")
    least = -2**63

    def test_a_lost_shadow_is_made_up_for_even_if_the_next_pass_does_not_get_far(self):
        self.app.script("insert into held(id, email, note) values (1, 'a@x', 'one'), (2, 'b@x', 'two')")
        self.app.sync("accounts")
        state = sqlite3.connect(self.app.folder / "state.db")
        state.executescript('drop table "bq_sync_shadow_accounts"; drop table "bq_sync_pending_accounts"')
        state.close()
        self.app.script(f"update held set note = 'uno' where id = 1; update held set balance = {self.least} where id = 2")
        self.app.run("sync", "accounts")
        self.app.execute("update held set balance = null")

        self.assertEqual("replace", self.app.table(self.app.sync("accounts"), "accounts")["mode"])

        self.assertEqual(self.source(), self.accounts())


class RollbackJournalTest(ReadOnlySourceTest):
    journal = "delete"


class StateInTheSourceTest(ScanCase):
    """Manual capture without triggers: the shadow lives with the application's data."""

    state = None
    environment = {"BQ_CAPTURE": "manual"}

    def test_changes_are_merged(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual(("merge", 1, 1), (accounts["mode"], accounts["rows_updated"], accounts["rows_deleted"]))
        self.assertEqual(self.source(), self.accounts())
        self.assertEqual([], self.app.execute("select name from sqlite_master where type = 'trigger'"))

    def test_triggers_take_over_by_a_replacement_and_leave_no_shadow(self):
        self.fill()
        self.app.sync()

        accounts = self.app.table(self.app.sync(BQ_CAPTURE="auto"), "accounts")

        self.assertEqual("replace", accounts["mode"])
        self.assertEqual([], self.app.execute("select name from sqlite_master where name = 'bq_sync_shadow_accounts'"))
        self.app.execute("delete from accounts where id = 2")
        self.assertEqual("merge", self.app.table(self.app.sync(BQ_CAPTURE="auto"), "accounts")["mode"])
        self.assertEqual(self.source(), self.accounts())

    def test_a_scan_takes_over_by_a_replacement_when_the_triggers_are_gone(self):
        self.fill()
        self.app.sync(BQ_CAPTURE="auto")
        self.assertEqual(0, self.app.run("capture", "remove")[0])
        self.app.execute("delete from accounts where id = 2")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual("replace", accounts["mode"])
        self.app.execute("delete from accounts where id = 3")
        self.assertEqual("merge", self.app.table(self.app.sync(), "accounts")["mode"])
        self.assertEqual(self.source(), self.accounts())


class StateInARollbackSourceTest(StateInTheSourceTest):
    journal = "delete"


class ViewTest(ScanCase):
    state = None
    schema = SHAPES.replace("create table accounts(", "create table people_with_mail(") + """
create view accounts as select id, email, balance, note from people_with_mail where note is not null;
"""

    def test_a_view_is_mirrored(self):
        self.app.execute("insert into people_with_mail values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c', 3, null)")
        self.app.sync()
        self.app.script("update people_with_mail set note = null where id = 1;"
                        "update people_with_mail set note = 'three' where id = 3")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual(("merge", 1, 0, 1), (accounts["mode"], accounts["rows_inserted"], accounts["rows_updated"],
                                              accounts["rows_deleted"]))
        self.assertEqual(self.source(), self.accounts())
        self.assertTrue(self.app.json("verify")["ok"])


if __name__ == "__main__":
    unittest.main()

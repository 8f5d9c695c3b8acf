"""What goes wrong around a sync: each with a clear outcome, and everything well again afterwards."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import time
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment, run_program

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
ROWS = """
insert into events(kind, at) values ('a', 1), ('b', 2);
insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two'), (3, 'c@x', 3, null);
insert into settings values ('theme', 'dark');
"""
LOW_LIMIT = 20
TOO_FEW = 6
UPDATE = "update accounts set note = 'uno' where id = 1"


class BadCase(unittest.TestCase):
    journal = "wal"
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, journal=self.journal, state=self.state))
        self.app.script(ROWS)

    def fails(self, status, *words, arguments=("sync",), **environment):
        """The command ends so, and its last words say why."""
        ended, out, err = self.app.run(*arguments, **environment)
        self.assertEqual(status, ended, err)
        for word in words:
            self.assertIn(word, err)
        return err

    def table_fails(self, name, *words, **environment):
        """One table fails and says why; the run does not pass for good, and no other table fails."""
        run = self.app.sync(status=1, **environment)
        failed = [table["table"] for table in run["tables"] if table["status"] == "failed"]
        self.assertEqual([name], failed)
        for word in words:
            self.assertIn(word, self.app.table(run, name)["error"]["message"])
        return run

    def assert_equal(self, *tables):
        reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", SCHEMAS, tables)
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def assert_fixed(self, mode=None):
        """The next sync ends well and both sides are equal; accounts took the way that is named."""
        run = self.app.sync()
        if mode is not None:
            self.assertEqual(("synced", mode), tuple(self.app.table(run, "accounts")[key]
                                                     for key in ("status", "mode")))
        self.assert_equal()


class SourceTest(BadCase):
    def test_a_lock_of_the_application_is_waited_for(self):
        self.app.sync()
        self.app.execute(UPDATE)
        with self.app.connect() as db:
            db.execute("begin immediate")
            process = self.app.start("sync")
            with self.assertRaises(subprocess.TimeoutExpired):
                process.communicate(timeout=1)
            db.execute("commit")
        process.communicate(timeout=60)

        self.assertEqual(0, process.returncode)
        self.assert_equal()

    def test_a_lock_that_outlasts_the_patience_ends_the_run_and_loses_nothing(self):
        self.app.sync()
        self.app.execute(UPDATE)
        with self.app.connect() as db:
            db.execute("begin immediate")
            self.fails(6, "locked")

        self.assert_fixed("merge")

    def test_what_is_no_database_is_named(self):
        path = self.app.folder / "notes.txt"
        path.write_text("dear diary, " * 1000)
        self.fails(6, "notes.txt", "not a SQLite database", BQ_SQLITE_PATH=str(path))
        self.fails(6, "nowhere.db", "No such file", BQ_SQLITE_PATH=str(self.app.folder / "nowhere.db"))
        self.fails(6, "directory", BQ_SQLITE_PATH=str(self.app.folder))
        self.assertEqual([], self.bq.tables("d"))

    def test_a_corrupt_page_fails_its_table_and_no_other(self):
        self.app.sync()
        with self.app.connect() as db:
            db.execute("insert into accounts(email) select 'm' || value from"
                       " (with recursive n(value) as (select 1 union all select value + 1 from n where value < 2000)"
                       "  select value from n)")
            db.execute("pragma wal_checkpoint(truncate)")
            size = db.execute("pragma page_size").fetchone()[0]
            pages = db.execute("select pageno from dbstat where name = 'accounts' and pagetype = 'leaf'"
                               " order by pageno").fetchall() if has_dbstat(db) else None
        before = self.app.path.read_bytes()
        page = pages[len(pages) // 2][0] if pages else leaf_with(before, size, b"m1000")
        with open(self.app.path, "r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)

        self.table_fails("accounts", "malformed", "integrity_check")
        self.assertEqual(3, self.bq.scalar("select count(*) from d.accounts"))

        self.app.path.write_bytes(before)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.app.path}{suffix}").unlink(missing_ok=True)
        self.assert_fixed()

    def test_a_dropped_trigger_leads_to_a_replacement(self):
        self.app.sync()
        self.app.script("drop trigger bq_sync_update_accounts; " + UPDATE)

        self.assert_fixed("replace")

    def test_a_dropped_table_fails_alone_and_is_replaced_when_it_is_back(self):
        self.app.sync()
        self.app.execute("drop table accounts")
        self.table_fails("accounts", "does not exist")
        self.assertEqual(3, self.bq.scalar("select count(*) from d.accounts"))

        self.app.script("create table accounts(id integer primary key, email text not null unique, balance numeric,"
                        " note text); insert into accounts values (7, 'g@x', 7, null)")
        self.assert_fixed("replace")

    def test_a_view_that_cannot_be_read_says_what_is_missing(self):
        self.app.script("drop table accounts; create table held(id, email, balance, note); create view accounts as select 1")
        for view, missing in (("select * from nowhere", "no such table: main.nowhere"),
                              ("select id, mine(email) as email, balance, note from held", "no such function: mine"),
                              ("select id, mail as email, balance, note from held", "no such column: mail")):
            with self.subTest(view):
                self.app.script(f"drop view accounts; create view accounts as {view}")
                said = (f"the view accounts in {self.app.path} cannot be read: {missing}. Make what is missing or "
                        "correct the view, or remove schemas/accounts.json and rebuild")

                error = self.app.table(self.table_fails("accounts"), "accounts")["error"]

                self.assertEqual(("schema", said), (error["code"], error["message"]))
                self.assertIn(said, self.app.run("check")[1])
                for command in (("plan",), ("verify",), ("forget", "accounts", "1")):
                    self.assertIn(said, "".join(self.app.run(*command)[1:]), command)
                self.assertEqual(0, self.app.run("status")[0])

        self.app.script("drop view accounts; create view accounts as select * from held; insert into held values (8, 'h@x', 8, null)")
        self.assert_fixed("replace")

    def test_a_dropped_column_fails_its_table_and_is_named(self):
        self.app.sync()
        self.app.execute("alter table accounts drop column note")
        self.table_fails("accounts", "note")

        self.app.execute("alter table accounts add column note text")
        self.app.execute("update accounts set note = 'again' where id = 2")
        self.assert_fixed()

    def test_a_backup_from_before_the_last_sync_leads_to_a_replacement(self):
        self.app.sync()
        with self.app.connect() as db:
            db.execute("pragma wal_checkpoint(truncate)")
        backup = self.app.path.read_bytes()
        self.app.script(UPDATE + "; delete from accounts where id = 2;"
                        "insert into accounts values (4, 'd@x', 4, null)")
        self.app.sync()
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.app.path}{suffix}").unlink(missing_ok=True)
        self.app.path.write_bytes(backup)
        self.app.execute("insert into accounts values (4, 'other@x', 4, null)")

        self.assert_fixed("replace")


def has_dbstat(db):
    return ("ENABLE_DBSTAT_VTAB",) in db.execute("pragma compile_options").fetchall()


def leaf_with(content, size, text):
    """The number of a page that holds a text and is a leaf of a table (its first byte is 13)."""
    numbers = [number for number in range(1, len(content) // size) if content[number * size] == 13
               and text in content[number * size:(number + 1) * size]]
    return numbers[0] + 1


class ReadOnlyTest(BadCase):
    journal = "delete"

    def start_as_nobody(self, **environment):
        """Root may write anything, so somebody else has to try."""
        other = {"user": "nobody"} if os.geteuid() == 0 else {}
        process = run_program([self.app.program, "sync"], "/", {**self.app.environment, **environment}, timeout=60,
                              **other)
        return process.returncode, process.stderr

    def test_a_source_that_may_not_be_written_is_synced_with_the_state_elsewhere(self):
        os.chmod(self.app.folder, 0o555)
        os.chmod(self.app.path, 0o444)
        self.addCleanup(os.chmod, self.app.folder, 0o755)
        status, err = self.start_as_nobody()
        self.assertEqual(6, status, err)
        self.assertIn("BQ_STATE_PATH", err)

        elsewhere = self.app.folder.parent / (self.app.folder.name + "-state")
        elsewhere.mkdir(mode=0o777)
        os.chmod(elsewhere, 0o777)
        self.addCleanup(lambda: [elsewhere_file.unlink() for elsewhere_file in elsewhere.iterdir()]
                        and elsewhere.rmdir())
        before = self.app.path.read_bytes()
        status, err = self.start_as_nobody(BQ_STATE_PATH=str(elsewhere / "state.db"))

        self.assertEqual(0, status, err)
        self.assertEqual(before, self.app.path.read_bytes())
        self.assert_equal()


class DiskTest(BadCase):
    def sync_with_files_up_to(self, limit):
        """Every file that grows beyond the limit (`ulimit -f`) meets an error, as on a full disk."""
        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        process = run_program([self.app.program, "sync"], self.app.folder, self.app.environment, timeout=60,
                              preexec_fn=limited)
        return process.returncode, process.stderr

    def test_no_room_for_the_control_tables_ends_the_run(self):
        status, err = self.sync_with_files_up_to(8192)

        self.assertEqual(1, status, err)
        self.assertIn("code=disk", err)
        self.assertRegex(err, r"File too large \(\S*app\.db\); raise the limit of the size of files \(ulimit -f, ")
        self.assert_fixed("replace")

    def test_each_limit_of_the_size_of_files_is_named(self):
        for kib in (32, 48, 64, 100, 160):
            with self.subTest(kib=kib):
                status, err = self.sync_with_files_up_to(kib * 1024)
                self.assertEqual(1, status, err)
                for line in err.splitlines():
                    if "disk I/O error" in line:
                        self.assertIn("raise the limit of the size of files (ulimit -f, ", line)
        self.assert_fixed()

    def test_no_room_for_a_large_table_fails_that_table_alone(self):
        self.app.sync()
        with self.app.connect() as db:
            db.executemany("insert into everything(y) values (?)", [(os.urandom(200_000),) for _ in range(20)])
            db.execute("pragma wal_checkpoint(truncate)")
        self.app.execute(UPDATE)

        status, err = self.sync_with_files_up_to(1 << 20)

        self.assertEqual(1, status, err)
        self.assertIn("table failed table=everything", err)
        self.assertIn("raise the limit of the size of files (ulimit -f, ", err)
        self.assert_equal("accounts")
        self.assert_fixed()


class DescriptorsTest(BadCase):
    """As many tables with rejects as a low limit of descriptors has no room for, which stands for hundreds and 1,024."""

    def test_the_soft_limit_of_descriptors_is_no_limit_of_tables(self):
        self.app.script("insert into events(kind, payload) values ('a', '{'); insert into accounts values (9, 'x', 'y', null);"
                        "insert into devices values ('s', 'perhaps', null); insert into everything(i) values ('x')")

        def limited():
            resource.setrlimit(resource.RLIMIT_NOFILE, (LOW_LIMIT, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

        ended = run_program([self.app.program, "sync", "--json"], self.app.folder,
                            {**self.app.environment, "BQ_PARALLEL": "1"}, preexec_fn=limited)
        run = json.loads(ended.stdout)
        failed = [table["error"]["message"] for table in run["tables"] if table["status"] == "failed"]
        self.assertEqual([], failed)
        self.assertEqual(4, sum(table["rows_rejected"] for table in run["tables"]))

    def test_too_few_descriptors_are_named(self):
        self.app.sync()

        def limited():
            resource.setrlimit(resource.RLIMIT_NOFILE, (TOO_FEW, TOO_FEW))

        ended = run_program([self.app.program, "sync"], self.app.folder, self.app.environment, preexec_fn=limited)

        self.assertEqual(6, ended.returncode)
        self.assertIn("open files", ended.stderr)
        self.assertNotIn("-wal", ended.stderr)

    def limited_to(self, descriptors, *arguments, **environment):
        def limited():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        return run_program([self.app.program, *arguments], self.app.folder, {**self.app.environment, **environment},
                           preexec_fn=limited)

    def test_a_command_says_at_once_how_many_descriptors_it_needs(self):
        for limit in (7, 8, 12, 20, 55):
            for command in ("sync", "plan", "verify"):
                with self.subTest(limit=limit, command=command):
                    start = time.monotonic()
                    ended = self.limited_to(limit, command)
                    self.assertLess(time.monotonic() - start, 5)
                    self.assertEqual(
                        (6, f"bqsync: {command} needs at least 56 open files for 8 tables, and the limit is {limit}; "
                            "raise the limit of open files (ulimit -n, or LimitNOFILE of the unit)\n"),
                        (ended.returncode, ended.stderr))

    def test_as_many_descriptors_as_a_command_asks_for_are_enough(self):
        self.app.script("insert into events(kind, payload) values ('a', '{'); insert into accounts values (9, 'x', 'y', null);"
                        "insert into devices values ('s', 'perhaps', null); insert into everything(i) values ('x')")
        for parallel in (1, 8):
            ended = self.limited_to(24 + 4 * parallel, "sync", "--full", "--json", BQ_PARALLEL=str(parallel))
            run = json.loads(ended.stdout)
            self.assertEqual([], [table for table in run["tables"] if table["status"] == "failed"])
            self.assertNotIn("open files", ended.stderr)


class StateElsewhereTest(BadCase):
    state = "state.db"

    def test_a_deleted_state_database_leads_to_replacements_without_duplicates(self):
        self.app.sync()
        self.app.script(UPDATE + "; delete from accounts where id = 3")
        for suffix in ("", "-wal", "-shm"):
            (self.app.folder / f"state.db{suffix}").unlink(missing_ok=True)

        self.assert_fixed("replace")


class WarehouseTest(BadCase):
    def test_a_column_dropped_by_hand_comes_back_with_its_values(self):
        self.app.sync()
        self.bq.query("alter table d.accounts drop column note")
        self.app.execute("update accounts set balance = 9 where id = 2")
        self.app.run("sync")

        self.assert_fixed()

    def test_a_column_of_another_type_is_refused_with_the_way_out(self):
        self.app.sync()
        self.bq.query("drop table d.accounts")
        self.bq.query("create table d.accounts (id int64 not null, email string, balance string, note string)")
        self.app.execute(UPDATE)
        self.table_fails("accounts", "balance", "STRING", "NUMERIC", "drop table")

        self.bq.query("drop table d.accounts")
        self.assert_fixed("replace")

    def test_a_table_made_anew_by_hand_is_filled_and_relaxed(self):
        self.app.sync()
        self.bq.query("drop table d.accounts")
        self.bq.query("create table d.accounts (id int64 not null, email string not null, balance numeric,"
                      " note string not null)")
        self.app.execute(UPDATE)

        self.assert_fixed("replace")

    def test_a_required_column_that_only_bigquery_has_is_refused_with_the_statement(self):
        self.app.sync()
        self.bq.query("drop table d.accounts")
        self.bq.query("create table d.accounts (id int64 not null, email string not null, balance numeric,"
                      " note string, theirs int64 not null)")
        self.table_fails("accounts", "theirs", "drop not null")

        self.bq.query("alter table d.accounts alter column theirs drop not null")
        self.assert_fixed()

    def test_a_missing_dataset_is_a_matter_of_configuration(self):
        self.fails(3, "elsewhere", BQ_DATASET_NAME="elsewhere")

    def test_a_missing_variable_is_named(self):
        self.fails(3, "BQ_PROJECT_NAME", BQ_PROJECT_NAME="")

    def test_a_bigquery_that_is_not_there_is_given_up_within_the_budget(self):
        self.bq.stop()

        self.fails(5, BQ_RETRY_BUDGET="1s")

        self.bq.start(self.bq.port)
        self.assert_fixed("replace")

    def test_a_clock_that_is_days_behind_the_servers_does_no_harm(self):
        self.app.sync()
        self.app.execute(UPDATE)
        self.bq.faults({"action": "clock_skew", "ms": 3 * 24 * 3600 * 1000, "count": 0})
        self.app.sync()
        self.bq.clear_faults()

        self.assert_equal()

    def test_a_clock_behind_which_a_staging_table_has_expired_is_told(self):
        self.app.sync()
        self.app.execute(UPDATE)
        self.bq.faults({"action": "clock_skew", "ms": 3 * 24 * 3600 * 1000, "count": 0})
        # A transaction stages its rows.
        self.table_fails("accounts", "this machine's clock says", "in the past", BQ_SYNC_ATOMIC="1")
        self.bq.clear_faults()

        self.assert_fixed()


class ProcessTest(BadCase):
    def hold(self, *arguments):
        """A sync that is held at its second request."""
        self.bq.faults({"nth": 2, "action": "hang_before"})
        process = self.app.start("sync", *arguments)
        end = time.monotonic() + 60
        while not any(rule["held"] for rule in self.bq.fault_state()):
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        return process

    def test_a_second_bqsync_is_refused_with_the_holders_name(self):
        self.app.sync()
        self.app.execute(UPDATE)
        process = self.hold()

        self.fails(7, str(process.pid), "sync")
        self.assertEqual(0, self.app.run("status")[0])

        process.kill()
        process.communicate()
        self.bq.clear_faults()
        self.assert_fixed("merge")

    def test_a_sync_that_is_asked_to_stop_ends_soon_and_is_resumed(self):
        self.app.sync()
        self.app.execute(UPDATE)
        process = self.hold()

        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

        self.assertNotEqual(0, process.returncode)
        self.bq.clear_faults()
        self.assert_fixed("merge")


class RejectTest(BadCase):
    def test_values_that_do_not_fit_are_named_and_keep_nothing_else_back(self):
        self.app.script("insert into everything(id, i, s) values (1, 'abc', 'x'), (2, 2, cast(x'ff' as text)), (3, 3, '3');"
                        "insert into invoices values (1, 10)")
        run = self.app.sync(status=1)

        self.assertFalse(run["ok"])
        self.assertEqual({"synced"}, {table["status"] for table in run["tables"]})
        self.assertEqual(
            [({"id": 1}, "i", "text"), ({"id": 2}, "s", "text")],
            [(reject["key"], reject["column"], reject["storage_class"])
             for reject in self.app.json("rejects")["rejects"]])
        self.assert_equal()
        # They are tried again, and count, until they fit or are gone.
        self.assertFalse(self.app.sync(status=1)["ok"])
        self.app.script("update everything set i = 1 where id = 1; delete from everything where id = 2")
        self.assert_fixed()
        self.assertEqual([], self.app.json("rejects")["rejects"])

    def test_a_version_that_fitted_stays_until_the_new_one_does(self):
        self.app.execute("insert into everything(id, i) values (1, 1)")
        self.app.sync()
        self.app.execute("update everything set i = 'abc'")
        self.app.sync(status=1)

        self.assertEqual([1], [row["i"] for row in self.bq.rows("d", "everything")])

    def test_a_null_in_a_required_column_fails_a_table_that_asks_for_it(self):
        self.app.script("insert into invoices values (1, 10), (2, null)")
        self.table_fails("invoices", "invoices.total", "id = 2")
        self.assert_equal("accounts", "events", "settings")

        self.app.execute("update invoices set total = 20 where id = 2")
        self.assert_fixed()


class FilterTest(BadCase):
    def test_a_filter_whose_column_was_renamed_fails_its_table_and_empties_nothing(self):
        for capture in ("auto", "manual"):
            with self.subTest(capture=capture):
                self.app.script("delete from people; insert into people(id, name) values (1, 'Ada'), (2, 'Bob')")
                self.app.sync(BQ_CAPTURE=capture)
                self.app.execute("alter table people rename column deleted to removed")
                self.app.execute("insert into people(id, name) values (3, 'Kim')")

                for arguments in ([], ["--full"]):
                    run = self.app.sync(*arguments, status=1, BQ_CAPTURE=capture)
                    part = self.app.table(run, "people")
                    self.assertEqual("failed", part["status"])
                    self.assertIn("people: its filter cannot be evaluated: no such column: deleted. Correct `where`",
                                  part["error"]["message"])
                    self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", "people")))
                checked = {check["name"]: check for check in self.app.json("check", status=1)["checks"]}
                self.assertIn("no such column: deleted. Correct", checked["table people"]["message"])
                verified = self.app.table(self.app.json("verify", "people", status=1), "people")
                self.assertIn("does not fit its definition", verified["error"]["message"])

                self.app.execute("alter table people rename column removed to deleted")
                self.app.sync(BQ_CAPTURE=capture)
                self.assertEqual([1, 2, 3], sorted(row["id"] for row in self.bq.rows("d", "people")))


class ModesTest(BadCase):
    def test_a_table_that_is_refused_before_it_is_read_has_its_declared_mode(self):
        self.app.execute("alter table accounts rename column note to remark")
        self.app.execute("drop table settings")

        run = self.app.sync(status=1)

        modes = {table["table"]: table["mode"] for table in run["tables"] if table["status"] == "failed"}
        self.assertEqual({"accounts": "merge", "settings": "replace"}, modes)

    def test_so_has_one_whose_target_is_refused(self):
        self.bq.query("create table d.accounts (id int64, email string, balance numeric, note int64)")

        run = self.app.sync(status=1)

        self.assertEqual(("failed", "merge"), tuple(self.app.table(run, "accounts")[key] for key in ("status", "mode")))


if __name__ == "__main__":
    unittest.main()

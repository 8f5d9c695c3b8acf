"""Capture by triggers where it is exact and harmless, and a scan, with its reason, everywhere else."""

import pathlib
import re
import sqlite3
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, SHAPES, Deployment

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNTS = "create table accounts(id integer primary key, email text not null unique, balance numeric, note text)"
assert ACCOUNTS in SHAPES


class Localized(Deployment):
    """The application has a collation of its own, as Android's SQLite has."""

    def connect(self, **options):
        closing = super().connect(**options)
        with_collation(closing._db)
        return closing


def with_collation(db):
    db.create_collation("localized", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))


class CaptureCase(unittest.TestCase):
    schema = SHAPES

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Localized(self.bq, schema=self.schema))

    def sync(self, table="accounts"):
        return self.app.table(self.app.sync(table), table)

    def accounts(self):
        return sorted((row["id"], row["email"], row["note"]) for row in self.bq.rows("d", "accounts"))

    def assert_equal(self):
        self.assertEqual(self.app.execute("select id, email, note from accounts order by id"), self.accounts())
        self.assertTrue(self.app.json("verify", "accounts")["ok"])

    def reasons(self, table="accounts"):
        """Why the table is scanned, as each command tells it; None where it is not."""
        plan = self.app.table(self.app.json("plan", table), table).get("why_scan")
        show = next(entry for entry in self.app.json("capture", "show")["capture"] if entry["table"] == table)
        lines = self.app.run("capture", "show")[1].splitlines()
        text = next(line for line in lines if line.split()[0] == table).partition("; scanned: ")[2]
        check = next(entry["message"] for entry in self.app.json("check", table)["checks"]
                     if entry["name"] == f"capture {table}").partition("by reading the whole table: ")[2]
        return [plan, show.get("why_scan"), text or None, check or None]

    def assert_scanned(self, why):
        for reason in self.reasons():
            self.assertIn(why, reason or "")

    def assert_captured(self):
        self.assertEqual([None] * 4, self.reasons())
        self.assertEqual("intact", self.app.json("capture", "show")["capture"][0]["state"])


class ReasonTest(CaptureCase):
    def test_every_command_says_why_a_table_is_scanned(self):
        cases = [
            (f"{ACCOUNTS}; create unique index u on accounts(lower(note))", "unique index u: it is an index over an expression"),
            (f"{ACCOUNTS}; create unique index u on accounts(note) where length(note) > 1", "u: its filter is more than"),
            (f"{ACCOUNTS}; create unique index u on accounts(note collate localized)", "u: it compares with a collation of"),
            (ACCOUNTS.replace("balance numeric", "balance numeric as (length(email)) unique"), "compute the generated columns before"),
            ("create table held(id, email, balance, note); create view accounts as select * from held", "it is a view"),
            ("create virtual table accounts using fts5(id, email, balance, note)", "it is a virtual table"),
            (f"{ACCOUNTS}; create trigger app after insert on accounts begin select raise(ignore); end",
             "trigger app may end a statement"),
        ]
        for schema, why in cases:
            app = self.enterContext(Localized(self.bq, schema=SHAPES.replace(ACCOUNTS, schema)))
            with self.subTest(why):
                self.app = app
                app.execute("delete from accounts" if "view" not in schema else "select 1")
                self.assert_scanned(why)

                table = "held" if "view" in schema else "accounts"
                balance = "" if "as (length" in schema else ", balance"
                app.execute(f"insert into {table}(id, email{balance}, note) values (1, 'a', {'1, ' if balance else ''}'n')")
                self.app.sync("accounts", "--full")
                app.script(f"insert into {table}(id, email, note) values (2, 'bb', 'm'); delete from {table} where id = 1")
                self.assertEqual("merge", self.sync()["mode"])
                self.assert_equal()
                self.assertEqual("unchanged", self.sync()["status"])
                self.assert_scanned(why)


class TriggersOfTheApplicationTest(CaptureCase):
    def setUp(self):
        super().setUp()
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two')")
        self.app.sync("accounts")

    def test_a_later_trigger_that_ends_statements_leads_to_a_scan_until_it_is_gone(self):
        for end in ("ignore", "fail, 'no'"):
            with self.subTest(end):
                self.assert_captured()
                self.app.execute(f"create trigger app after update on accounts begin select raise({end}); end")
                self.write("update accounts set note = note || '!' where id = 1")

                self.assert_scanned("the application's trigger app may end a statement")
                self.assertEqual("replace", self.sync()["mode"])
                self.assert_equal()
                self.assertEqual([], self.app.execute("select name from sqlite_master where name like 'bq_sync_update%'"))
                self.write("update accounts set note = note || '?' where id = 2")
                self.assertEqual("merge", self.sync()["mode"])
                self.assert_equal()

                self.app.execute("drop trigger app")
                self.assertEqual("replace", self.sync()["mode"])
                self.assert_captured()
                self.write("update accounts set note = 'again' where id = 1")
                self.assertEqual("merge", self.sync()["mode"])
                self.assert_equal()

    def test_a_later_trigger_that_writes_has_capture_made_again(self):
        self.app.script("create table log(a unique); insert into log values ('x');"
                        "create trigger app after update on accounts begin insert into log values (new.note); end")
        self.write("update or fail accounts set note = 'x' where id = 1")

        warning = next(c for c in self.app.json("check", "accounts")["checks"] if c["name"] == "capture accounts")
        self.assertEqual("warn", warning["status"])
        self.assertEqual("replace", self.sync()["mode"])
        self.assert_equal()
        self.assert_captured()

        self.write("update or fail accounts set note = 'x' where id = 2")
        self.assertEqual("merge", self.sync()["mode"])
        self.assert_equal()

    def test_a_cascade_that_ends_with_fail_is_not_missed(self):
        self.app.script("create table pets(owner references accounts(id) on delete cascade); insert into pets values (1);"
                        "create trigger app after delete on pets begin select raise(fail, 'no'); end")
        self.write("pragma foreign_keys = on", "delete from accounts where id = 1")

        self.assertEqual("replace", self.sync()["mode"])
        self.assertEqual([2], [id for id, _, _ in self.accounts()])
        self.assert_equal()

    def test_a_foreign_key_to_columns_that_are_not_unique_leads_to_a_scan_until_they_are(self):
        self.app.script("create table pets(owner references accounts(note))")

        self.assertEqual("replace", self.sync()["mode"])
        self.assert_scanned("a foreign key of the table pets refers to columns of it")
        with self.app.connect() as db:
            db.execute("pragma foreign_keys = on")
            db.execute("insert into accounts values (3, 'c@x', 3, 'three')")
        self.assertEqual("merge", self.sync()["mode"])
        self.assert_equal()

        self.app.execute("create unique index notes on accounts(note)")
        self.assertEqual("replace", self.sync()["mode"])
        self.assert_captured()

    def write(self, *statements):
        """Statements of which some end with an error."""
        with self.app.connect() as db:
            for statement in statements:
                try:
                    db.execute(statement)
                except sqlite3.IntegrityError:
                    pass


class CollationTest(CaptureCase):
    schema = SHAPES.replace("note text", "note text collate localized").replace(
        "kind text not null", "kind text collate localized not null").replace(
        "serial text primary key", "serial text collate localized primary key").replace(
        "person text not null", "person text not null collate localized")

    def test_a_table_that_is_stored_in_the_order_of_such_a_collation_is_scanned(self):
        self.app.script("insert into memberships values ('t', 'Ann', 'r', null), ('t', 'bob', 'r', null), ('u', 'Cy', 'r', null)")
        self.sync("memberships")
        self.assertIn("the key column person compares with a collation", self.reasons("memberships")[0])

        self.app.script("update memberships set role = 's' where person = 'ANN'; delete from memberships where person = 'BOB'")
        self.assertEqual("merge", self.sync("memberships")["mode"])

        self.assertEqual([("t", "Ann", "s"), ("u", "Cy", "r")],
                         sorted((row["team"], row["person"], row["role"]) for row in self.bq.rows("d", "memberships")))
        self.assertTrue(self.app.json("verify", "memberships")["ok"])

    def test_a_collation_of_the_application_on_other_columns_does_not_matter(self):
        self.app.script("create index i on accounts(note); insert into accounts values (1, 'a@x', 1, 'one');"
                        "insert into events(kind, at) values ('a', 1)")
        self.app.sync("accounts", "events")
        self.app.script("update accounts set note = 'ONE'; insert into accounts values (2, 'b@x', 2, 'two');"
                        "insert into events(kind, at) values ('b', 1)")

        run = self.app.sync("accounts", "events")

        self.assertEqual(["merge", "append"], [self.app.table(run, name)["mode"] for name in ("accounts", "events")])
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync("accounts", "events")["tables"]})
        self.assert_equal()

    def test_status_counts_rows_of_a_table_that_was_never_synced(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'one')")

        accounts = self.app.table(self.app.json("status"), "accounts")

        self.assertEqual((1, None), (accounts["pending_changes"], accounts["problem"]))

    def test_a_key_with_such_a_collation_is_scanned(self):
        self.app.script("insert into devices values ('A', 1, null), ('b', 1, null)")
        self.sync("devices")
        self.assertIn("the key column serial compares with a collation", self.reasons("devices")[0])

        self.app.script("update devices set serial = 'a' where serial = 'A'; delete from devices where serial = 'B'")
        self.sync("devices")

        self.assertEqual(["a"], [row["serial"] for row in self.bq.rows("d", "devices")])
        self.assertTrue(self.app.json("verify", "devices")["ok"])

    def test_an_index_with_such_a_collation_does_not_stop_the_replacement_of_a_shadow(self):
        self.app.script("create index i on accounts(note); insert into accounts values (1, 'a@x', 1, 'one')")
        self.app.sync("accounts", BQ_CAPTURE="manual")
        self.app.execute("update accounts set note = 'uno'")

        self.app.sync("accounts", "--full", BQ_CAPTURE="manual")
        self.app.execute("update accounts set note = 'eins'")
        run = self.app.sync("accounts", BQ_CAPTURE="manual")

        self.assertEqual("merge", self.app.table(run, "accounts")["mode"])
        self.assert_equal()


class CollationOfSharedKeysTest(unittest.TestCase):
    def test_keys_that_become_one_are_told_apart_without_the_collation(self):
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Localized(bq, program="bqsync_keys",
                                          schema="create table labels(k collate localized primary key, v, n)"))
        app.script("insert into labels(k, v) values (7, 'one'), ('x', 'other')")
        app.sync("labels")
        app.execute("insert into labels(k, v) values ('7', 'two')")
        app.sync("labels", status=1)
        app.execute("delete from labels where v = 'one'")

        app.sync("labels")

        self.assertEqual(["other", "two"], sorted(row["v"] for row in bq.rows("d", "labels")))


class OtherKeyTest(unittest.TestCase):
    def test_a_scan_leaves_the_dirty_set_of_another_key_alone(self):
        by_id, by_both = (str(BUILD / f"bqsync_explain_{name}") for name in ("before", "after"))
        for before, after in ((by_id, by_both), (by_both, by_id)):
            with self.subTest(before=before, after=after):
                bq = self.enterContext(Bqlocal(datasets=["d"]))
                app = self.enterContext(Deployment(
                    bq, before, "create table other_key(id integer primary key, w, unique (w, id));"
                                "insert into other_key values (1, 10), (2, 'x')",
                    environment={"BQ_CAPTURE": "manual"}))
                app.run("capture", "install", "other_key")
                app.sync("other_key", status=1)

                app.program = after
                app.sync("other_key", status=1)
                self.assertEqual([(1, 10)], app.warehouse_rows("other_key"))
                app.execute("update other_key set w = w + 20")
                app.sync("other_key")
                self.assertEqual(app.source_rows("other_key"), app.warehouse_rows("other_key"))

                app.program = before
                app.execute("update other_key set w = 'x' where id = 1")
                app.sync("other_key", status=1)
                app.execute("update other_key set w = 5 where id = 1")
                app.sync("other_key")
                self.assertEqual(app.source_rows("other_key"), app.warehouse_rows("other_key"))


class RowIdInTheKeyTest(CaptureCase):
    """A key of several columns, one of which is the INTEGER PRIMARY KEY, needs no further index to be unique."""

    KEYED = "  primary key (team, person)) without rowid"
    schema = SHAPES.replace("person text not null", "person integer primary key").replace(
        f"role text, since text,\n{KEYED}", "role text unique, since text)")

    def follow(self, *, triggers, **environment):
        self.assertNotIn("without rowid", self.app.execute("select sql from sqlite_master where name = 'memberships'")[0][0])
        self.app.execute("insert into memberships(team, role) values ('a', 'r1'), ('a', 'r2'), ('b', 'r3'), ('b', 'r4')")
        self.app.sync("memberships", **environment)
        self.assertEqual(triggers, bool(self.app.execute("select * from sqlite_master where type = 'trigger'"
                                                         " and tbl_name = 'memberships'")))
        for change in ("insert into memberships(team) values ('c')",
                       "update memberships set team = 'd' where person = 1",
                       "update memberships set person = 40 where person = 4",
                       "update memberships set rowid = 20, role = 'r9' where person = 2",
                       "insert or replace into memberships(person, team) values (3, 'x')",
                       "insert into memberships(person, team) values (3, 'y') on conflict do update set team = 'z'",
                       "update or replace memberships set person = 3 where person = 1",
                       "insert or replace into memberships(team, role) values ('e', 'r4')",
                       "delete from memberships where person = 20"):
            with self.subTest(change):
                self.app.execute(change)
                run = self.app.table(self.app.sync("memberships", **environment), "memberships")
                self.assertEqual("merge", run["mode"])
                self.assertEqual(sorted(self.app.execute("select team, cast(person as text), role from memberships")),
                                 sorted((row["team"], row["person"], row["role"]) for row in self.bq.rows("d", "memberships")))
                self.assertTrue(self.app.json("verify", "memberships", **environment)["ok"])

    def test_it_is_captured_by_triggers(self):
        self.follow(triggers=True)

    def test_it_is_scanned(self):
        self.follow(triggers=False, BQ_STATE_PATH="state.db")


@unittest.skipUnless(hasattr(sqlite3.Connection, "setlimit"), "since Python 3.11")
class ExpressionDepthTest(CaptureCase):
    """docs/capture.md says which SQLITE_LIMIT_EXPR_DEPTH the triggers need."""

    schema = SHAPES.replace("online, reading)", "online, reading unique)").replace(
        "email text not null unique", "email text not null").replace("(team, person)) without rowid", "(team, person))")

    def needed(self, table, *statements):
        """The lowest limit with which a connection can write the table."""
        for depth in range(3, 40):
            with self.app.connect() as db:
                db.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, depth)
                try:
                    for statement in ("begin", *statements, f"delete from {table}", "rollback"):
                        db.execute(statement)
                except sqlite3.DatabaseError as error:
                    self.assertIn("Expression tree is too large", str(error))
                    continue
                return depth
        self.fail("no limit is enough")

    def needed_of_accounts(self, *schema):
        self.app.script(";".join(schema))
        self.app.sync()
        return self.needed("accounts", "insert into accounts values (1, 'a', 1, null)", "update accounts set id = id + 1",
                           "update accounts set email = 'b', note = 'n'")

    def test_what_the_documentation_says_is_enough(self):
        needed = {
            "{} with an `INTEGER PRIMARY KEY` alone": self.needed_of_accounts("select 1"),
            "{} with a unique column beside it": self.needed_of_accounts("create unique index u on accounts(email)"),
            "{} with a unique index of three columns and a filter": self.needed_of_accounts(
                "create unique index v on accounts(email, balance, note) where note is not null and balance > 1"),
            "{} with a text key and a unique column": self.needed(
                "devices", "insert into devices values ('a', 1, 2)", "update devices set serial = 'b', reading = 3"),
            "{} with a key of two columns": self.needed(
                "memberships", "insert into memberships values ('a', 'b', 'c', null)",
                "update memberships set team = 'd', person = 'e', role = 'f'"),
        }
        page = " ".join((ROOT / "docs" / "capture.md").read_text().split())
        for words, depth in needed.items():
            said = re.search(words.format(r"(\d+)"), page)
            self.assertIsNotNone(said, words)
            # Another version of SQLite may need less.
            self.assertLessEqual(depth, int(said[1]), words)


class LongRowTest(CaptureCase):
    def test_a_row_that_bigquery_cannot_take_is_rejected_and_not_pending(self):
        # What waits in a scanned table is not known.
        for environment, pending in (({}, 0), ({"BQ_CAPTURE": "manual"}, None)):
            with self.subTest(environment):
                app = self.enterContext(Deployment(self.bq, environment=environment))
                app.script("insert into accounts(id, email, note) values (1, 'a@x', 'one'),"
                           " (2, 'b@x', printf('%.17000000c', 'x'))")
                app.sync("accounts", "--full", status=1)
                for _ in range(2):
                    report = app.table(app.json("verify", "accounts"), "accounts")
                    self.assertEqual((True, 0, 1), (report["equal"], report["pending"], report["rejected"]))
                    status = app.table(app.json("status"), "accounts")
                    self.assertEqual((pending, 1), (status["pending_changes"], status["rejected"]))
                    app.sync("accounts", status=1)

                app.execute("update accounts set note = 'two' where id = 2")
                app.sync("accounts")
                self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", "accounts")))

    def test_what_waits_is_not_known_when_capture_was_interrupted(self):
        self.app.script("insert into accounts(email) values ('a@x'), ('b@x'); insert into settings values ('a', 'b')")
        self.app.sync()
        with self.app.connect() as db:
            columns = ", ".join(row[1] for row in db.execute("pragma table_info(accounts)"))
            create = db.execute("select sql from sqlite_master where name = 'accounts'").fetchone()[0]
            db.executescript(f"begin; {create.replace('accounts', 'fresh', 1)};"
                             f" insert into fresh({columns}) select {columns} from accounts;"
                             " drop table accounts; alter table fresh rename to accounts; commit;")
        pending = lambda table: self.app.table(self.app.json("status"), table)["pending_changes"]
        self.assertEqual((None, 0), (pending("accounts"), pending("settings")))
        self.assertRegex(self.app.run("status")[1], r"\naccounts .* \? ")
        self.app.sync()
        self.assertEqual(0, pending("accounts"))

        self.app.execute("drop trigger bq_sync_delete_settings")
        self.assertEqual((0, None), (pending("accounts"), pending("settings")))

        # Nothing lists what changes now.
        self.app.sync()
        self.assertEqual(0, self.app.run("capture", "remove", "accounts")[0])
        self.app.execute("delete from accounts")
        self.assertIsNone(pending("accounts"))
        self.app.sync()
        self.app.script("alter table accounts rename column email to x; alter table accounts rename column note to email;"
                        "alter table accounts rename column x to note")
        self.assertIsNone(pending("accounts"))

    def test_a_rejected_row_waits_for_nothing_until_it_changes(self):
        self.app.execute("insert into everything(id, i) values (1, 1), (2, 'abc')")
        self.app.sync("everything", status=1)
        pending = lambda: self.app.table(self.app.json("status"), "everything")["pending_changes"]
        self.assertEqual(0, pending())
        self.app.sync("everything", status=1)
        self.assertEqual(0, pending())

        self.app.execute("update everything set i = 2 where id = 2")

        self.assertEqual(1, pending())
        self.app.sync("everything")
        self.assertEqual(0, pending())


class KeylessTest(CaptureCase):
    schema = SHAPES.replace("team text not null, person text not null", "team text, person text").replace(
        "(team, person)) without rowid", "(team, person))")

    def test_rows_without_a_key_are_rejected_and_forgotten_when_they_go(self):
        self.app.execute("insert into memberships values ('t', 'p', 'r', '2020-01-01')")
        self.sync("memberships")
        self.assertEqual("unchanged", self.sync("memberships")["status"])

        self.app.execute("insert into memberships values ('t', null, 'r', '2020-01-01')")
        self.app.sync("memberships", status=1)
        self.assertEqual(1, len(self.app.json("rejects")["rejects"]))
        self.app.execute("update memberships set person = 'q' where person is null")
        self.sync("memberships")

        self.assertEqual([], self.app.json("rejects")["rejects"])
        self.assertEqual(["p", "q"], sorted(row["person"] for row in self.bq.rows("d", "memberships")))
        self.assertEqual("unchanged", self.sync("memberships")["status"])


class RenameTest(CaptureCase):
    def test_a_rename_in_the_old_way_breaks_writes_until_the_next_pass(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'one')")
        self.app.sync("accounts")
        self.app.script("pragma legacy_alter_table = on; alter table accounts rename to away")
        check = next(c for c in self.app.json("check", "accounts", status=1)["checks"] if c["name"] == "table accounts")
        self.assertIn("writes to it may fail until the next sync", check["message"])

        self.app.sync("accounts", status=1)
        self.app.execute("insert into away values (2, 'b@x', 2, 'two')")
        self.app.execute("alter table away rename to accounts")

        self.assertEqual("replace", self.sync()["mode"])
        self.assert_equal()
        self.assert_captured()


if __name__ == "__main__":
    unittest.main()

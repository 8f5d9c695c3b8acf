"""One sync after another, as an application's life would have it."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class SyncTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def assert_mirrored(self, *tables):
        for table in tables:
            with self.subTest(table=table):
                self.assertEqual(self.app.source_rows(table), self.app.warehouse_rows(table))

    def test_first_sync_creates_every_table_and_replaces_its_content(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1.5, null), (2, 'b@x', null, 'hé')")

        run = self.app.sync()

        accounts = self.app.table(run, "accounts")
        self.assertEqual("incremental", run["kind"])
        self.assertTrue(run["ok"])
        self.assertEqual(("synced", "replace", 2), (
            accounts["status"], accounts["mode"], accounts["rows_inserted"]))
        self.assertEqual(2, accounts["last_synced_row_id"])
        self.assertEqual(2, self.bq.scalar("select count(*) from d.accounts"))
        self.assertEqual("synced", self.app.table(run, "devices")["status"])
        self.assertEqual(0, self.bq.scalar("select count(*) from d.devices"))

    def test_an_idle_pass_makes_exactly_one_request(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.bq.clear_requests()

        run = self.app.sync()

        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        self.assertEqual(
            [("GET", "/bigquery/v2/projects/p/datasets/d/tables")],
            [(request["method"], request["path"].split("?")[0]) for request in self.bq.requests()])

    def test_inserts_updates_and_deletes_are_merged(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two')")
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1;"
                        "delete from accounts where id = 2;"
                        "insert into accounts values (3, 'c@x', 3, 'three')")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual("merge", accounts["mode"])
        self.assertEqual((1, 1, 1), (
            accounts["rows_inserted"], accounts["rows_updated"], accounts["rows_deleted"]))
        self.assertEqual(
            [(1, "uno"), (3, "three")],
            sorted((row["id"], row["note"]) for row in self.bq.rows("d", "accounts")))

    def test_new_rows_of_an_append_table_are_one_load_job_into_the_target(self):
        self.app.execute("insert into events(kind, at) values ('a', 1), ('b', 2)")
        self.app.sync()
        self.bq.clear_requests()
        self.app.execute("insert into events(kind, at) values ('c', 3)")

        events = self.app.table(self.app.sync(), "events")

        self.assertEqual(("append", 1), (events["mode"], events["rows_inserted"]))
        posts = [request for request in self.bq.requests() if request["method"] == "POST"]
        self.assertEqual(1, len(posts), posts)
        self.assertEqual(3, self.bq.scalar("select count(*) from d.events"))

    def test_an_update_of_an_append_table_is_merged(self):
        self.app.execute("insert into events(kind, at) values ('a', 1), ('b', 2)")
        self.app.sync()
        self.app.execute("update events set kind = 'z' where id = 1")

        events = self.app.table(self.app.sync(), "events")

        self.assertEqual(("merge", 1), (events["mode"], events["rows_updated"]))
        self.assertEqual(
            ["b", "z"], sorted(row["kind"] for row in self.bq.rows("d", "events")))

    def test_a_changed_key_deletes_the_old_one(self):
        self.app.execute("insert into memberships values ('a', 'x', 'r', '2020-01-01')")
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.app.execute("update memberships set person = 'y'")
        self.app.execute("update accounts set id = 7")

        self.app.sync()

        self.assertEqual([7], [row["id"] for row in self.bq.rows("d", "accounts")])
        self.assertEqual(["y"], [row["person"] for row in self.bq.rows("d", "memberships")])

    def test_a_row_displaced_by_replace_through_another_unique_column_goes(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")
        self.app.sync()
        with self.app.connect() as db:
            db.execute("pragma recursive_triggers = off")
            db.execute("insert or replace into accounts values (9, 'a@x', 9, null)")

        self.app.sync()

        self.assertEqual([2, 9], sorted(row["id"] for row in self.bq.rows("d", "accounts")))

    def test_deleting_the_tracking_row_sends_everything_again_without_duplicates(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")
        self.app.sync()
        self.app.execute("delete from bq_sync_tracking where table_name = 'accounts'")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual(("replace", 2), (accounts["mode"], accounts["rows_inserted"]))
        self.assertEqual(2, self.bq.scalar("select count(*) from d.accounts"))

    def test_a_dropped_target_is_created_and_filled_again(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.bq.query("drop table d.accounts")

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual("synced", accounts["status"])
        self.assertEqual(1, self.bq.scalar("select count(*) from d.accounts"))

    def test_a_value_that_does_not_fit_rejects_its_row_and_no_other(self):
        self.app.execute("insert into everything(id, i) values (1, 1), (2, 'abc'), (3, '42')")

        run = self.app.sync(status=1)

        everything = self.app.table(run, "everything")
        self.assertEqual((2, 1), (everything["rows_inserted"], everything["rows_rejected"]))
        self.assertFalse(run["ok"])
        rejects = self.app.json("rejects")["rejects"]
        self.assertEqual([{"id": 2}], [reject["key"] for reject in rejects])
        self.assertEqual(("i", "text"), (rejects[0]["column"], rejects[0]["storage_class"]))

        self.app.execute("update everything set i = 2 where id = 2")
        run = self.app.sync()

        self.assertEqual(0, self.app.table(run, "everything")["rows_rejected"])
        self.assertEqual([1, 2, 42], sorted(row["i"] for row in self.bq.rows("d", "everything")))
        self.assertEqual([], self.app.json("rejects")["rejects"])

    def test_verify_finds_what_was_changed_by_hand_and_repair_fixes_it(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")
        self.app.sync()
        self.assertTrue(self.app.json("verify")["ok"])
        self.bq.query("update d.accounts set note = 'x' where id = 1")
        self.bq.query("delete from d.accounts where id = 2")
        self.bq.query("insert into d.accounts (id, email) values (5, 'e')")

        accounts = self.app.table(self.app.json("verify", status=1), "accounts")

        self.assertEqual(([2], [5], [1]), (
            accounts["missing"], accounts["extra"], accounts["different"]))
        self.assertTrue(self.app.json("verify", "--repair")["ok"])
        self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", "accounts")))

    def test_repair_sends_rows_whose_keys_are_texts_or_several_columns(self):
        self.app.script("insert into settings values ('it''s \"x\"', 'a'), ('0', 'b');"
                        "insert into memberships values ('t', 'é', 'r', null), ('t', 'f', 's', null);")
        self.app.sync()
        self.bq.query("update d.memberships set role = 'wrong' where person = 'é'")
        self.bq.query("delete from d.settings where name != '0'")

        self.assertFalse(self.app.json("verify", status=1)["ok"])

        self.assertTrue(self.app.json("verify", "--repair")["ok"])
        self.assertEqual(self.app.source_rows("memberships"), self.app.warehouse_rows("memberships"))
        self.assertEqual(self.app.source_rows("settings"), self.app.warehouse_rows("settings"))


class DomainProjectTest(unittest.TestCase):
    def test_a_project_id_with_a_domain_is_synced_merged_and_verified(self):
        bq = self.enterContext(Bqlocal(project="example.com:p-1", datasets=["d"]))
        app = self.enterContext(Deployment(bq))
        app.execute("insert into accounts values (1, 'a@x', 1.5, null), (2, 'b@x', null, null)")
        app.sync()
        app.execute("update accounts set note = 'x' where id = 1")

        run = app.sync()

        self.assertEqual("merge", app.table(run, "accounts")["mode"])
        self.assertTrue(app.json("verify")["ok"])
        for path in ("`example.com:p-1`.d.accounts", "`example.com:p-1.d.accounts`", "`example.com:p-1.d`.accounts"):
            self.assertEqual(2, bq.scalar(f"select count(*) from {path}"))


if __name__ == "__main__":
    unittest.main()

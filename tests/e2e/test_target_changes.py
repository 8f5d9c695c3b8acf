"""Targets that are not what they were at the last sync, although no row has changed in SQLite."""

import unittest

from tests.e2e.test_bad_cases import BadCase


class TargetChangesTest(BadCase):
    def setUp(self):
        super().setUp()
        self.app.sync()

    def patch(self, table, **resource):
        self.bq.patch(f"/bigquery/v2/projects/p/datasets/d/tables/{table}", resource)

    def requests_of_an_idle_pass(self):
        self.bq.clear_requests()
        run = self.app.sync()
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        return [(request["method"], request["path"].split("?")[0].rsplit("/", 1)[-1])
                for request in self.bq.requests()]

    def test_a_table_restored_to_an_older_version_is_replaced(self):
        old = self.bq.table("d", "accounts")["labels"]["bqsync_generation"]
        self.app.execute("update accounts set note = 'newer' where id = 1")
        self.app.sync()
        # Time travel brings rows and labels back.
        self.bq.query("update d.accounts set note = 'one' where id = 1")
        self.patch("accounts", labels={"bqsync_generation": old})

        self.assert_fixed("replace")

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_definition_with_another_shape_is_brought_in_line_without_rows(self):
        for table in ("accounts", "events", "settings"):
            with self.subTest(table=table):
                self.patch(table, labels={"bqsync_shape": "older"}, description="older")
                self.assertEqual("description", self.app.table(self.app.json("plan"), table)["sets"])
                self.assertRegex(self.app.run("plan")[1], rf"\n~ {table} (.|\n)*\n    sets: description\n")

                requests = self.requests_of_an_idle_pass()

                self.assertEqual([("GET", "tables"), ("GET", table), ("PATCH", table)], requests)
                self.assertNotEqual("older", self.bq.table("d", table).get("description"))
                self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())
                self.assert_equal()

    def planned_clustering(self, table):
        return next(item for item in self.app.json("plan")["tables"] if item["table"] == table).get("clustering")

    def clustering(self, table):
        return self.bq.table("d", table).get("clustering", {}).get("fields")

    def test_a_table_that_is_not_clustered_gets_its_key_once_and_plan_says_so(self):
        self.assertEqual(["id"], self.clustering("accounts"))
        self.patch("accounts", labels={"bqsync_shape": "older"}, clustering=None)
        self.assertIsNone(self.clustering("accounts"))
        self.assertIn("none in BigQuery; the next sync makes it by id", self.planned_clustering("accounts"))

        self.assertEqual([("GET", "tables"), ("GET", "accounts"), ("PATCH", "accounts")],
                         self.requests_of_an_idle_pass())

        self.assertEqual(["id"], self.clustering("accounts"))
        self.assertIsNone(self.planned_clustering("accounts"))
        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_clustering_made_by_hand_stays_unless_the_definition_names_one(self):
        for table, kept in (("accounts", True), ("events", False)):
            with self.subTest(table=table):
                column = {"accounts": "email", "events": "kind"}[table]
                self.patch(table, labels={"bqsync_shape": "older"}, clustering={"fields": [column]})
                self.assertIn("left alone" if kept else "the next sync makes it by id", self.planned_clustering(table))

                self.requests_of_an_idle_pass()

                self.assertEqual([column] if kept else ["id"], self.clustering(table))
                self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_column_that_is_missing_where_the_shape_differs_is_filled_again(self):
        self.bq.query("alter table d.accounts drop column note")
        self.patch("accounts", labels={"bqsync_shape": "older"})

        self.assert_fixed("replace")

    def stands_in_the_way(self, table, *words):
        """What `plan`, `check` and `sync` say of a target that is no table, and how they end."""
        status, planned, _ = self.app.run("plan", table)
        self.assertEqual(1, status)
        status, checked, _ = self.app.run("check", table)
        self.assertEqual(1, status)
        run = self.table_fails("accounts")
        failed = self.app.table(run, table)["error"]
        self.assertEqual("schema", failed["code"])
        for word in words:
            for text in (planned, checked, failed["message"]):
                self.assertIn(word, text)

    def test_a_view_in_the_place_of_a_target_is_named_with_the_way_out(self):
        self.bq.query("drop table d.accounts")
        self.bq.query("create view d.accounts as select 1 as id, 'a@x' as email, numeric '1' as balance, 'x' as note")
        self.stands_in_the_way(
            "accounts", "d.accounts is a view in BigQuery", "drop view `p`.`d`.`accounts`", '"target"')
        self.bq.query("drop view d.accounts")
        self.assert_fixed("replace")

    def test_so_is_one_that_has_the_labels_of_a_target(self):
        labels = self.bq.table("d", "accounts")["labels"]
        self.bq.query("drop table d.accounts")
        self.bq.query("create view d.accounts as select 1 as id, 'a@x' as email, numeric '1' as balance, 'x' as note")
        self.patch("accounts", labels=labels)
        self.stands_in_the_way("accounts", "d.accounts is a view in BigQuery")

    def test_a_column_widened_by_hand_is_told_by_plan_and_check_and_stays_exact(self):
        self.app.execute("insert into everything(i) values (5), (null)")
        self.app.sync()
        self.bq.query("alter table d.everything alter column i set data type numeric")
        told = "everything.i is NUMERIC in BigQuery and INT64 in its definition"
        for command in ("plan", "check"):
            status, out, _ = self.app.run(command, "everything")
            self.assertEqual(1, status)
            self.assertIn(told, out)

        # Its changes can still be merged, and no value is another one.
        self.app.execute("update everything set i = 9223372036854775807 where i = 5")
        self.app.sync("everything")
        self.assertEqual(["9223372036854775807", "None"],
                         sorted(str(row["i"]) for row in self.bq.rows("d", "everything")))
        self.assertEqual([True], [table["equal"] for table in self.app.json("verify", "everything")["tables"]])

        # A file that replaces the table would not fit.
        run = self.app.sync("everything", "--full", status=1)
        self.assertIn(told, self.app.table(run, "everything")["error"]["message"])

    def retype(self, table, column, kind):
        """The target as an older definition would have made it: the column has another type."""
        resource = self.bq.table("d", table)
        for field in resource["schema"]["fields"]:
            if field["name"] == column:
                field["type"] = kind
        self.bq.delete(f"/bigquery/v2/projects/p/datasets/d/tables/{table}")
        made = {key: resource[key] for key in ("tableReference", "schema", "clustering", "tableConstraints")
                if key in resource}
        self.bq.post("/bigquery/v2/projects/p/datasets/d/tables", made)

    def test_an_alter_that_failed_is_tried_again_by_the_next_pass(self):
        self.retype("accounts", "balance", "INTEGER")
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "accessDenied",
                        "message": "Access Denied: bigquery.tables.update"})
        self.table_fails("accounts", "Access Denied")
        self.bq.clear_faults()

        self.assert_fixed("replace")

        fields = self.bq.table("d", "accounts")["schema"]["fields"]
        self.assertIn(("balance", "NUMERIC"), [(field["name"], field["type"]) for field in fields])

    def test_a_dataset_made_again_elsewhere_is_filled_there(self):
        self.bq.delete("/bigquery/v2/projects/p/datasets/d?deleteContents=true")
        self.bq.post("/bigquery/v2/projects/p/datasets",
                     {"datasetReference": {"datasetId": "d"}, "location": "EU"})

        self.assert_fixed("replace")

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_dataset_copied_elsewhere_costs_one_pass(self):
        tables = {name: self.bq.table("d", name) for name in self.bq.tables("d")}
        self.bq.delete("/bigquery/v2/projects/p/datasets/d?deleteContents=true")
        self.bq.post("/bigquery/v2/projects/p/datasets",
                     {"datasetReference": {"datasetId": "d"}, "location": "EU"})
        for resource in tables.values():
            self.bq.post("/bigquery/v2/projects/p/datasets/d/tables",
                         {key: resource[key] for key in ("tableReference", "schema", "labels")})
        self.app.execute("update accounts set note = 'uno' where id = 1")
        self.table_fails("accounts", "location")

        run = self.app.sync()

        self.assertEqual("synced", self.app.table(run, "accounts")["status"])

    def test_where_the_case_of_names_does_not_count_a_target_may_be_spelt_otherwise(self):
        made = self.bq.table("d", "settings")
        self.bq.patch("/bigquery/v2/projects/p/datasets/d", {"isCaseInsensitive": True})
        self.app.execute("delete from bq_sync_meta where name like 'location:%'")
        self.bq.delete("/bigquery/v2/projects/p/datasets/d/tables/settings")
        self.bq.post("/bigquery/v2/projects/p/datasets/d/tables", {
            **{key: made[key] for key in ("schema", "labels")},
            "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "SETTINGS"}})

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass()[-1:])
        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_target_that_is_in_line_is_patched_only_to_raise_its_generation(self):
        self.app.script("insert into events(kind, at) values ('c', 3); update settings set value = 'light'")
        self.bq.clear_requests()

        run = self.app.sync()

        self.assertEqual({"append", "replace"}, {
            table["mode"] for table in run["tables"] if table["status"] == "synced"})
        patched = [request["path"].rsplit("/", 1)[-1] for request in self.bq.requests() if request["method"] == "PATCH"]
        self.assertEqual(["events", "settings"], sorted(patched))

    def test_a_target_with_limited_length_waits_for_a_person(self):
        self.bq.query("drop table d.settings")
        self.bq.query("create table d.settings (name string not null, value string(5))")

        failed = self.app.table(self.app.sync(status=1), "settings")["error"]["message"]

        self.assertIn("settings.value is STRING(5) in BigQuery and STRING in its definition", failed)
        statement = failed.split("Decide to run `")[1].rsplit("`", 1)[0]
        self.bq.query(statement)
        self.app.sync()
        self.assert_equal()

    def test_columns_that_swap_their_names_are_sent_again(self):
        self.app.script("""
            alter table accounts rename column email to x;
            alter table accounts rename column note to email;
            alter table accounts rename column x to note;
        """)
        self.app.execute("update accounts set email = 'a@x' where email is null")

        self.assert_fixed("replace")

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_column_that_is_dropped_and_made_again_is_sent_again(self):
        self.app.execute("""insert into events(kind, payload, at) values ('c', '{"lost": 1}', 3)""")
        self.app.sync()
        self.app.script("""
            alter table events drop column payload;
            alter table events add column payload text;
        """)

        run = self.app.sync()

        self.assertEqual("replace", self.app.table(run, "events")["mode"])
        self.assert_equal()

    def test_a_last_column_that_is_made_again_after_a_pass_missed_it_is_sent_again(self):
        for journal in ("wal", "delete"):
            with self.subTest(journal=journal):
                self.app.script(f"pragma journal_mode = {journal}; update accounts set note = 'lost' where id = 1")
                self.app.sync()
                self.app.execute("alter table accounts drop column note")
                self.app.sync(status=1)
                self.app.execute("alter table accounts add column note text")

                run = self.app.sync()

                self.assertEqual("replace", self.app.table(run, "accounts")["mode"])
                self.assert_equal()

    def assert_sent_again(self, table, sql, *before):
        """What a migration does to a table without an event for a trigger."""
        for statement in before:
            self.app.execute(statement)
        self.app.sync()
        self.app.script(sql)

        self.assertEqual("replace", self.app.table(self.app.sync(), table)["mode"])
        self.assert_equal()
        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    PEOPLE = "insert into people(email, name, deleted) values ('a@x', 'Ann', 0), ('b@x', 'Bob', 1), ('e@x', 'Eve', 1)"

    def test_a_column_of_the_filter_that_swaps_its_name_is_noticed(self):
        self.assert_sent_again("people", """
            alter table people rename column deleted to x;
            alter table people rename column present to deleted;
            alter table people rename column x to present""",
                               self.PEOPLE, "alter table people add column present integer not null default 0",
                               "update people set present = 1 - deleted")

    def test_a_column_of_the_filter_that_is_made_again_is_noticed(self):
        self.assert_sent_again("people", """
            alter table people drop column deleted;
            alter table people add column deleted integer not null default 1""", self.PEOPLE)

    def test_a_column_of_the_filter_that_is_made_again_after_a_pass_missed_it_is_noticed(self):
        again = """alter table people drop column deleted;
                   alter table people add column deleted integer not null default 0"""
        self.app.script(again)
        self.app.execute(self.PEOPLE)
        self.app.sync()
        self.app.execute("alter table people drop column deleted")
        self.app.sync(status=1)
        self.app.execute("alter table people add column deleted integer not null default 0")

        self.assertEqual("replace", self.app.table(self.app.sync(), "people")["mode"])
        self.assert_equal()

    def test_the_last_columns_made_again_are_noticed(self):
        for columns in (("note text default 'x'",), ("balance numeric default 3", "note text"),
                        ("balance default 7", "note default 'D'")):
            with self.subTest(columns=columns):
                names = [column.split()[0] for column in columns]
                self.assert_sent_again("accounts", ";".join(
                    [f"alter table accounts drop column {name}" for name in reversed(names)] +
                    [f"alter table accounts add column {column}" for column in columns]),
                                       "update accounts set balance = 2, note = 'lost' where id = 1")

    def test_another_expression_of_a_generated_column_is_noticed(self):
        self.app.script("""
            alter table events drop column at; alter table events add column base integer;
            update events set base = 7;
            alter table events add column half as (base + 1);
            alter table events add column at integer as (half * 2)""")
        for expression in ("base + 2", "base"):
            with self.subTest(expression=expression):
                self.assert_sent_again("events", f"""
                    alter table events drop column at; alter table events drop column half;
                    alter table events add column half as ({expression});
                    alter table events add column at integer as (half * 2)""")

    def test_columns_on_which_no_row_depends_may_come_and_go(self):
        self.app.script("""
            alter table accounts add column unlisted text; alter table people add column present integer;
            alter table people rename column present to away; alter table people drop column away;
            alter table people rename column deleted to away; alter table people rename column away to deleted""")

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_progress_of_a_version_that_noted_less_of_the_columns_is_kept_and_completed(self):
        noted = "select table_name, content_hash from bq_sync_tracking order by 1"
        before = self.app.execute(noted)
        for length in (23, 15, 14):
            with self.subTest(length=length):
                self.app.execute(f"update bq_sync_tracking set content_hash = substr(content_hash, 1, {length})")

                self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

                replaced = [name for name, digest in self.app.execute(noted) if len(digest) == length]
                self.assertEqual(["settings"], replaced)
                self.app.execute(f"update settings set value = 'noted {length}'")
                self.app.sync()
                self.assertEqual(before, self.app.execute(noted))

    def test_a_column_that_no_definition_has_may_come(self):
        self.app.execute("alter table accounts add column unlisted text")

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())


if __name__ == "__main__":
    unittest.main()

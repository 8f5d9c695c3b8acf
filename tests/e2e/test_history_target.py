"""What keeps the history of a table, its log, view and function, is created, changed and found again."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

DATASET = "/bigquery/v2/projects/p/datasets/d"
SOURCE = """
create table users(id integer primary key, name text, email text, age integer, pay numeric, doc text, phone text);
create table visits(id integer primary key, at, place text);
create table settings(name text primary key not null, value text);
create table prices(price text primary key, number integer not null unique, note text);
create table lines(order_id integer not null, code blob not null, amount, price real, place text,
  primary key (order_id, code));
insert into users values (1, 'Ann', 'a@x', 30, 1.5, '{"a": 1}', '1'), (2, 'Bob', null, null, 2, null, null);
insert into visits values (1, 1700000000, 'here');
insert into settings values ('theme', 'dark');
insert into lines values (1, x'00ff', 3, 1.5, 'POINT(1 2)');
"""
HISTORY = [name + end for name in ("order_lines", "prices", "settings", "users", "visits") for end in ("_changes", "_history")]


class HistoryTargetTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_history", schema=SOURCE))

    def more(self):
        """The same source and state under changed definitions of users and visits."""
        self.app.program = str(BUILD / "bqsync_history_more")

    def requests(self, arguments=("sync",), status=0):
        self.bq.clear_requests()
        ended, out, err = self.app.run(*arguments)
        self.assertEqual(status, ended, out + err)
        return [(request["method"], request["path"].split("?")[0].rsplit("/", 1)[-1])
                for request in self.bq.requests()]

    def log(self, name="users_changes"):
        return self.bq.table("d", name)

    def columns(self, name="users_changes"):
        return [(field["name"], field["type"], field["mode"]) for field in self.log(name)["schema"]["fields"]]

    def patch(self, name, **resource):
        self.bq.patch(f"{DATASET}/tables/{name}", resource)

    def drop(self, name):
        self.bq.delete(f"{DATASET}/tables/{name}")

    def assert_idle(self):
        self.assertEqual([("GET", "tables")], self.requests())

    def versions(self, view="users_history"):
        return self.bq.query(f"select * from d.{view}")

    def as_of(self, function="users_at"):
        return self.bq.query(f"select * from d.{function}(timestamp '2100-01-01')")

    def test_the_first_sync_creates_log_view_and_function(self):
        self.app.sync()

        self.assertLessEqual(set(HISTORY), set(self.bq.tables("d")))
        self.assertEqual(
            [("id", "INTEGER", "REQUIRED"), ("name", "STRING", "NULLABLE"), ("email", "STRING", "NULLABLE"),
             ("age", "INTEGER", "NULLABLE"), ("pay", "NUMERIC", "NULLABLE"), ("doc", "JSON", "NULLABLE"),
             ("_bqsync_operation", "STRING", "REQUIRED"), ("_bqsync_at", "TIMESTAMP", "REQUIRED"),
             ("_bqsync_generation", "INTEGER", "REQUIRED"), ("_bqsync_run", "STRING", "REQUIRED"),
             ("_bqsync_abandoned", "BOOLEAN", "NULLABLE")], self.columns())
        self.assertEqual({"type": "DAY", "field": "_bqsync_at"}, self.log()["timePartitioning"])
        self.assertEqual({"fields": ["id"]}, self.log()["clustering"])
        self.assertEqual(str(400 * 24 * 3600 * 1000), self.log("visits_changes")["timePartitioning"]["expirationMs"])
        self.assertIn(("_bqsync_unfit", "JSON", "NULLABLE"), self.columns("order_lines_changes"))
        self.assertEqual("VIEW", self.log("users_history")["type"])
        self.versions()
        self.as_of()
        self.as_of("order_lines_at")
        self.assert_idle()

    def test_a_pass_with_changes_asks_for_nothing_of_the_history(self):
        self.app.sync()
        self.app.execute("update users set name = 'Anna' where id = 1")

        asked = self.requests()

        self.assertEqual([], [name for _, name in asked if name.startswith("users_")])

    def test_plan_shows_what_is_missing_and_nothing_afterwards(self):
        ddl = self.app.table(self.app.json("plan"), "users")["ddl"]
        self.assertEqual(["create table if not exists `p`.`d`.`users`", "create table if not exists `p`.`d`.`users_changes`",
                          "create or replace view `p`.`d`.`users_history`",
                          "create or replace table function `p`.`d`.`users_at`"],
                         [text.split(" (")[0].split("(`at`")[0].split("\n")[0] for text in ddl])

        self.app.sync()

        self.assertEqual([[]] * 5, [table["ddl"] for table in self.app.json("plan")["tables"]])
        self.drop("users_history")
        ddl = self.app.table(self.app.json("plan"), "users")["ddl"]
        self.assertEqual(["create or replace view", "create or replace table"],
                         [" ".join(text.split()[:4]) for text in ddl])

    def test_ddl_prints_the_statements_of_the_history(self):
        _, out, _ = self.app.run("ddl", "users")

        for start in ("create table if not exists `p`.`d`.`users` (", "create table if not exists `p`.`d`.`users_changes` (",
                      "create or replace view `p`.`d`.`users_history`",
                      "create or replace table function `p`.`d`.`users_at`(`at` timestamp)"):
            self.assertIn("\n" + start, "\n" + out)

    def test_a_view_that_was_dropped_is_made_again_without_rows(self):
        self.app.sync()
        self.drop("users_history")

        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

        self.versions()
        self.assert_idle()

    def test_a_log_that_was_dropped_is_made_again_by_a_replacement(self):
        self.app.sync()
        self.drop("users_changes")
        self.assertEqual("its change log is not in BigQuery", self.app.table(self.app.json("plan"), "users")["why"])

        run = self.app.sync()

        self.assertEqual("replace", self.app.table(run, "users")["mode"])
        self.assertIn("users_changes", self.bq.tables("d"))
        self.versions()
        self.assert_idle()

    def test_a_log_that_was_made_and_not_filled_is_filled_by_the_next_pass(self):
        self.app.sync()
        self.drop("users_changes")
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "accessDenied", "message": "Access Denied"},
                       {"action": "job_fail", "job": "query", "reason": "accessDenied", "message": "Access Denied"})
        self.assertNotEqual(0, self.app.run("sync", "users")[0])
        self.assertIn("users_changes", self.bq.tables("d"))
        self.bq.clear_faults()

        self.assertEqual("replace", self.app.table(self.app.sync(), "users")["mode"])

    def test_a_pass_that_ends_before_the_label_is_made_up_for(self):
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "accessDenied",
                        "message": "Access Denied: bigquery.routines.create"})
        run = self.app.sync("users", status=4)
        self.assertIn("history of users", self.app.table(run, "users")["error"]["message"])
        self.assertIn("bigquery.routines.create", self.app.table(run, "users")["error"]["message"])
        self.bq.clear_faults()

        self.app.sync()

        self.as_of()
        self.assert_idle()

    def test_changed_definitions_reach_log_view_and_function(self):
        self.app.sync()
        self.more()
        ddl = self.app.table(self.app.json("plan"), "users")["ddl"]
        for column in ("add column `phone` STRING", "alter column `age` set data type NUMERIC"):
            self.assertEqual(2, len([text for text in ddl if text.endswith(column)]), ddl)
        self.assertIn("alter table `p`.`d`.`users_changes` set options(partition_expiration_days = 30)", ddl)

        self.app.sync()

        self.assertLessEqual({("phone", "STRING", "NULLABLE"), ("age", "NUMERIC", "NULLABLE")}, set(self.columns()))
        self.assertEqual(str(30 * 24 * 3600 * 1000), self.log()["timePartitioning"]["expirationMs"])
        self.assertNotIn("expirationMs", self.log("visits_changes")["timePartitioning"])
        self.assertIn("phone", [field["name"] for field in self.log("users_history")["schema"]["fields"]])
        self.as_of()
        self.assert_idle()

    def test_the_log_does_not_expire_unless_its_definition_says_so(self):
        self.bq.patch(DATASET, {"defaultTableExpirationMs": "3600000", "defaultPartitionExpirationMs": "7200000"})
        self.app.sync()
        for name in HISTORY[::2]:
            self.assertNotIn("expirationTime", self.log(name), name)
        self.assertNotIn("expirationMs", self.log()["timePartitioning"])
        self.assertEqual(str(400 * 24 * 3600 * 1000), self.log("visits_changes")["timePartitioning"]["expirationMs"])

        self.patch("users_changes", expirationTime="33333333333333",
                   timePartitioning={"type": "DAY", "field": "_bqsync_at", "expirationMs": "3600000"})
        self.app.sync()

        self.assertNotIn("expirationTime", self.log())
        self.assertNotIn("expirationMs", self.log()["timePartitioning"])
        self.assert_idle()

    def test_a_log_that_cannot_be_changed_is_refused_and_never_to_be_dropped(self):
        self.app.sync()
        made = self.log()
        for field in made["schema"]["fields"]:
            if field["name"] == "name":
                field["type"] = "INTEGER"
        self.drop("users_changes")
        self.bq.post(f"{DATASET}/tables", {key: made[key] for key in (
            "tableReference", "schema", "timePartitioning", "clustering")})

        run = self.app.sync(status=1)

        message = self.app.table(run, "users")["error"]["message"]
        self.assertIn("users_changes.name is INT64 in BigQuery and STRING in its definition", message)
        self.assertIn("`alter table `p`.`d`.`users_changes` rename to `users_changes_until_now``", message)
        self.assertNotIn("drop table", message)

    def test_check_looks_at_the_log_and_asks_for_the_function(self):
        names = {item["name"]: item for item in self.app.json("check")["checks"]}
        self.assertEqual("ok", names["permission bigquery.routines.create"]["status"])
        self.assertIn("the next sync creates it", names["target users_changes"]["message"])

        self.app.sync()

        names = {item["name"]: item for item in self.app.json("check")["checks"]}
        self.assertEqual("fits its definition", names["target users_changes"]["message"])


if __name__ == "__main__":
    unittest.main()

"""bqsync check: what it finds, and that it changes nothing."""

import json
import shutil
import subprocess
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ON_TABLES = ("bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.update",
             "bigquery.tables.updateData", "bigquery.tables.delete")
ON_DATASET = ("bigquery.datasets.get", "bigquery.tables.list", "bigquery.tables.create")
GRANT_DATA = ("bq query --project_id=my-project{} --use_legacy_sql=false 'GRANT "
              "`roles/bigquery.dataEditor` ON SCHEMA `my-project`.`d` TO \"serviceAccount:EMAIL\"'")
GRANT_JOBS = ("gcloud projects add-iam-policy-binding my-project --member='serviceAccount:EMAIL' "
              "--role=roles/bigquery.jobUser")


class CheckCase(unittest.TestCase):
    synced = True

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], project="my-project"))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.script("insert into events(kind) values ('a'); insert into accounts(email) values ('a');"
                        "insert into settings values ('a', 'b');")
        if self.synced:
            self.app.sync()

    def check(self, *arguments, status=0, **environment):
        document = self.app.json("check", *arguments, status=status, **environment)
        self.assertEqual(status == 0, document["ok"])
        self.assertEqual(document["ok"], all(one["status"] != "fail" for one in document["checks"]))
        return {one["name"]: one for one in document["checks"]}

    def failed(self, checks):
        return sorted(name for name, one in checks.items() if one["status"] == "fail")


class Permissions(CheckCase):
    def test_all_permissions_that_a_sync_needs_are_reported_as_held(self):
        checks = self.check()
        for permission in (*ON_TABLES, *ON_DATASET, "bigquery.jobs.create"):
            self.assertEqual("ok", checks[f"permission {permission}"]["status"], permission)

    def test_each_missing_permission_on_tables_is_one_failure_with_role_and_command(self):
        for permission in ON_TABLES:
            with self.subTest(permission=permission):
                self.bq.faults({"action": "deny", "permission": permission})
                checks = self.check("accounts", "events", status=1)
                self.assertEqual([f"permission {permission}"], self.failed(checks))
                message = checks[f"permission {permission}"]["message"]
                self.assertIn("2 of 2 target tables (accounts, events)", message)
                self.assertIn("roles/bigquery.dataEditor on the dataset my-project:d grants it", message)
                self.assertIn(GRANT_DATA.format(" --location=US"), message)

    def test_each_missing_permission_on_the_dataset_is_one_failure_with_role_and_command(self):
        for permission in ON_DATASET:
            with self.subTest(permission=permission):
                self.bq.faults({"action": "deny", "permission": permission})
                checks = self.check("accounts", status=1)
                self.assertEqual([f"permission {permission}"], self.failed(checks))
                location = "" if permission == "bigquery.datasets.get" else " --location=US"
                self.assertIn(GRANT_DATA.format(location),
                              checks[f"permission {permission}"]["message"])

    def test_setting_policy_tags_needs_a_permission_of_its_own(self):
        self.bq.faults({"action": "deny", "permission": "bigquery.tables.setCategory"})
        checks = self.check("accounts", "devices", status=1)

        one = checks["permission bigquery.tables.setCategory"]
        self.assertEqual("fail", one["status"])
        self.assertIn("1 of 2 target tables (devices)", one["message"])
        self.assertIn("GRANT `roles/bigquery.dataOwner` ON SCHEMA", one["message"])
        self.assertNotIn("permission bigquery.tables.setCategory", self.check("accounts"))

    def test_jobs_are_asked_for_on_the_project(self):
        self.bq.faults({"action": "deny", "permission": "bigquery.jobs.create"})
        checks = self.check("accounts", status=1)
        self.assertEqual(["permission bigquery.jobs.create"], self.failed(checks))
        message = checks["permission bigquery.jobs.create"]["message"]
        self.assertIn("roles/bigquery.jobUser on the project my-project", message)
        self.assertIn(GRANT_JOBS, message)
        self.assertEqual("warn", checks["permission bigquery.tables.create"]["status"])

    def test_no_permission_at_all_names_every_one_of_them(self):
        wanted = (*ON_TABLES, *ON_DATASET[:2], "bigquery.jobs.create")
        self.bq.faults(*({"action": "deny", "permission": permission}
                         for permission in (*wanted, "bigquery.tables.create")))
        checks = self.check("accounts", status=1)
        self.assertEqual(sorted(f"permission {one}" for one in wanted), self.failed(checks))

    def test_what_is_denied_fails_a_sync_and_names_the_permission(self):
        self.bq.faults({"action": "deny", "permission": "bigquery.tables.list"})
        status, _, err = self.app.run("sync", "--json")
        self.assertEqual(4, status)
        self.assertIn("needs bigquery.tables.list", err)

    def test_a_check_writes_nothing(self):
        before = self.bq.tables("d")
        labels = [self.bq.table("d", name)["etag"] for name in before]
        self.bq.clear_requests()
        with self.app.connect() as db:
            version = db.execute("pragma data_version").fetchone()
            self.check()
            self.assertEqual(version, db.execute("pragma data_version").fetchone())
        changing = [request for request in self.bq.requests()
                    if request["method"] != "GET" and not request["path"].split("?")[0].endswith(
                        ("/queries", ":testIamPermissions"))]
        self.assertEqual([], changing)
        self.assertEqual(before, self.bq.tables("d"))
        self.assertEqual(labels, [self.bq.table("d", name)["etag"] for name in before])
        self.assertEqual([], [job for job in self.bq.get("jobs").get("jobs", [])
                              if "permission_probe" in json.dumps(job)])


class Before(CheckCase):
    """Before the first sync."""

    synced = False

    def test_rights_on_tables_that_do_not_exist_are_not_guessed(self):
        checks = self.check()
        self.assertIn("once a target exists", checks["permissions of tables"]["message"])
        self.assertIn("the next sync creates it", checks["target accounts"]["message"])

    def test_a_missing_dataset_fails_unless_it_may_be_created(self):
        self.app.dataset = "other"
        checks = self.check(status=1)
        self.assertIn("bq mk --dataset", checks["dataset"]["message"])
        checks = self.check(BQ_CREATE_DATASET="1")
        self.assertEqual("ok", checks["dataset"]["status"])

    def test_rows_that_bqsync_has_not_written_are_warned_of_before_they_are_replaced(self):
        self.bq.query("create table d.accounts(id int64 not null, email string not null, balance numeric, note string)")
        self.assertEqual("ok", self.check()["target accounts"]["status"])
        self.bq.query("insert into d.accounts values (1, 'a@x', null, 'precious')")

        target = self.check()["target accounts"]

        self.assertEqual("warn", target["status"])
        self.assertIn("holds 1 rows that bqsync has not written: the first sync replaces them", target["message"])
        self.assertIn("what the table in BigQuery holds is replaced",
                      self.app.table(self.app.json("plan"), "accounts")["why"])

    def test_capture_that_is_not_there_yet_is_no_fault(self):
        self.assertEqual("ok", self.check()["capture accounts"]["status"])


class Surroundings(CheckCase):
    def test_partitions_that_expire_are_warned_of(self):
        self.assertNotIn("partition expiration", self.check())
        made = self.bq.table("d", "events")
        self.bq.delete("datasets/d/tables/events")
        self.bq.post("datasets/d/tables", {
            "tableReference": made["tableReference"], "schema": made["schema"],
            "timePartitioning": {"type": "DAY", "field": "at", "expirationMs": "3600000"}})

        one = self.check()["partition expiration"]

        self.assertEqual("warn", one["status"])
        self.assertIn("alter table `my-project`.`d`.`events` set options", one["message"])

    def test_a_project_without_billing_has_no_dml(self):
        self.assertEqual("ok", self.check()["dml"]["status"])
        self.bq.faults({"method": "POST", "path": "/queries", "nth": 3, "action": "status", "status": 403,
                        "reason": "billingNotEnabled", "message": "DML queries are not allowed in the free tier"})

        one = self.check(status=1)["dml"]

        self.assertIn("DML queries are not allowed", one["message"])

    def test_a_default_collation_is_warned_of(self):
        self.assertNotIn("dataset collation", self.check())
        self.bq.patch("datasets/d", {"defaultCollation": "und:ci"})

        one = self.check()["dataset collation"]

        self.assertEqual("warn", one["status"])
        self.assertIn("und:ci", one["message"])

    def test_row_access_policies_are_warned_of_and_stop_a_merge(self):
        self.bq.faults({"action": "row_policies", "table": "d.accounts"})
        checks = self.check("accounts", "events")

        one = checks["row access policies accounts"]
        self.assertEqual("warn", one["status"])
        self.assertIn("filter using (true)", one["message"])
        self.assertNotIn("row access policies events", checks)

        self.app.script("update accounts set email = 'b'")
        self.assertEqual(4, self.app.run("sync", "accounts")[0])
        self.assertIn("due to row access policies", self.app.run("sync", "accounts")[2])
        self.assertEqual([{"email": "a"}], self.bq.query("select email from d.accounts"))
        self.bq.clear_faults()
        self.app.sync("accounts")
        self.assertEqual([{"email": "b"}], self.bq.query("select email from d.accounts"))

    def test_row_access_policies_that_may_not_be_listed_are_no_failure(self):
        self.bq.faults({"action": "row_policies", "table": "d.accounts"},
                       {"action": "deny", "permission": "bigquery.rowAccessPolicies.list"})
        self.bq.clear_requests()
        checks = self.check()

        self.assertEqual("ok", checks["row access policies"]["status"])
        self.assertIn("bigquery.rowAccessPolicies.list", checks["row access policies"]["message"])
        self.assertEqual(1, sum("/rowAccessPolicies" in request["path"] for request in self.bq.requests()))

    def test_only_a_check_asks_for_row_access_policies(self):
        self.app.script("update accounts set email = 'b'")
        self.bq.clear_requests()
        self.app.sync()

        self.assertEqual([], [request["path"] for request in self.bq.requests()
                              if "rowAccessPolicies" in request["path"]])

    def test_altered_triggers_are_warned_of(self):
        self.assertIn("in place", self.check()["capture accounts"]["message"])
        trigger, = self.app.execute("select name from sqlite_master where type = 'trigger' "
                                    "and tbl_name = 'accounts' limit 1")[0]
        self.app.execute(f'drop trigger "{trigger}"')
        self.assertEqual("warn", self.check()["capture accounts"]["status"])

    def test_columns_that_are_not_synced_are_named(self):
        self.app.execute("alter table accounts add column secret")
        one = self.check()["table accounts"]
        self.assertEqual("warn", one["status"])
        self.assertIn("secret", one["message"])

    def test_rows_that_would_be_rejected_are_counted(self):
        self.app.execute("insert into events(kind, at) values ('x', 'no number')")
        one = self.check()["table events"]
        self.assertEqual("warn", one["status"])
        self.assertIn("1 of the first 2 rows", one["message"])

    def test_a_journal_that_blocks_writers_is_warned_of(self):
        self.app.execute("pragma journal_mode = delete")
        self.assertEqual("warn", self.check()["source"]["status"])

    def test_room_for_temporary_files_is_looked_after(self):
        self.assertEqual("ok", self.check()["temporary files"]["status"])
        checks = self.check(status=1, TMPDIR="/no/such/folder")
        self.assertIn("TMPDIR", checks["temporary files"]["message"])

    def test_a_schedule_beyond_the_daily_limit_is_warned_of(self):
        checks = self.check(BQ_SYNC_INTERVAL="30s")
        self.assertIn("2881 loads a day", checks["schedule events"]["message"])
        self.assertNotIn("schedule accounts", checks)
        self.assertNotIn("schedule events", self.check())

    def test_a_switched_off_api_is_told_as_it_is(self):
        self.bq.faults({"action": "status", "status": 403, "reason": "accessNotConfigured",
                        "message": "BigQuery API has not been used", "count": 0})
        checks = self.check(status=1)
        self.assertIn("has not been used", " ".join(one["message"] for one in checks.values()))
        self.assertNotIn("Grant it", json.dumps(checks))

    def test_a_dead_endpoint_is_one_failure(self):
        checks = self.check(status=1, BIGQUERY_EMULATOR_HOST="127.0.0.1:9", BQ_RETRY_BUDGET="1s")
        self.assertEqual(["BigQuery"], self.failed(checks))

    def test_for_people_it_prints_one_line_a_check(self):
        status, out, _ = self.app.run("check")
        self.assertEqual(0, status)
        self.assertTrue(all(line.split("  ")[0].strip() in ("ok", "warn", "FAIL")
                            for line in out.splitlines()), out)


# Runs a program with a copy of the database on a small disk of its own.
ON_A_SMALL_DISK = """
set -e
mkdir small
mount -t tmpfs -o size=4m none small
cp app.db* small/
exec "$@"
"""


class Disk(CheckCase):
    def test_a_disk_without_room_for_the_record_of_a_failure_is_a_warning(self):
        self.assertNotIn("disk of the state", self.check())
        namespace = ["unshare", "--user", "--map-root-user", "--mount"]
        if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], capture_output=True).returncode:
            self.skipTest("no namespaces of users here")
        done = subprocess.run([*namespace, "sh", "-c", ON_A_SMALL_DISK, "sh", self.app.program, "check", "--json"],
                              cwd=self.app.folder, env={**self.app.environment, "BQ_SQLITE_PATH": "small/app.db"},
                              capture_output=True, text=True)
        checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
        self.assertEqual("warn", checks["disk of the state"]["status"], done.stdout)
        self.assertRegex(checks["disk of the state"]["message"], r"^\d MB free beside small/app\.db: ")


if __name__ == "__main__":
    unittest.main()

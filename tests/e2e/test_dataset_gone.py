"""A dataset that is deleted, or that a BigQuery which the state does not know never had: with BQ_CREATE_DATASET=1 the
next pass creates and fills it, without it every command says so."""

import unittest

from tests.e2e.histories import HistoryTest
from tests.e2e.serving import INCREMENTAL, Service
from tests.e2e.test_bad_cases import BadCase
from tests.e2e.test_race import BEFORE_ACKNOWLEDGEMENT, RaceCase
from tests.support.bqlocal import Bqlocal

DATASET = "/bigquery/v2/projects/p/datasets/d"
CREATE = {"BQ_CREATE_DATASET": "1"}
MISSING = "dataset p:d does not exist; create it (bq mk --dataset p:d)"


def delete_dataset(bq):
    bq.delete(DATASET + "?deleteContents=true")


class DeletedTest(BadCase):
    environment = CREATE

    def setUp(self):
        super().setUp()
        self.app.sync(**self.environment)
        delete_dataset(self.bq)

    def assert_created(self, *arguments):
        run = self.app.sync(*arguments, **self.environment)
        self.assertEqual({("synced", "replace")}, {
            (table["status"], table["mode"]) for table in run["tables"] if table["rows_inserted"]})
        self.assertEqual({"synced"}, {table["status"] for table in run["tables"]})

    def assert_settled(self):
        """Both sides are equal, and an idle pass makes its one request again."""
        self.assert_equal()
        self.bq.clear_requests()
        run = self.app.sync(**self.environment)
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        self.assertEqual([("GET", f"{DATASET}/tables")], [
            (request["method"], request["path"].split("?")[0]) for request in self.bq.requests()])

    def test_a_sync_creates_and_fills_it_as_check_and_plan_say(self):
        checks = {check["name"]: check for check in self.app.json("check", **self.environment)["checks"]}
        plan = self.app.json("plan", **self.environment)
        dry = self.app.sync("--dry-run", **self.environment)

        self.assertEqual("does not exist; the next sync creates it (BQ_CREATE_DATASET=1)", checks["dataset"]["message"])
        self.assertTrue(plan["creates_dataset"])
        self.assertEqual({"replace"}, {table["mode"] for table in plan["tables"]})
        self.assertEqual(3, self.app.table(dry, "accounts")["rows_inserted"])
        self.assertEqual([], self.bq.get("datasets").get("datasets", []))

        self.assert_created()
        self.assert_settled()

    def test_a_full_sync_creates_it(self):
        self.assert_created("--full")
        self.assert_settled()

    def test_a_sync_of_one_table_creates_it_and_the_next_one_fills_the_others(self):
        self.assert_created("accounts")
        self.app.sync(**self.environment)
        self.assert_settled()

    def test_changes_made_meanwhile_are_in_it(self):
        self.app.script("update accounts set note = 'uno' where id = 1; delete from events;")
        self.assert_created()
        self.assert_settled()

    def test_it_may_be_created_elsewhere(self):
        self.environment = {**CREATE, "BQ_LOCATION": "EU"}
        self.assert_created()
        self.assertEqual("EU", self.bq.get("datasets/d")["location"])
        self.app.execute("update accounts set note = 'uno' where id = 1")
        self.app.sync(**self.environment)
        self.assert_settled()

    def test_it_is_created_each_time(self):
        for _ in range(2):
            self.assert_created()
            delete_dataset(self.bq)
        self.assert_created()
        self.assert_settled()


class ScannedTest(DeletedTest):
    state = "state.db"


class AtomicTest(DeletedTest):
    environment = {**CREATE, "BQ_SYNC_ATOMIC": "1"}


class AnotherBigQueryTest(BadCase):
    def test_the_progress_made_with_bqlocal_does_no_harm(self):
        self.app.sync(**CREATE)
        self.app.execute("update accounts set note = 'uno' where id = 1")
        with Bqlocal(datasets=[]) as other:
            self.bq = self.app.bq = other
            self.app.sync(**CREATE)
            self.assert_equal()


class ServiceTest(BadCase):
    def test_a_service_creates_it_with_its_next_pass(self):
        with Service(self.app, **CREATE) as service:
            service.sync(INCREMENTAL)
            delete_dataset(self.bq)
            run = service.sync(INCREMENTAL)
        self.assertEqual("done", run["state"], run)
        self.assert_equal()


class HistoriesTest(HistoryTest):
    def test_the_log_begins_again(self):
        self.app.script("insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two')")
        self.sync("accounts")
        self.app.execute("update accounts set note = 'uno' where id = 1")
        delete_dataset(self.bq)

        self.assertTrue(self.app.sync("accounts", **CREATE)["ok"])

        self.assertEqual([("1", "insert"), ("2", "insert")], self.operations())
        self.check()


class IntentTest(RaceCase):
    """A pass was killed between its intent and the acknowledgement, and then its dataset was deleted."""

    def leave_open(self, action):
        self.open()
        self.app.execute("update accounts set note = 'uno' where id = 1")
        with self.held({**BEFORE_ACKNOWLEDGEMENT, "action": action}) as process:
            process.kill()
            process.wait()
        self.assertEqual([(1,)], self.app.execute("select count(*) from bq_sync_intents"))

    def assert_created(self, **environment):
        self.assertTrue(self.app.sync(**CREATE, **environment)["ok"])
        self.assertEqual([(0,)], self.app.execute("select count(*) from bq_sync_intents"))
        self.assert_equal()
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

    def test_an_intent_whose_job_ran_is_settled(self):
        self.leave_open("hang_after")
        delete_dataset(self.bq)
        self.assert_created()

    def test_an_intent_whose_job_never_came_is_settled(self):
        self.leave_open("hang_before")
        delete_dataset(self.bq)
        self.assert_created()

    def test_an_intent_is_settled_where_its_dataset_was(self):
        self.leave_open("hang_before")
        delete_dataset(self.bq)
        self.assert_created(BQ_LOCATION="EU")

    def test_an_intent_that_another_bigquery_does_not_know_is_settled(self):
        self.leave_open("hang_after")
        self.bq = self.app.bq = self.enterContext(Bqlocal(datasets=[]))
        self.assert_created()


class NotAskedForTest(BadCase):
    def test_every_command_says_so_and_a_sync_creates_nothing(self):
        self.app.sync()
        delete_dataset(self.bq)
        for command in (("sync",), ("sync", "--full"), ("sync", "--dry-run"), ("plan",), ("verify",)):
            with self.subTest(command=command):
                self.fails(3, f"bqsync: {MISSING}", "(BQ_CREATE_DATASET=1)", arguments=command)
        checks = {check["name"]: check for check in self.app.json("check", status=1)["checks"]}
        self.assertIn(MISSING, checks["dataset"]["message"])
        self.assertEqual([], self.bq.get("datasets").get("datasets", []))

    def test_verify_does_not_ask_for_what_is_set(self):
        self.app.sync(**CREATE)
        delete_dataset(self.bq)
        err = self.fails(3, MISSING, "or let the next sync create it (BQ_CREATE_DATASET=1)", arguments=("verify",),
                         **CREATE)
        self.assertNotIn("or set", err)

    def test_a_project_that_does_not_exist_is_not_taken_for_a_missing_dataset(self):
        self.app.sync(**CREATE)
        self.app.execute("update bq_sync_meta set name = 'location:gone.d' where name = 'location:p.d'")
        self.bq.faults({"path": "/projects/gone/", "action": "status", "status": 404, "count": 100,
                        "reason": "notFound", "message": "Not found: Project gone"})
        self.fails(3, "project gone does not exist, or you may not see it", BQ_PROJECT_NAME="gone", **CREATE)


if __name__ == "__main__":
    unittest.main()

"""Since when a table is known to equal its source: the same in every place, and never forgotten for
the sake of another table."""

import signal
import unittest

from tests.e2e.serving import AT_START, INCREMENTAL, TABLES, Service, half_a_day_from_now
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROWS = """
insert into events(kind, at) values ('a', 1), ('b', 2);
insert into accounts values (1, 'a@x', 1.5, 'one');
insert into settings values ('theme', 'dark');
"""


class FreshnessTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.script(ROWS)

    def fresh(self, document=None):
        return {table["table"]: table["fresh_at"]
                for table in (document or self.app.json("status"))["tables"]}

    def expect(self, runs, others, document=None):
        """runs: {table: the run after which it was equal}; others: the run for all other tables."""
        fresh = self.fresh(document)
        self.assertEqual({table: runs.get(table, others)["started_at"] for table in fresh}, fresh)

    def change(self):
        self.app.execute("insert into accounts select max(id) + 1, 'x' || max(id), 2, null from accounts")

    def test_the_replacement_of_one_table_leaves_the_others_as_they_are(self):
        first = self.app.sync()
        full = self.app.sync("--full", "accounts")
        self.assertEqual("tables", full["kind"])
        self.expect({"accounts": full}, first)
        self.assertNotIn("never", self.app.run("status")[1])

    def test_a_pass_over_some_tables_keeps_what_an_idle_pass_knew_of_the_others(self):
        self.app.sync()
        idle = self.app.sync()
        self.change()
        some = self.app.sync("accounts")
        self.expect({"accounts": some}, idle)
        # An idle pass over some tables is kept beside the one over all tables.
        settings = self.app.sync("settings")
        self.expect({"accounts": some, "settings": settings}, idle)
        last = self.app.sync()
        self.expect({}, last)

    def test_a_failed_pass_and_another_command_keep_it_too(self):
        self.app.sync()
        idle = self.app.sync()
        self.app.run("capture", "install")
        self.expect({}, idle)
        self.app.run("sync", BIGQUERY_EMULATOR_HOST="127.0.0.1:1", BQ_RETRY_BUDGET="100ms")
        self.expect({}, idle)

    def test_the_service_and_the_command_say_the_same(self):
        self.app.sync()
        idle = self.app.sync()
        with Service(self.app) as service:
            self.expect({}, idle, service.status())
            # Two passes between two looks of the service.
            self.change()
            accounts = self.app.sync("accounts")
            self.app.execute("insert into settings values ('size', 'big')")
            settings = self.app.sync("settings")
            expected = {"accounts": accounts, "settings": settings}
            self.expect(expected, idle, service.status())
            self.expect(expected, idle)
            service.wait_run(service.post(TABLES, ["events"]).json["run_id"])
            self.assertEqual(self.fresh(), self.fresh(service.status()))
        with Service(self.app) as service:
            self.assertEqual(self.fresh(), self.fresh(service.status()))

    def test_the_last_run_counts_its_own_tables_whatever_status_is_asked_for(self):
        self.app.sync()
        self.app.execute("alter table accounts rename column note to state")
        self.app.execute("insert into people(id, email) values (9, x'00')")
        self.app.run("sync")
        for arguments in ((), ("settings",), ("accounts", "events")):
            out = self.app.run("status", *arguments)[1]
            self.assertIn("    1 table failed\n", out)
            self.assertIn("    1 row is rejected: ", out)


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def test_status_shows_the_schedule_of_the_service_not_that_of_its_own_settings(self):
        daily = half_a_day_from_now()
        settings = {"BQ_SYNC_INTERVAL": AT_START, "BQ_SYNC_DAILY_AT": daily, "BQ_SYNC_TIMEZONE": "Asia/Kolkata"}
        others = {"BQ_SYNC_INTERVAL": "7m", "BQ_SYNC_DAILY_AT": "off"}
        with Service(self.app, **settings) as service:
            service.wait_idle(1)
            self.assertEqual(service.status()["jobs"], self.app.json("status", **others)["jobs"])
            self.assertEqual(service.status()["service"], self.app.json("status")["service"])
        self.assertEqual("every 7m", self.app.json("status", **others)["jobs"][0]["schedule"])

    def test_status_shows_what_the_service_has_read_again(self):
        env_file = self.app.folder / ".env"
        env_file.write_text("BQ_SYNC_INTERVAL=2h\n")
        with Service(self.app, BQ_SYNC_INTERVAL="") as service:
            env_file.write_text("BQ_SYNC_INTERVAL=3h\n")
            service.process.send_signal(signal.SIGHUP)
            service.wait_line("settings reloaded")
            job = self.app.json("status", BQ_SYNC_INTERVAL="7m")["jobs"][0]
            self.assertEqual("every 3h", job["schedule"])

    def test_without_the_source_the_service_still_knows_itself(self):
        with Service(self.app, BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=half_a_day_from_now()) as service:
            service.wait_idle(1)
            jobs = service.status()["jobs"]
            self.app.path.rename(self.app.folder / "away.db")
            status = service.status()
            self.assertEqual("source", status["error"]["code"])
            self.assertEqual(jobs, status["jobs"])
            self.assertIsNotNone(status["service"])

    def test_a_table_that_a_running_pass_has_not_looked_at_has_no_mode_yet(self):
        with Service(self.app) as service:
            self.bq.faults({"action": "status", "status": 503, "count": 0})
            service.post(INCREMENTAL)
            tables = service.wait(lambda: (service.status()["running"] or {"tables": []})["tables"])
            self.assertEqual({None}, {table["mode"] for table in tables})
            self.bq.clear_faults()


if __name__ == "__main__":
    unittest.main()

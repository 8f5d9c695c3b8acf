"""BigQuery's limit of modifications of a table in 24 hours, known across processes, and what happens there."""

import datetime
import time
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

LIMIT = 1500


def present_hour():
    """Hours since 1970-01-01."""
    return int(time.time()) // 3600


def hour_text(hour):
    return datetime.datetime.fromtimestamp(hour * 3600, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Quota(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.script("insert into events(kind) values ('a'); insert into settings values ('a', 'b');"
                        "insert into accounts(email) values ('a@x');")
        self.app.sync()

    def use(self, table, modifications, hours_ago=2):
        """Notes so many loads of one hour, and none of others."""
        hour = present_hour() - hours_ago
        self.app.execute("delete from bq_sync_loads where table_name = ?", (f"p.d.{table}",))
        self.app.execute("insert into bq_sync_loads values (?, ?, ?)", (f"p.d.{table}", hour, modifications))
        return hour

    def used(self, command, table):
        return self.app.table(self.app.json(command), table)["modifications_24h"]

    def test_what_24_hours_have_seen_is_counted_across_processes(self):
        self.assertEqual(1, self.used("plan", "events"))
        for kind in "bc":
            self.app.execute("insert into events(kind) values (?)", kind)
            self.app.sync()
        self.assertEqual(3, self.used("plan", "events"))
        self.assertEqual(3, self.used("status", "events"))
        mine = next(table for table in self.bq.get("/bqlocal/tables")["tables"]
                    if table["table"] == "events")
        self.assertEqual(3, mine["modifications_today"])

    def test_a_pass_with_nothing_to_send_does_not_write_the_counts(self):
        before = self.app.execute("select * from bq_sync_loads order by 1")
        self.app.sync()
        self.assertEqual(before, self.app.execute("select * from bq_sync_loads order by 1"))

    def test_counts_before_the_last_24_hours_do_not_count(self):
        self.use("events", LIMIT, hours_ago=26)
        self.assertEqual(0, self.used("status", "events"))
        self.app.execute("insert into events(kind) values ('b')")
        self.assertEqual("append", self.app.table(self.app.sync(), "events")["mode"])
        self.assertEqual(1, self.used("plan", "events"))

    def test_near_the_limit_new_rows_go_by_merge_which_does_not_count(self):
        self.use("events", LIMIT - 20)
        self.app.execute("insert into events(kind) values ('b')")
        events = self.app.table(self.app.sync(), "events")
        self.assertEqual(("synced", "merge", 1),
                         (events["status"], events["mode"], events["rows_inserted"]))
        self.assertEqual(LIMIT - 20, self.used("plan", "events"))
        self.assertEqual(["a", "b"], sorted(row["kind"] for row in self.bq.rows("d", "events")))

    def test_near_the_limit_the_plan_does_not_know_what_new_rows_are_billed(self):
        self.use("events", LIMIT - 20)
        self.app.execute("insert into events(kind) values ('b')")
        plan = self.app.table(self.app.json("plan"), "events")
        self.assertEqual(("merge", 1, None), (plan["mode"], plan["insert"], plan["bytes_billed"]))
        # The INSERT reads no table. A statement that billed nothing is no measure of the next one.
        self.assertEqual(0, self.app.table(self.app.sync(), "events")["bytes_billed"])
        self.app.execute("insert into events(kind) values ('c')")
        plan = self.app.table(self.app.json("plan"), "events")
        self.assertEqual(("merge", None), (plan["mode"], plan["bytes_billed"]))
        self.use("events", LIMIT - 21)
        plan = self.app.table(self.app.json("plan"), "events")
        self.assertEqual(("append", 0), (plan["mode"], plan["bytes_billed"]))

    def test_at_the_limit_a_replacement_fails_until_there_is_room_and_others_go_on(self):
        hour = self.use("settings", LIMIT)
        self.app.execute("update settings set value = 'c'")
        self.app.execute("insert into accounts(email) values ('b@x')")
        run = self.app.sync(status=1)
        error = self.app.table(run, "settings")["error"]
        self.assertEqual(("quota", True), (error["code"], error["retryable"]))
        self.assertIn(f"its next sync is at {hour_text(hour + 25)}", error["message"])
        self.assertEqual("synced", self.app.table(run, "accounts")["status"])

        self.use("settings", LIMIT, hours_ago=26)
        self.assertTrue(self.app.sync()["ok"])
        self.assertEqual(["c"], [row["value"] for row in self.bq.rows("d", "settings")])

    def test_a_quota_that_bigquery_says_is_used_up_is_left_to_a_later_pass(self):
        self.app.execute("insert into events(kind) values ('b')")
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "quotaExceeded", "count": 0,
                        "message": "Quota exceeded: Your table exceeded quota for imports"})
        events = self.app.table(self.app.sync(status=1), "events")
        self.assertEqual("quota", events["error"]["code"])
        self.assertEqual(1, self.bq.fault_state()[0]["acted"])
        self.bq.clear_faults()
        self.assertTrue(self.app.sync()["ok"])
        self.assertEqual(["a", "b"], sorted(row["kind"] for row in self.bq.rows("d", "events")))

    def test_plan_tells_what_a_day_of_the_schedule_uses(self):
        plan = self.app.json("plan", BQ_SYNC_INTERVAL="15m")
        self.assertEqual(97, self.app.table(plan, "events")["modifications_a_day"])
        self.assertEqual(1, self.app.table(plan, "accounts")["modifications_a_day"])
        plan = self.app.json("plan", BQ_SYNC_INTERVAL="off", BQ_SYNC_DAILY_AT="off")
        self.assertEqual(0, self.app.table(plan, "events")["modifications_a_day"])
        status = self.app.json("status", BQ_SYNC_INTERVAL="15m")
        self.assertEqual(97, self.app.table(status, "events")["modifications_a_day"])
        # How often the application commits is not known.
        for document in (self.app.json("plan", BQ_SYNC_FOLLOW="2s"), self.app.json("status", BQ_SYNC_FOLLOW="2s")):
            self.assertIsNone(self.app.table(document, "events")["modifications_a_day"])
            self.assertEqual(1, self.app.table(document, "accounts")["modifications_a_day"])

    def test_status_for_people_speaks_of_tables_that_are_near_the_limit(self):
        self.use("events", LIMIT * 4 // 5)
        _, out, _ = self.app.run("status")
        self.assertEqual(1, out.count("in the last 24 hours 1200 of the 1500 loads"), out)

    def test_a_dropped_record_is_made_again(self):
        self.app.execute("drop table bq_sync_loads")
        self.assertEqual(0, self.used("status", "events"))
        self.app.execute("insert into events(kind) values ('b')")
        self.assertTrue(self.app.sync()["ok"])
        self.assertEqual(1, self.used("status", "events"))


class Money(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts(email) values ('a@x')")
        self.app.sync()

    def make_large(self):
        """More than 21 MB, so that reading the table is billed above the least bill of a MERGE."""
        self.app.execute("with recursive n(i) as (select 100 union all select i + 1 from n where i < 124)"
                         " insert into accounts select i, i || '@x', null, hex(zeroblob(500000)) from n")
        self.app.sync()

    def test_bytes_billed_are_summed_per_table_and_logged(self):
        self.app.execute("update accounts set note = 'x'")
        run = self.app.sync(BQ_LOG_LEVEL="info")
        accounts = self.app.table(run, "accounts")
        self.assertEqual(10 * 2 ** 20, accounts["bytes_billed"])
        self.assertEqual(0, self.app.table(run, "events")["bytes_billed"])
        self.assertIn(f"bytes_billed={accounts['bytes_billed']}", self.app.last_stderr)

        # Rows that do not fit into the statement come from a staging table, which is billed apart.
        self.app.execute("update accounts set note = hex(zeroblob(600000))")
        self.assertEqual(20 * 2 ** 20, self.app.table(self.app.sync(), "accounts")["bytes_billed"])

    def test_a_refused_select_names_the_setting(self):
        self.make_large()
        _, out, err = self.app.run("verify", "--json", BQ_MAX_BYTES_BILLED="21M")
        self.assertIn("BQ_MAX_BYTES_BILLED", out + err)

    def test_a_refused_merge_names_the_setting_and_the_next_one_loses_nothing(self):
        self.make_large()
        self.app.execute("update accounts set note = 'uno' where id = 1")
        run = self.app.sync(status=1, BQ_MAX_BYTES_BILLED="21M")

        error = self.app.table(run, "accounts")["error"]
        self.assertFalse(error["retryable"])
        self.assertIn("BQ_MAX_BYTES_BILLED", error["message"])
        self.assertTrue(self.app.sync()["ok"])
        self.assertEqual(["uno"], [row["note"] for row in self.bq.rows("d", "accounts") if row["id"] == 1])

    def test_a_limit_below_the_least_bill_of_a_merge_is_refused(self):
        for command in ("sync", "verify", "check", "plan"):
            status, _, err = self.app.run(command, BQ_MAX_BYTES_BILLED="10M")
            self.assertEqual(3, status)
            self.assertIn("BQ_MAX_BYTES_BILLED=10000000", err)
        # In a transaction each MERGE names a staging table, too.
        status, _, err = self.app.run("sync", BQ_MAX_BYTES_BILLED="20M", BQ_SYNC_ATOMIC="1")
        self.assertEqual(3, status)
        self.assertIn("21M or more", err)

    def test_a_day_below_the_least_bill_of_a_merge_is_refused(self):
        for day in ("0", "1", "10M"):
            for command in ("check", "sync"):
                status, _, err = self.app.run(command, BQ_MAX_BYTES_BILLED_PER_DAY=day)
                self.assertEqual(3, status, (day, err))
                self.assertIn("BQ_MAX_BYTES_BILLED_PER_DAY", err)
        status, _, err = self.app.run("sync", BQ_MAX_BYTES_BILLED_PER_DAY="20M", BQ_SYNC_ATOMIC="1")
        self.assertEqual(3, status, err)
        self.assertIn("21M or more", err)

    def test_a_limit_of_the_least_bill_lets_few_changes_pass(self):
        self.app.execute("update accounts set note = 'x'")
        self.assertTrue(self.app.sync(BQ_MAX_BYTES_BILLED="11M")["ok"])


if __name__ == "__main__":
    unittest.main()

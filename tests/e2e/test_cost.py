"""What BigQuery bills is added up in the state database, and a day's budget is never exceeded."""

import datetime
import os
import time
import unittest

from tests.e2e.serving import AT_START, INCREMENTAL, Service
from tests.support import killing
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

MIB = 2 ** 20
LEAST = 10 * MIB
SHIM = BUILD / "tests" / "support" / "libclock_shim.so"
DAY_S = 86400


@unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
class Cost(unittest.TestCase):
    """For bqsync it is noon, on a day to come (bqlocal goes by the real clock)."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.clock = {"LD_PRELOAD": str(SHIM)}
        self.app = self.enterContext(Deployment(self.bq, environment=self.clock))
        self.paid = 0
        self.day = 0
        self.next_day()
        self.app.script("insert into accounts(email) values ('a@x'), ('b@x');"
                        "insert into devices values ('d1', 1, 2);"
                        "insert into memberships values ('t', 'p', 'r', null);")
        self.app.sync()

    def next_day(self):
        """The next day's noon."""
        self.day += 1
        now = time.time()
        noon = (now // DAY_S + self.day) * DAY_S + DAY_S // 2
        self.clock["BQSYNC_CLOCK_SHIFT_S"] = str(int(noon - now))
        self.today = datetime.datetime.fromtimestamp(noon, datetime.timezone.utc).strftime("%Y-%m-%d")

    def billed_by_bigquery(self):
        """By all jobs that bqlocal has run, however they were started; since forget_bills, if that was called."""
        jobs = self.bq.get("jobs?projection=full&allUsers=true&maxResults=1000")["jobs"]
        return sum(int(job["statistics"].get("query", {}).get("totalBytesBilled", 0)) for job in jobs) - self.paid

    def forget_bills(self):
        self.app.execute("delete from bq_sync_billed")
        self.paid += self.billed_by_bigquery()

    def make_large(self):
        """accounts has more than 24 MB then, between its first row and its last."""
        self.app.execute("with recursive n(i) as (select 100 union all select i + 1 from n where i < 124)"
                         " insert into accounts select i, i || '@x', null, hex(zeroblob(500000)) from n")
        self.app.execute("insert into accounts(id, email) values (200, 'z@x')")
        self.app.sync()
        self.forget_bills()

    def recorded(self):
        """Bytes by table, of all days."""
        return dict(self.app.execute("select table_name, sum(bytes) from bq_sync_billed group by 1 order by 1"))


class Bills(Cost):
    def test_a_first_sync_and_an_idle_pass_bill_nothing(self):
        self.app.sync()
        self.assertEqual({}, self.recorded())
        self.assertEqual(0, self.billed_by_bigquery())

    def test_what_sync_and_verify_bill_is_recorded_by_table_and_day(self):
        self.app.execute("update accounts set note = 'x'")
        self.app.sync()
        self.assertEqual({"accounts": LEAST}, self.recorded())
        self.assertEqual([(self.today,)], self.app.execute("select day from bq_sync_billed"))

        self.app.execute("update accounts set note = hex(zeroblob(600000)) where id = 1")
        self.app.execute("update devices set online = 0")
        self.app.sync()
        self.assertEqual({"accounts": 3 * LEAST, "devices": LEAST}, self.recorded())

        self.app.json("verify", "memberships")
        self.assertEqual({"accounts": 3 * LEAST, "devices": LEAST, "memberships": LEAST}, self.recorded())
        self.assertEqual(self.billed_by_bigquery(), sum(self.recorded().values()))

    def test_a_transaction_bills_its_tables(self):
        told = 0
        for note in "xy":
            self.app.execute("update accounts set note = ?", note)
            self.app.execute("update devices set online = ?", str("xy".index(note)))
            run = self.app.sync(BQ_SYNC_ATOMIC="1")
            told += sum(table["bytes_billed"] for table in run["tables"])
            self.assertEqual(self.billed_by_bigquery(), told)
            self.assertEqual(self.billed_by_bigquery(), sum(self.recorded().values()))
            # A MERGE names its target and its staging table; the INSERT of the snapshot reads no table.
            self.assertEqual({"accounts": 2 * LEAST, "devices": 2 * LEAST},
                             {table["table"]: table["bytes_billed"] for table in run["tables"] if table["bytes_billed"]})

    def test_a_pass_that_is_killed_before_it_reads_the_bill_loses_none_of_it(self):
        self.app.execute("update accounts set note = 'x'")
        self.bq.faults({"method": "POST", "path": "/jobs", "count": 1, "action": "hang_after"})
        process = self.app.start("sync")
        self.assertTrue(killing.wait_until_held(self.bq, process))
        process.kill()
        process.communicate()
        self.bq.clear_faults()
        self.assertEqual({}, self.recorded())
        self.assertEqual(LEAST, self.billed_by_bigquery())

        run = self.app.sync()

        self.assertEqual(LEAST, self.app.table(run, "accounts")["bytes_billed"])
        self.assertEqual({"accounts": LEAST}, self.recorded())
        self.assertEqual(LEAST, self.billed_by_bigquery())

    def test_a_verification_that_may_not_write_says_what_is_not_recorded(self):
        with self.app.connect() as db:
            db.execute("update bq_sync_meta set value = '99' where name = 'schema_version'")
        status, _, err = self.app.run("verify", "accounts")
        self.assertEqual(0, status)
        self.assertIn("bytes billed are not recorded", err)
        self.assertEqual({}, self.recorded())


class Budget(Cost):
    """BQ_MAX_BYTES_BILLED_PER_DAY."""

    def sync(self, budget, **options):
        return self.app.sync(BQ_MAX_BYTES_BILLED_PER_DAY=str(budget), **options)

    def change_three(self, note):
        self.app.execute("update accounts set note = ?", (note,))
        self.app.execute("update devices set online = ?", (len(note) % 2,))
        self.app.execute("update memberships set role = ?", (note,))

    def failed(self, run):
        return {table["table"]: table["error"]["code"] for table in run["tables"] if table["error"]}

    def test_tables_at_once_never_exceed_it_and_go_on_the_next_day(self):
        self.change_three("x")
        run = self.sync(2 * LEAST + MIB, status=1)
        self.assertEqual(["budget"], list(self.failed(run).values()))
        error = next(table["error"] for table in run["tables"] if table["error"])
        self.assertTrue(error["retryable"])
        self.assertIn(f"BQ_MAX_BYTES_BILLED_PER_DAY={2 * LEAST + MIB}", error["message"])
        self.assertIn(f"today's queries have billed {2 * LEAST}", error["message"])
        self.assertIn("the next UTC day begins at", error["message"])
        self.assertEqual(2 * LEAST, self.billed_by_bigquery())

        self.assertEqual(["budget"], list(self.failed(self.sync(2 * LEAST + MIB, status=1)).values()))
        self.assertEqual(2 * LEAST, self.billed_by_bigquery())

        self.next_day()
        self.assertTrue(self.sync(2 * LEAST + MIB)["ok"])
        self.assertEqual(3 * LEAST, self.billed_by_bigquery())
        self.assertEqual(["x", "x"], [row["note"] for row in self.bq.rows("d", "accounts")])

    def test_loads_go_on_when_it_is_used_up(self):
        self.change_three("x")
        self.sync(3 * LEAST)
        self.app.execute("insert into events(kind) values ('a')")
        self.app.execute("insert into settings values ('a', 'b')")
        self.change_three("yy")
        run = self.sync(3 * LEAST, status=1)
        self.assertEqual({"accounts", "devices", "memberships"}, set(self.failed(run)))
        self.assertEqual("synced", self.app.table(run, "events")["status"])
        self.assertEqual("synced", self.app.table(run, "settings")["status"])

    def test_a_statement_that_needs_more_than_a_whole_day_says_that_it_never_fits(self):
        budget = LEAST + MIB
        self.app.execute("update accounts set note = hex(zeroblob(600000)) where id = 1")
        run = self.sync(budget, status=1)
        self.assertEqual({"accounts": "budget"}, self.failed(run))
        message = self.app.table(run, "accounts")["error"]["message"]
        self.assertIn(f"never fits into BQ_MAX_BYTES_BILLED_PER_DAY={budget}", message)
        self.assertIn(f"Raise it to {2 * LEAST} or more", message)
        self.assertIn("bqsync sync --full accounts", message)
        self.assertNotIn("next UTC day", message)
        self.assertEqual(0, self.billed_by_bigquery())

        status, _, _ = self.app.run("sync", "--full", "accounts", BQ_MAX_BYTES_BILLED_PER_DAY=str(budget))
        self.assertEqual(0, status)
        self.assertEqual(0, self.billed_by_bigquery())

    def test_a_table_that_bigquery_demands_more_for_than_a_whole_day_never_fits(self):
        self.make_large()
        self.app.execute("update accounts set note = 'uno' where id in (1, 200)")
        error = self.app.table(self.sync(30 * MIB, status=1), "accounts")["error"]
        self.assertEqual("budget", error["code"])
        self.assertIn(f"never fits into BQ_MAX_BYTES_BILLED_PER_DAY={30 * MIB}", error["message"])

    def test_emptying_a_table_goes_on_when_it_is_used_up(self):
        budget = LEAST + MIB
        self.app.execute("insert into settings values ('a', 'b')")
        self.app.execute("update accounts set note = 'x'")
        self.sync(budget)
        self.app.execute("delete from settings")
        self.assertEqual("synced", self.app.table(self.sync(budget), "settings")["status"])
        self.assertEqual([], self.bq.rows("d", "settings"))
        status, out, _ = self.app.run("sync", "--full", BQ_MAX_BYTES_BILLED_PER_DAY=str(budget))
        self.assertEqual(0, status, out)
        self.assertEqual(LEAST, self.billed_by_bigquery())

    def test_a_statement_that_needs_more_than_the_least_bill_is_told_by_bigquery_what_it_needs(self):
        self.make_large()
        self.app.execute("update accounts set note = 'uno' where id in (1, 200)")
        run = self.sync(200 * MIB)
        billed = self.app.table(run, "accounts")["bytes_billed"]
        self.assertGreater(billed, 2 * LEAST)
        self.assertEqual(billed, self.billed_by_bigquery())
        jobs = len(self.bq.get("jobs?maxResults=1000")["jobs"])

        # The next one knows.
        self.app.execute("update accounts set note = 'due' where id in (1, 200)")
        self.assertTrue(self.sync(200 * MIB)["ok"])
        self.assertEqual(jobs + 1, len(self.bq.get("jobs?maxResults=1000")["jobs"]))

        # What is left is too little, and that is known without a job.
        self.app.execute("update accounts set note = 'tre' where id in (1, 200)")
        run = self.sync(2 * billed + LEAST, status=1)
        self.assertEqual({"accounts": "budget"}, self.failed(run))
        self.assertEqual(jobs + 1, len(self.bq.get("jobs?maxResults=1000")["jobs"]))
        self.assertEqual(2 * billed, self.billed_by_bigquery())

    def test_the_cap_of_one_query_is_still_named_where_it_is_the_reason(self):
        self.make_large()
        self.app.execute("update accounts set note = 'uno' where id = 1")
        run = self.sync(500 * MIB, status=1, BQ_MAX_BYTES_BILLED="21M")
        error = self.app.table(run, "accounts")["error"]
        self.assertFalse(error["retryable"])
        self.assertIn("BQ_MAX_BYTES_BILLED allows", error["message"])
        self.assertEqual(0, self.billed_by_bigquery())

    def test_a_transaction_is_all_or_nothing_within_it(self):
        self.change_three("x")
        run = self.sync(5 * LEAST, status=1, BQ_SYNC_ATOMIC="1")
        self.assertEqual(["budget"], list(self.failed(run).values()))
        self.assertLessEqual(self.billed_by_bigquery(), 5 * LEAST)
        self.next_day()
        before = self.billed_by_bigquery()
        self.change_three("yy")
        self.assertTrue(self.sync(20 * LEAST, BQ_SYNC_ATOMIC="1")["ok"])
        self.assertEqual(sum(self.recorded().values()), self.billed_by_bigquery())
        self.assertGreater(self.billed_by_bigquery(), before)

    def test_a_transaction_of_a_large_table_asks_for_what_it_needs(self):
        self.make_large()
        self.app.execute("update accounts set note = 'uno' where id = 1")
        self.assertTrue(self.sync(200 * MIB, BQ_SYNC_ATOMIC="1")["ok"])
        self.app.execute("update accounts set note = 'due' where id = 1")
        run = self.sync(self.billed_by_bigquery() + 3 * LEAST, status=1, BQ_SYNC_ATOMIC="1")
        self.assertEqual({"accounts": "budget"}, self.failed(run))
        self.assertEqual([(0,)], self.app.execute("select count(*) from bq_sync_intents"))
        self.assertEqual(sum(self.recorded().values()), self.billed_by_bigquery())

    def test_a_killed_job_keeps_its_reservation_until_its_bill_is_known(self):
        self.app.execute("update accounts set note = 'x'")
        self.bq.faults({"method": "POST", "path": "/jobs", "count": 1, "action": "hang_after"})
        process = self.app.start("sync", BQ_MAX_BYTES_BILLED_PER_DAY=str(2 * LEAST))
        self.assertTrue(killing.wait_until_held(self.bq, process))
        process.kill()
        process.communicate()
        self.bq.clear_faults()
        reserved = self.app.execute("select bytes_reserved from bq_sync_intents")[0][0]
        self.assertGreaterEqual(reserved, LEAST)
        self.change_three("yy")
        run = self.sync(2 * LEAST, status=1)
        self.assertEqual(2, len(self.failed(run)))
        self.assertEqual(2 * LEAST, self.billed_by_bigquery())
        self.assertEqual(2 * LEAST, sum(self.recorded().values()))

    def test_verify_keeps_to_it(self):
        self.app.execute("update accounts set note = 'x'")
        self.sync(2 * LEAST)
        document = self.app.json("verify", status=1, BQ_MAX_BYTES_BILLED_PER_DAY=str(2 * LEAST))
        errors = [table["error"] for table in document["tables"] if table["error"]]
        self.assertTrue(errors)
        self.assertEqual({"budget"}, {error["code"] for error in errors})
        self.assertIn("BQ_MAX_BYTES_BILLED_PER_DAY", errors[0]["message"])
        self.assertEqual(2 * LEAST, self.billed_by_bigquery())
        self.assertEqual(2 * LEAST, sum(self.recorded().values()))
        self.assertEqual([(0,)], self.app.execute("select sum(reserved) from bq_sync_billed"))

    def test_verify_of_a_large_table_asks_for_what_it_needs(self):
        self.make_large()
        document = self.app.json("verify", "accounts", BQ_MAX_BYTES_BILLED_PER_DAY=str(200 * MIB))
        self.assertTrue(document["ok"])
        self.assertGreater(self.billed_by_bigquery(), 2 * LEAST)
        self.assertEqual({"accounts": self.billed_by_bigquery()}, self.recorded())

    def test_a_verification_whose_answer_is_lost_counts_with_what_it_reserved(self):
        self.bq.faults({"method": "POST", "path": "/queries", "count": 0, "action": "reset_after"})
        self.app.run("verify", "accounts", BQ_MAX_BYTES_BILLED_PER_DAY=str(2 * LEAST), BQ_RETRY_BUDGET="100ms")
        self.bq.clear_faults()
        self.assertGreaterEqual(self.app.execute("select sum(reserved) from bq_sync_billed")[0][0], LEAST)

    def test_serve_says_that_tables_wait_and_goes_on_the_next_day(self):
        self.app.execute("update accounts set note = 'x'")
        budget = {"BQ_MAX_BYTES_BILLED_PER_DAY": str(LEAST)}
        with Service(self.app, **budget) as service:
            self.assertTrue(service.sync(INCREMENTAL)["ok"])
            self.change_three("yy")
            run = service.sync(INCREMENTAL)
            self.assertEqual({"accounts", "devices", "memberships"}, set(self.failed(run)))
            service.wait_line("tables wait for the next day")
            status = service.status()
            tomorrow = datetime.date.fromisoformat(self.today) + datetime.timedelta(days=1)
            self.assertEqual({"bytes_a_day": LEAST, "bytes_left": 0, "waits_until": f"{tomorrow}T00:00:00.000Z"},
                             status["budget"])
            metrics = service.get("/metrics").body
            metrics = metrics if isinstance(metrics, str) else metrics.decode()
            self.assertIn("\nbqsync_budget_used_up 1\n", metrics)
            self.assertIn(f"\nbqsync_billed_bytes_today {LEAST}\n", metrics)
        _, out, _ = self.app.run("status", **budget)
        self.assertIn(f"tables that need a query wait until {tomorrow}T00:00:00.000Z", out)
        self.next_day()
        with Service(self.app, BQ_MAX_BYTES_BILLED_PER_DAY=str(3 * LEAST)) as service:
            self.assertTrue(service.sync(INCREMENTAL)["ok"])
            self.assertEqual([], [row["table"] for row in service.status()["tables"] if row["last_error"]])
        self.assertEqual(4 * LEAST, self.billed_by_bigquery())


class Following(Cost):
    """BQ_SYNC_FOLLOW while BQ_MAX_BYTES_BILLED_PER_DAY runs out."""

    def serve(self, budget, **settings):
        service = self.enterContext(Service(self.app, **{"BQ_SYNC_INTERVAL": AT_START, "BQ_SYNC_FOLLOW": "100ms",
                                                         "BQ_MAX_BYTES_BILLED_PER_DAY": str(budget), **settings}))
        service.wait_idle(1)
        return service

    def note(self):
        return {row["note"] for row in self.bq.rows("d", "accounts")}

    def change(self, service, note):
        self.app.execute("update accounts set note = ?", (note,))
        service.wait(lambda: self.note() == {note}, f"note {note} in BigQuery")

    def job(self, service, name):
        return next(job for job in service.status()["jobs"] if job["id"] == name)

    def test_tables_that_bill_wait_and_the_others_do_not(self):
        budget = 7 * LEAST
        service = self.serve(budget, BQ_SYNC_INTERVAL="off")
        for number in range(4):
            self.assertIsNone(self.job(service, "follow")["slowed_until"])
            self.change(service, f"at once {number}")
        # 30 MiB are left for twelve hours, so that 10 MiB last four of them.
        line = service.wait_line("the day's budget runs out")
        self.assertIn(f"bytes_left={3 * LEAST}", line)
        slowed_until = self.job(service, "follow")["slowed_until"]
        self.assertRegex(slowed_until, rf"^{self.today}T1[56]:")

        self.app.execute("update accounts set note = 'waits'")
        self.app.execute("insert into events(kind) values ('free')")
        service.wait(lambda: len(self.bq.rows("d", "events")) == 1, "the event in BigQuery")
        self.assertEqual({"at once 3"}, self.note())
        self.assertEqual(slowed_until[:19], self.job(service, "incremental")["next_run"][:19])
        self.assertEqual(4 * LEAST, self.billed_by_bigquery())
        _, out, _ = self.app.run("status", BQ_SYNC_FOLLOW="1s", BQ_MAX_BYTES_BILLED_PER_DAY=str(budget))
        self.assertIn("30.0 MiB of the day's budget are left: tables whose queries are billed are followed less often",
                      out)

        service.sync(INCREMENTAL)
        self.assertEqual({"waits"}, self.note())
        self.assertEqual(5 * LEAST, self.billed_by_bigquery())

    def test_the_more_is_left_the_sooner_they_are_followed_again(self):
        """40 TiB are left, of which 10 MiB last a few milliseconds."""
        self.app.execute("insert into bq_sync_billed(table_name, day, bytes, queries) values ('devices', ?, ?, 1)",
                         (self.today, 60 << 40))
        service = self.serve(100 << 40)
        for number in range(3):
            self.change(service, str(number))
        service.wait_line("the day's budget runs out")
        self.assertEqual(3 * LEAST, self.billed_by_bigquery())

    def test_the_interval_goes_on_until_nothing_is_left(self):
        budget = 7 * LEAST
        service = self.serve(budget, BQ_SYNC_INTERVAL="1s")
        for number in range(7):
            self.change(service, str(number))
        self.app.execute("update accounts set note = 'too much'")
        service.wait_line("tables wait for the next day")
        self.assertEqual(budget, self.billed_by_bigquery())
        self.assertEqual({"6"}, self.note())


class Reports(Cost):
    def test_status_and_runs_tell_what_was_billed(self):
        status = self.app.json("status")
        self.assertEqual((0, 0, None, None, None),
                         (status["bytes_billed_today"], status["bytes_billed_month"],
                          status["bytes_billed_month_projected"], status["projected_from_days"], status["budget"]))
        self.app.execute("update accounts set note = 'x'")
        self.app.execute("update devices set online = 0")
        self.assertEqual(2 * LEAST, self.app.sync()["bytes_billed"])
        first = self.today
        self.next_day()
        self.app.execute("update accounts set note = 'y'")
        self.app.sync()
        self.assertEqual(0, self.app.sync()["bytes_billed"])

        status = self.app.json("status")
        same_month = first[:7] == self.today[:7]
        self.assertEqual(LEAST, status["bytes_billed_today"])
        self.assertEqual(3 * LEAST if same_month else LEAST, status["bytes_billed_month"])
        accounts = self.app.table(status, "accounts")
        self.assertEqual(LEAST, accounts["bytes_billed_today"])
        self.assertEqual(2 * LEAST if same_month else LEAST, accounts["bytes_billed_month"])
        self.assertEqual(0, status["usd_month"])
        self.assertIsNone(self.app.json("status", BQ_PRICE_PER_TIB="off")["usd_month"])

    def test_plan_tells_what_the_next_pass_bills_where_that_is_known(self):
        plan = self.app.json("plan")
        self.assertEqual(0, self.app.table(plan, "accounts")["bytes_billed"])
        self.app.execute("update accounts set note = 'x'")
        self.app.execute("insert into events(kind) values ('a')")
        plan = self.app.json("plan")
        self.assertIsNone(self.app.table(plan, "accounts")["bytes_billed"])
        self.assertEqual(0, self.app.table(plan, "events")["bytes_billed"])
        _, out, _ = self.app.run("plan")
        self.assertIn("; about 0.0 MiB billed, and what 1 more table bills is not known yet\n", out)
        self.assertNotIn("this month", out)
        self.app.sync()
        self.app.execute("update accounts set note = 'y'")
        plan = self.app.json("plan")
        self.assertEqual(LEAST, self.app.table(plan, "accounts")["bytes_billed"])
        self.assertEqual((LEAST, LEAST), (plan["bytes_billed_today"], plan["bytes_billed_month"]))
        self.assertEqual(0, plan["usd_month_projected"])
        _, out, _ = self.app.run("plan")
        self.assertRegex(out, r"\n~ accounts +merge .* 10\.0 MiB ")
        self.assertIn("; about 10.0 MiB billed\n", out)
        self.assertRegex(out, r"billed       10\.0 MiB today, 10\.0 MiB this month \(\$0\.00\); \d+\.0 MiB a month"
                              r" \(\$0\.00\) if each day bills what the last 12\.0 hours have\n")

    def test_status_for_people_tells_it_for_each_table(self):
        self.app.execute("update accounts set note = 'x'")
        self.assertRegex(self.app.run("sync")[1], r"\nrun \S+ ok in \d+\.\d s, billed 10\.0 MiB\n$")
        self.app.execute("insert into bq_sync_billed(table_name, day, bytes, queries)"
                         " values ('accounts', date(?, '-1 day'), ?, 1)", (self.today, LEAST))
        _, out, _ = self.app.run("status")
        self.assertRegex(out, r"last run .*, billed 10\.0 MiB \(")
        month = "20" if self.today[8:] != "01" else "10"
        self.assertRegex(out, rf"\naccounts .* 10\.0 MiB +{month}\.0 MiB\n")
        self.assertRegex(out, r"\ndevices .* 0\.0 MiB +0\.0 MiB\n")
        self.assertIn(" a month ($0.00) at the rate of the last 1.5 days\n", out)
        self.assertAlmostEqual(1.5, self.app.json("status")["projected_from_days"], 2)

    def test_dollars_begin_after_the_first_tib_of_the_month(self):
        self.app.execute("insert into bq_sync_billed(table_name, day, bytes, queries) values ('accounts', ?, ?, 1)",
                         (self.today, 3 << 40))
        self.assertEqual(12.5, self.app.json("status")["usd_month"])
        self.assertEqual(8, self.app.json("status", BQ_PRICE_PER_TIB="4")["usd_month"])
        self.assertGreater(self.app.json("status")["usd_month_projected"], 12.5)


class Examples(Cost):
    """Those of docs/cost.md."""

    def test_tables_with_few_changes_bill_10_mb_each(self):
        self.app.execute("update accounts set note = 'x'")
        self.app.execute("update devices set online = 0")
        self.app.execute("update memberships set role = 'x'")
        billed = self.app.sync()["bytes_billed"] // 3
        self.assertEqual(10 * MIB, billed)
        self.assertEqual(20.6, round(billed * 22 * 96 / 2 ** 30, 1))
        # A month of 30 days fits into the free TiB.
        self.assertLess(billed * 22 * 96 * 30, 2 ** 40)

    def test_a_large_table_is_read_between_its_changed_rows(self):
        self.make_large()
        size = 25 * 1000000
        self.app.execute("update accounts set note = 'uno' where id = 200")
        self.assertEqual(10 * MIB, self.app.sync()["bytes_billed"])
        self.app.execute("update accounts set note = 'due' where id in (1, 200)")
        billed = self.app.sync()["bytes_billed"]
        self.assertGreater(billed, 1.9 * size)
        self.assertLess(billed, 2.2 * size)

    def test_a_budget_lets_two_of_three_tables_pass(self):
        for number in range(3):
            self.app.execute("update accounts set note = ?", (str(number),))
            self.app.execute("update devices set online = ?", (number % 2,))
            self.app.execute("update memberships set role = ?", (str(number),))
            self.app.json("sync", status=1, BQ_MAX_BYTES_BILLED_PER_DAY="25M")
        self.assertEqual(20 * MIB, self.billed_by_bigquery())


if __name__ == "__main__":
    unittest.main()

"""Tables of more partitions than one job of BigQuery may change."""

import pathlib
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

LIVES = pathlib.Path(__file__).resolve().parent.parent / "schemas" / "lives"
DEFINITIONS = {definition["table"]: definition for definition in mirror.load_definitions(LIVES)}
SCHEMA = """
create table logged_days(id integer primary key, day text, note text);
create table logged_hours(id integer primary key, at integer not null, payload text);
create table logged_months(id integer primary key, at text);
create table logged_numbers(id integer primary key, n integer);
"""
# So many rows with a day of their own, the last of them with none; 11 years are 4,018 days.
DAYS = """
with recursive n(x) as (select 0 union all select x + 1 from n where x < {last})
insert into logged_days select x + {id}, date('{first}', x || ' days'), null from n;
"""
HOURS = """
with recursive n(x) as (select 0 union all select x + 1 from n where x < {last})
insert into logged_hours select x + {id}, 1700000000 + x * 3600, '[67.174118]' from n;
"""
ELEVEN_YEARS = DAYS.format(id=1, first="1965-01-01", last=4017)


class PartitionsTest(unittest.TestCase):
    bqlocal = ()
    settings: dict = {}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], args=list(self.bqlocal)))
        self.app = self.enterContext(Deployment(self.bq, "bqsync_lives", schema=SCHEMA, environment=self.settings))

    def sync(self, *tables):
        """Syncs; what the run says of the only table."""
        run = self.app.sync(*tables)
        return self.app.table(run, tables[0])

    def assert_equal(self, table):
        source = mirror.open_source(str(self.app.path))
        try:
            report = mirror.compare_table(source, mirror.Endpoint(self.bq.url, "p", "d"), DEFINITIONS[table])
        finally:
            source.close()
        self.assertTrue(report.equal, str(report))

    def inserts(self):
        """How many statements of the latest script inserted rows."""
        jobs = self.bq.get("/bigquery/v2/projects/p/jobs?projection=full&maxResults=1000&allUsers=true")["jobs"]
        scripts = [job["configuration"]["query"]["query"] for job in jobs if "query" in job["configuration"]
                   and "truncate table" in job["configuration"]["query"]["query"]]
        return scripts[0].count("insert into") if scripts else 0

    def test_plan_and_status_do_not_guess_how_many_partitions_a_day_changes(self):
        self.app.execute("insert into logged_days values (1, '2024-01-01', 'a')")
        self.sync("logged_days")
        for command in ("plan", "logged_days"), ("status",):
            for daily, expected in ("03:00", None), ("off", 0):
                with self.subTest(command[0], daily=daily):
                    report = self.app.json(*command, BQ_SYNC_INTERVAL="off", BQ_SYNC_DAILY_AT=daily)
                    self.assertEqual(expected, self.app.table(report, "logged_days")["modifications_a_day"])

    def test_a_check_counts_a_partition_for_each_load_of_the_schedule(self):
        # Tables of other tests are not in this source.
        checks = {one["name"]: one["message"] for one in self.app.json("check", status=1, BQ_SYNC_INTERVAL="2s")["checks"]}

        self.assertIn("43201 loads a day, BigQuery allows 30000 changed partitions for a table",
                      checks["schedule logged_hours"])
        self.assertNotIn("schedule logged_days", checks)

    def test_eleven_years_of_days_are_filled_and_replaced_by_one_transaction(self):
        self.app.script(ELEVEN_YEARS + "insert into logged_days values (9001, null, 'no day'), (9002, null, 'x');")

        days = self.sync("logged_days")

        self.assertEqual(("synced", "replace", 4020), (days["status"], days["mode"], days["rows_inserted"]))
        self.assertEqual(2, self.inserts() - ("BQ_SYNC_ATOMIC" in self.settings))
        self.assert_equal("logged_days")

        self.app.script("update logged_days set day = date(day, '2 days'), note = 'moved' where id % 2")
        run = self.app.sync("--full", "logged_days")
        self.assertEqual(4020, self.app.table(run, "logged_days")["rows_inserted"])
        self.assert_equal("logged_days")
        self.assertEqual([], [name for name in self.bq.tables("d") if "staging" in name])

    def test_a_merge_of_few_days_stays_a_merge(self):
        self.app.script(ELEVEN_YEARS)
        self.sync("logged_days")
        self.app.script("update logged_days set note = 'x' where id <= 3000; delete from logged_days where id > 4000")

        days = self.sync("logged_days")

        self.assertEqual(("merge", 3000, 18), (days["mode"], days["rows_updated"], days["rows_deleted"]))
        self.assert_equal("logged_days")

    def test_a_merge_of_many_days_becomes_a_replacement(self):
        self.app.script(ELEVEN_YEARS)
        self.sync("logged_days")
        self.app.script("update logged_days set note = 'x'")

        days = self.sync("logged_days")

        self.assertEqual(("synced", "replace", 4018), (days["status"], days["mode"], days["rows_inserted"]))
        self.assert_equal("logged_days")

    def test_a_merge_that_deletes_in_many_days_becomes_one_when_bigquery_refuses_it(self):
        self.app.script(ELEVEN_YEARS + DAYS.format(id=10000, first="2024-01-01", last=20))
        self.sync("logged_days")
        self.app.script("delete from logged_days where id < 10000")

        days = self.sync("logged_days")

        self.assertEqual(("synced", "replace", 21), (days["status"], days["mode"], days["rows_inserted"]))
        self.assert_equal("logged_days")

    def test_where_bigquery_says_it_in_other_words_a_replacement_by_hand_still_helps(self):
        self.app.script(ELEVEN_YEARS + DAYS.format(id=10000, first="2024-01-01", last=20))
        self.sync("logged_days")
        before = len(self.bq.rows("d", "logged_days"))
        self.app.script("delete from logged_days where id < 10000")
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "resourcesExceeded", "count": 0,
                        "message": "Resources exceeded: partitions"})
        for _ in range(2):
            days = self.app.table(self.app.sync("logged_days", status=1), "logged_days")
            self.assertIn("Resources exceeded: partitions", days["error"]["message"])
            self.assertEqual(before, len(self.bq.rows("d", "logged_days")))

        self.bq.clear_faults()

        self.assertEqual("replace", self.app.table(self.app.sync("logged_days", "--full"), "logged_days")["mode"])
        self.assert_equal("logged_days")

    def test_a_replacement_in_parts_that_fails_is_told_and_the_target_keeps_its_rows(self):
        self.app.script(ELEVEN_YEARS)
        self.sync("logged_days")
        before = sorted(row["id"] for row in self.bq.rows("d", "logged_days"))
        self.app.script("delete from logged_days where id = 1")
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "invalidQuery", "count": 0,
                        "message": "too much for one script"})

        days = self.app.table(self.app.sync("logged_days", "--full", status=1), "logged_days")

        self.assertEqual("failed", days["status"])
        self.assertIn("too much for one script", days["error"]["message"])
        self.assertEqual(before, sorted(row["id"] for row in self.bq.rows("d", "logged_days")))

    def test_167_days_of_hours_are_filled_and_added_to(self):
        self.app.script(HOURS.format(id=1, last=167 * 24 - 1))
        self.assertEqual(4008, self.sync("logged_hours")["rows_inserted"])
        self.assert_equal("logged_hours")

        self.app.script(HOURS.format(id=5000, last=4007))
        self.assertEqual("replace", self.sync("logged_hours")["mode"])
        self.assert_equal("logged_hours")

        self.app.script(HOURS.format(id=10000, last=100))
        self.assertIn(self.sync("logged_hours")["mode"], ("append", "merge"))
        self.assert_equal("logged_hours")

    def test_months_before_1970_and_ranges_with_what_is_outside_of_them(self):
        with self.app.connect() as db:
            db.executemany("insert into logged_months values (?, ?)",
                           [(n, f"{1600 + n // 12}-{n % 12 + 1:02}-{28 - n % 3}T23:59:59.999999")
                            for n in range(7300)] + [(8000, None)])
            db.executemany("insert into logged_numbers values (?, ?)",
                           [(n + 1, -100 + n * 9) for n in range(9000)] + [(9999, None), (10000, -2**63)])
        for table, parts in (("logged_months", 3), ("logged_numbers", 3)):
            with self.subTest(table):
                self.assertEqual("synced", self.sync(table)["status"])
                self.assertEqual(parts, self.inserts() - ("BQ_SYNC_ATOMIC" in self.settings))
                self.assert_equal(table)

    def assert_kept(self, run, rejected):
        """All rows are there; the rejected one as it was synced before."""
        self.assertEqual(("synced", "replace", rejected), (run["status"], run["mode"], run["rows_rejected"]))
        rows = {row["id"]: (str(row["day"]), row["note"]) for row in self.bq.rows("d", "logged_days")}
        expected = dict((row[0], row[1:]) for row in self.app.execute("select id, day, note from logged_days"))
        self.assertEqual({**expected, 7: ("1965-01-07", None)}, rows)

    def test_a_replacement_in_parts_leaves_the_version_of_a_row_that_does_not_fit(self):
        self.app.script(ELEVEN_YEARS)
        self.sync("logged_days")
        self.app.script("update logged_days set note = 'x'; update logged_days set day = 'never' where id = 7")

        self.assert_kept(self.app.table(self.app.sync("logged_days", status=1), "logged_days"), 1)
        self.app.script("delete from logged_days where id = 100")
        self.assert_kept(self.app.table(self.app.sync("--full", "logged_days", status=1), "logged_days"), 1)
        self.assertEqual([], [name for name in self.bq.tables("d") if "staging" in name])

    def test_one_that_bigquery_refuses_for_the_partitions_it_empties_goes_in_parts(self):
        self.app.script(ELEVEN_YEARS)
        self.sync("logged_days")
        self.app.script("delete from logged_days where id not in (7, 8); update logged_days set day = 'never' "
                        "where id = 7; update logged_days set day = '2024-01-01', note = 'y' where id = 8")

        self.assert_kept(self.app.table(self.app.sync("--full", "logged_days", status=1), "logged_days"), 1)

    def test_more_than_10000_partitions_are_refused_before_anything_is_sent(self):
        self.app.script(DAYS.format(id=1, first="1990-01-01", last=10000))

        run = self.app.sync("logged_days", status=1)

        error = self.app.table(run, "logged_days")["error"]
        self.assertEqual("schema", error["code"])
        self.assertEqual(
            "logged_days: its rows lie in more than 10000 partitions of its target by DAY of day, and a table of "
            "BigQuery has no more. Let `partition_by` in schemas/logged_days.json name MONTH or YEAR",
            error["message"])
        self.assertEqual([], self.bq.rows("d", "logged_days"))
        self.app.script("delete from logged_days where id = 1")
        self.assertEqual(10000, self.sync("logged_days")["rows_inserted"])

    def test_a_table_that_fills_up_says_so_too(self):
        self.app.script(DAYS.format(id=1, first="1990-01-01", last=9999))
        self.sync("logged_days")
        self.app.script(DAYS.format(id=20000, first="2020-01-01", last=9))

        run = self.app.sync("logged_days", status=1)

        self.assertIn("more than 10000 partitions", self.app.table(run, "logged_days")["error"]["message"])


class AtomicPartitionsTest(PartitionsTest):
    settings = {"BQ_SYNC_ATOMIC": "1"}


class ScannedPartitionsTest(PartitionsTest):
    settings = {"BQ_CAPTURE": "manual"}


class TextPartitionsTest(PartitionsTest):
    """JSON goes as text."""

    bqlocal = ("--json-numbers", "refuse")


if __name__ == "__main__":
    unittest.main()

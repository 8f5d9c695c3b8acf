"""A MERGE reads only the partitions that its rows name, if their column is declared immutable, and is exact if it is not."""

import contextlib
import pathlib
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

LEAST = 10 << 20
ROWS, DAYS = 6000, 40
SCHEMA = "create table logged_days(id integer primary key, day text, note text)"
DAY = f"date('2024-01-01', (i % {DAYS}) || ' days')"
LIVES = pathlib.Path(__file__).resolve().parent.parent / "schemas" / "lives"
DEFINITION = next(found for found in mirror.load_definitions(LIVES) if found["table"] == "logged_days")
# Rows of one day, from the first to the last key.
SOME = f"id % {DAYS} = 7 and id / {DAYS} % 5 = 0"
WARNING = "was not found in BigQuery by the immutable column"


class ImmutableColumnTest(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_lives", schema=SCHEMA, state=self.state))
        self.app.execute(f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS})"
                         f" insert into logged_days select i, {DAY}, hex(zeroblob(2000)) from n")
        self.app.run("sync", "logged_days")

    def sync(self, *statements):
        """Syncs these changes; both sides are equal then. What was logged."""
        for sql in statements:
            self.app.execute(sql)
        status, _, log = self.app.run("sync", "logged_days")
        self.assertEqual(0, status, log)
        with contextlib.closing(mirror.open_source(str(self.app.path))) as source:
            compared = mirror.compare_table(source, mirror.Endpoint(self.bq.url, "p", "d"), DEFINITION, {})
        self.assertTrue(compared.equal, str(compared))
        return log

    def billed(self, *statements):
        """What a sync of these changes is billed, and whether it warned."""
        before = self.total()
        warned = WARNING in self.sync(*statements)
        return self.total() - before, warned

    def total(self):
        return sum(int(job["statistics"].get("query", {}).get("totalBytesBilled", 0))
                   for job in self.bq.get("jobs?maxResults=1000&projection=full")["jobs"]
                   if "MERGE" == job["statistics"].get("query", {}).get("statementType")
                   and "errorResult" not in job["status"])

    def test_rows_of_one_day_are_changed_for_the_least_bill(self):
        self.assertEqual((LEAST, False), self.billed(f"update logged_days set note = 'x' where {SOME}"))
        # With new rows of that day, too.
        self.assertEqual((LEAST, False), self.billed(
            f"update logged_days set note = 'y' where {SOME}",
            f"insert into logged_days select {ROWS + 1}, day, 'new' from logged_days where id = 7"))

    def test_deleted_rows_have_no_day_so_that_all_days_are_read(self):
        billed, warned = self.billed(f"update logged_days set note = 'x' where {SOME}", "delete from logged_days where id = 3")

        self.assertGreater(billed, 3 * LEAST)
        self.assertFalse(warned)

    def test_rows_without_a_day_are_read_in_all_days(self):
        self.sync("update logged_days set day = null where id = 7")
        billed, warned = self.billed(f"update logged_days set note = 'x' where {SOME}")

        self.assertGreater(billed, 3 * LEAST)
        self.assertFalse(warned)

    def test_a_changed_day_is_merged_without_bounds_and_warned_of(self):
        billed, warned = self.billed("update logged_days set day = '2025-01-01', note = 'x' where id = 47")

        self.assertGreater(billed, LEAST)
        self.assertTrue(warned)
        self.assertEqual((LEAST, False), self.billed("update logged_days set note = 'y' where id = 47"))

    def test_a_row_that_takes_the_place_of_another_is_never_beside_it(self):
        for statements in (["replace into logged_days values (87, '2025-02-01', 'x')"],
                           ["delete from logged_days where id = 127", "insert into logged_days values (127, '2025-02-02', 'x')"],
                           [f"delete from logged_days where id = {ROWS}", f"insert into logged_days values ({ROWS}, '2025-02-03', 'x')"],
                           ["update or replace logged_days set id = 167 where id = 170",
                            "insert into logged_days values (170, '2024-02-01', 'back')"]):
            with self.subTest(statements):
                self.sync(*statements)

    def test_a_day_that_nobody_saw_change_is_found_out(self):
        # By hand in BigQuery: no trigger of the source can know.
        self.bq.query("update d.logged_days set day = '2030-01-01' where id = 207 and day >= '2000-01-01'")
        _, warned = self.billed("update logged_days set note = 'x' where id = 207")
        self.assertTrue(warned)

    def test_a_row_below_the_highest_key_that_is_new_arrives(self):
        self.sync("insert into logged_days values (-5, '2024-01-05', 'low')", "update logged_days set note = 'x' where id = 7")

    def test_a_transaction_has_no_such_bounds(self):
        self.app.execute("update logged_days set day = '2025-01-01' where id = 47")
        self.app.run("sync", "logged_days", BQ_SYNC_ATOMIC="1")
        self.sync()


class ScanTest(ImmutableColumnTest):
    """A scan does not tell what a row was before, so nothing is bounded, and nothing has to be warned of."""

    state = "state.db"

    def billed(self, *statements):
        billed, warned = super().billed(*statements)
        self.assertFalse(warned)
        return billed, warned

    def test_rows_of_one_day_are_changed_for_the_least_bill(self):
        self.assertGreater(self.billed(f"update logged_days set note = 'x' where {SOME}")[0], 3 * LEAST)

    def test_a_changed_day_is_merged_without_bounds_and_warned_of(self):
        self.billed("update logged_days set day = '2025-01-01', note = 'x' where id = 47")

    def test_a_day_that_nobody_saw_change_is_found_out(self):
        self.bq.query("update d.logged_days set day = '2030-01-01' where id = 207 and day >= '2000-01-01'")
        self.billed("update logged_days set note = 'x' where id = 207")


if __name__ == "__main__":
    unittest.main()

"""What BigQuery bills is added up in the state database, and a day's budget is never exceeded."""

import datetime
import unittest

from tests.support import killing
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

MIB = 2 ** 20
LEAST = 10 * MIB


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


class Cost(unittest.TestCase):
    environment = {}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, environment=self.environment))
        self.app.script("insert into accounts(email) values ('a@x'), ('b@x');"
                        "insert into devices values ('d1', 1, 2);"
                        "insert into memberships values ('t', 'p', 'r', null);")
        self.app.sync()

    def billed_by_bigquery(self):
        """By all jobs that bqlocal has run, however they were started."""
        jobs = self.bq.get("jobs?projection=full&allUsers=true&maxResults=1000")["jobs"]
        return sum(int(job["statistics"].get("query", {}).get("totalBytesBilled", 0)) for job in jobs)

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
        self.assertEqual([(today(),)], self.app.execute("select day from bq_sync_billed"))

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


if __name__ == "__main__":
    unittest.main()

"""What a dataset wishes upon the tables in it must not change the mirror."""

import unittest

from tests.e2e.test_bad_cases import BadCase

DATASET = "/bigquery/v2/projects/p/datasets/d"


class DatasetDefaultsTest(BadCase):
    def default(self, **resource):
        self.bq.patch(DATASET, resource)

    def test_keys_that_differ_in_case_stay_two_under_a_default_collation(self):
        self.default(defaultCollation="und:ci")
        self.app.execute("insert into devices values ('a', 1, 1.5), ('A', 0, 2.5)")
        self.app.sync()
        self.assert_equal()

        self.app.execute("update devices set reading = 3.5 where serial = 'a'")
        self.assert_fixed()
        self.app.execute("delete from devices where serial = 'A'")
        self.assert_fixed()

    def test_a_target_with_a_collated_key_is_refused(self):
        self.bq.post(f"{DATASET}/tables", {
            "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "devices"},
            "schema": {"fields": [
                {"name": "serial", "type": "STRING", "mode": "REQUIRED", "collation": "und:ci"},
                {"name": "online", "type": "BOOL"}, {"name": "reading", "type": "FLOAT64"}]}})

        self.table_fails("devices", "devices.serial", "und:ci", "drop table")

    def test_targets_outlive_a_default_expiration(self):
        self.default(defaultTableExpirationMs="3600000")
        _, _, log = self.app.run("sync")

        for table in self.bq.tables("d"):
            self.assertNotIn("expirationTime", self.bq.table("d", table), table)
        self.assertIn("the dataset lets new tables expire", log)

    def test_an_existing_target_that_would_expire_is_kept_and_a_warning_says_so(self):
        self.app.sync()
        self.bq.patch(f"{DATASET}/tables/accounts", {"expirationTime": "33333333333333"})

        _, _, log = self.app.run("sync")

        self.assertNotIn("expirationTime", self.bq.table("d", "accounts"))
        self.assertIn("the target would have expired", log)
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

    def test_partitions_that_expire_are_warned_of_at_each_pass(self):
        self.app.sync()
        made = self.bq.table("d", "events")
        self.bq.delete(f"{DATASET}/tables/events")
        self.bq.post(f"{DATASET}/tables", {
            "tableReference": made["tableReference"], "schema": made["schema"],
            "timePartitioning": {"type": "DAY", "field": "at", "expirationMs": "3600000"}})

        for _ in range(2):
            _, _, log = self.app.run("sync")
            self.assertIn("partitions of the target expire", log)
        self.assertEqual("3600000", self.bq.table("d", "events")["timePartitioning"]["expirationMs"])


if __name__ == "__main__":
    unittest.main()

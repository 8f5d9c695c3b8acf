"""Targets that are not what they were at the last sync, although no row has changed in SQLite."""

import unittest

from tests.e2e.test_bad_cases import BadCase


class TargetChangesTest(BadCase):
    def setUp(self):
        super().setUp()
        self.app.sync()

    def patch(self, table, **resource):
        self.bq.patch(f"/bigquery/v2/projects/p/datasets/d/tables/{table}", resource)

    def requests_of_an_idle_pass(self):
        self.bq.clear_requests()
        run = self.app.sync()
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        return [(request["method"], request["path"].split("?")[0].rsplit("/", 1)[-1])
                for request in self.bq.requests()]

    def test_a_table_restored_to_an_older_version_is_replaced(self):
        old = self.bq.table("d", "accounts")["labels"]["bqsync_generation"]
        self.app.execute("update accounts set note = 'newer' where id = 1")
        self.app.sync()
        # Time travel brings rows and labels back.
        self.bq.query("update d.accounts set note = 'one' where id = 1")
        self.patch("accounts", labels={"bqsync_generation": old})

        self.assert_fixed("replace")

        self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())

    def test_a_definition_with_another_shape_is_brought_in_line_without_rows(self):
        for table in ("accounts", "events", "settings"):
            with self.subTest(table=table):
                self.patch(table, labels={"bqsync_shape": "older"}, description="older")

                requests = self.requests_of_an_idle_pass()

                self.assertEqual([("GET", "tables"), ("GET", table), ("PATCH", table)], requests)
                self.assertNotEqual("older", self.bq.table("d", table).get("description"))
                self.assertEqual([("GET", "tables")], self.requests_of_an_idle_pass())
                self.assert_equal()

    def test_a_column_that_is_missing_where_the_shape_differs_is_filled_again(self):
        self.bq.query("alter table d.accounts drop column note")
        self.patch("accounts", labels={"bqsync_shape": "older"})

        self.assert_fixed("replace")


if __name__ == "__main__":
    unittest.main()

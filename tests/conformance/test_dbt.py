"""dbt, unmodified, keeps an incremental model and tests it on bqlocal."""

import decimal
import json
import pathlib
import shutil
import tempfile
import unittest

from tests.conformance.emitted import Packages
from tests.support import foreign
from tests.support.bqlocal import Bqlocal

HERE = foreign.CONFORMANCE / "clients" / "dbt"
TESTS = {"unique_orders_id", "not_null_orders_id", "relationships_orders_customer__customer__ref_customers_",
         "accepted_values_orders_customer__ann__bob__cid", "unique_customers_customer", "not_null_customers_customer"}


class DbtTest(unittest.TestCase):
    def setUp(self):
        self.packages = Packages("dbt")
        self.project = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "shop"
        shutil.copytree(HERE, self.project)
        self.bq = self.enterContext(Bqlocal(project="dbt-project", datasets=["mirror", "marts"]))

    def build(self, **variables):
        """Runs `dbt build`; its exit status, and the status and message of each model and test."""
        ended = self.packages.run(
            "from dbt.cli.main import cli; cli()", "build", "--vars", json.dumps(variables), cwd=self.project,
            timeout=400, env={"BQLOCAL_URL": self.bq.url, "BQLOCAL_PROJECT": self.bq.project, "DBT_PROFILES_DIR": ".",
                              "no_proxy": "*"})
        results = self.project / "target" / "run_results.json"
        self.assertTrue(results.exists(), ended.stdout[-4000:] + ended.stderr[-4000:])
        by_name = {one["unique_id"].split(".")[2]: (one["status"], one["message"])
                   for one in json.loads(results.read_text())["results"]}
        results.unlink()
        return ended.returncode, by_name

    def statuses(self, results, status):
        return {name for name, (had, _) in results.items() if had == status}

    def rows(self, table, *columns):
        return sorted(tuple(row[column] for column in columns) for row in self.bq.rows("marts", table))

    def test_an_incremental_model_is_built_merged_and_tested(self):
        self.bq.query("create table mirror.orders (id int64 not null, customer string, amount numeric, changed timestamp)")
        self.bq.query("insert into mirror.orders values (1, 'ann', 1.5, timestamp '2026-01-01 00:00:00'), "
                      "(2, 'bob', 2, timestamp '2026-01-02 00:00:00')")
        with self.subTest("the first run"):
            status, results = self.build()
            self.assertEqual((0, TESTS), (status, self.statuses(results, "pass")), results)
            self.assertEqual([(1, "ann", decimal.Decimal("1.5")), (2, "bob", 2)],
                             self.rows("orders", "id", "customer", "amount"))
            made = self.bq.table("marts", "orders")
            self.assertEqual(('The orders: it\'s "all" of them.', {"team": "sales"}, {"type": "DAY", "field": "changed"},
                              {"fields": ["id"]}, "the key"),
                             (made["description"], made["labels"], made["timePartitioning"], made["clustering"],
                              made["schema"]["fields"][0]["description"]))

        self.bq.query("update mirror.orders set amount = 9, changed = timestamp '2026-01-05 00:00:00' where id = 1")
        self.bq.query("insert into mirror.orders values (3, 'cid', 4, timestamp '2026-01-06 00:00:00')")
        # Older than what the model has seen, so it has to stay away.
        self.bq.query("update mirror.orders set amount = 7 where id = 2")
        with self.subTest("a second run with changed and new rows and a new column"):
            status, results = self.build(with_note=True)
            self.assertEqual((0, TESTS), (status, self.statuses(results, "pass")), results)
            self.assertEqual([(1, "ann", 9, "order 1"), (2, "bob", 2, None), (3, "cid", 4, "order 3")],
                             self.rows("orders", "id", "customer", "amount", "note"))
            self.assertEqual([("ann", 1, 9), ("bob", 1, 2), ("cid", 1, 4)],
                             self.rows("customers", "customer", "orders", "total"))
            self.assertEqual(["customers", "orders"], self.bq.tables("marts"))

        self.bq.query("insert into marts.orders (id, customer) values (3, 'dan'), (null, 'ann')")
        with self.subTest("rows that break the tests, and a view"):
            status, results = self.build(with_note=True, with_view=True)
            self.assertEqual(1, status, results)
            self.assertEqual({"unique_orders_id", "not_null_orders_id", "accepted_values_orders_customer__ann__bob__cid"},
                             self.statuses(results, "fail"), results)
            # The tests of a model hold back what is built from it.
            self.assertIn("customers", self.statuses(results, "skipped"), results)
            self.assertEqual({"looking", "orders"}, self.statuses(results, "success"), results)
            self.assertEqual([{"id": 1}], self.bq.query("select * from marts.looking"))


if __name__ == "__main__":
    unittest.main()

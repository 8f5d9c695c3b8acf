"""JSON: what changes in BigQuery is rejected, and a number that a load refuses goes as text."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

# Held exactly by FLOAT64, but not printed as the same number by Google's printer.
ODD = "[67.174118, 1685019801.1016695]"
ODD_THERE = "[67.17411800000001,1685019801.1016696]"


class JsonTest(unittest.TestCase):
    def start(self, numbers, **environment):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], args=["--json-numbers", numbers]))
        self.app = self.enterContext(Deployment(self.bq, environment=environment))

    def documents(self, table="everything", column="j"):
        return {row["id"]: row[column] for row in self.bq.rows("d", table)}

    def uploads(self):
        """The phases of the load jobs so far, oldest first, and the types that they gave JSON columns."""
        jobs = self.bq.get("/bigquery/v2/projects/p/jobs?projection=full")["jobs"]
        loads = [job["configuration"] for job in reversed(jobs) if "load" in job["configuration"]]
        return [(load["labels"]["phase"], *(field["type"] for field in load["load"]["schema"]["fields"]
                                            if field["name"] in ("j", "payload"))) for load in loads]

    def test_json_that_would_change_is_rejected(self):
        self.start("round")
        self.app.execute("""insert into everything(id, j) values (1, '[18446744073709551616]'), (2, '{"a": 1, "a": 2}'),
                            (3, '[0.10000000000000000001]'), (4, ?), (5, '1.50')""", (ODD,))

        self.app.sync("everything", status=1)

        self.assertEqual({4: ODD_THERE, 5: "1.5"}, self.documents())
        self.assertEqual({1: "is JSON with an integer beyond 64 bits", 2: "is JSON with a member named twice",
                          3: "is JSON with a number that FLOAT64 cannot hold exactly"},
                         {reject["key"]["id"]: reject["reason"] for reject in self.app.json("rejects")["rejects"]})

    def test_a_number_that_a_load_refuses_goes_by_staging_as_text_from_then_on(self):
        self.start("refuse")
        self.app.execute("insert into everything(id, j) values (1, ?), (2, '{\"b\": 1, \"a\": 2}'), (3, null)", (ODD,))

        first = self.app.sync("everything")
        self.app.script("update everything set j = '[67.174118]' where id = 2;"
                        "insert into everything(id, j) values (4, '0.5'); delete from everything where id = 3")
        self.app.sync("everything")
        self.app.run("reset", "everything")
        self.app.sync("everything")

        self.assertEqual(["replace", 3], [first["tables"][0][key] for key in ("mode", "rows_inserted")])
        self.assertEqual({1: ODD_THERE, 2: "[67.17411800000001]", 4: "0.5"}, self.documents())
        self.assertEqual([("replace", "JSON"), ("load", "STRING"), ("load", "STRING"), ("load", "STRING")],
                         self.uploads())
        self.assertTrue(self.app.json("verify", "everything")["ok"])
        self.assertEqual(["everything"], self.bq.tables("d"))

    def test_an_append_table_keeps_its_mode_and_is_merged(self):
        self.start("refuse")
        self.app.execute("insert into events(kind, payload) values ('a', '1')")
        self.app.sync("events")
        for kind in "bc":
            self.app.execute("insert into events(kind, payload) values (?, ?)", (kind, ODD))
            self.app.sync("events")

        self.assertEqual({1: "1", 2: ODD_THERE, 3: ODD_THERE}, self.documents("events", "payload"))
        # From then on the rows travel in a MERGE, which parses them.
        self.assertEqual([("replace", "JSON"), ("append", "JSON")], self.uploads())

    def test_a_transaction_takes_it_as_text_too(self):
        self.start("refuse", BQ_SYNC_ATOMIC="1")
        self.app.script("insert into everything(id, j) values (1, '67.174118');"
                        "insert into events(kind, payload) values ('a', '1')")

        self.app.sync("everything", "events")

        self.assertEqual({1: "67.17411800000001"}, self.documents())
        self.assertEqual({1: "1"}, self.documents("events", "payload"))

    def test_tables_whose_numbers_print_again_are_loaded_as_json(self):
        self.start("refuse")
        self.app.execute("insert into everything(id, j) values (1, '[1.5, 18446744073709551615]')")

        self.app.sync("everything")

        self.assertEqual([("replace", "JSON")], self.uploads())


if __name__ == "__main__":
    unittest.main()

"""GEOGRAPHY: WKT on its way into the warehouse, what is refused, and what verify can say about it."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class GeographyTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def places(self):
        return {row["id"]: row["g"] for row in self.bq.rows("d", "everything")}

    def load_types(self):
        """The type of column g in the schema of each load job."""
        jobs = self.bq.get("/bigquery/v2/projects/p/jobs?projection=full")["jobs"]
        loads = [job["configuration"]["load"] for job in jobs if "load" in job["configuration"]]
        return [field["type"] for load in loads for field in load.get("schema", {}).get("fields", [])
                if field["name"] == "g"]

    def test_wkt_is_replaced_and_merged_under_a_schema_that_names_the_type(self):
        self.app.execute("insert into everything(id, g) values (1, 'POINT(77.59 12.97)'), (2, null)")
        self.app.sync("everything")
        self.assertEqual({1: "POINT(77.59 12.97)", 2: None}, self.places())

        self.app.script("update everything set g = 'POINT(0 0)' where id = 1;"
                        "insert into everything(id, g) values (3, 'LINESTRING(0 0, 1 1)')")
        self.app.sync("everything")

        self.assertEqual({1: "POINT(0 0)", 2: None, 3: "LINESTRING(0 0, 1 1)"}, self.places())
        self.assertEqual(["GEOGRAPHY", "GEOGRAPHY"], self.load_types())

    def test_what_is_not_wkt_is_rejected_with_its_row(self):
        self.app.execute("insert into everything(id, g) values (1, 'POINT(1 2)'), (2, 'Main Street'), (3, 12.97)")

        self.app.sync("everything", status=1)

        self.assertEqual({1: "POINT(1 2)"}, self.places())
        reasons = sorted(reject["reason"] for reject in self.app.json("rejects")["rejects"])
        self.assertEqual(["is not WKT: it does not begin with a type such as POINT", "is not a text"], reasons)

    def test_verify_tells_null_from_a_geography_and_no_more(self):
        self.app.execute("insert into everything(id, g) values (1, 'POINT(1 2)'), (2, 'POINT(3 4)')")
        self.app.sync("everything")
        self.bq.load("d", "everything", b'{"id": 3, "g": "POINT(5 6)"}', sourceFormat="NEWLINE_DELIMITED_JSON",
                     schema={"fields": [{"name": "id", "type": "INT64", "mode": "REQUIRED"},
                                        {"name": "g", "type": "GEOGRAPHY"}]})

        self.bq.query("update d.everything set g = null where id = 2")
        self.bq.query("update d.everything set g = (select s.g from d.everything as s where s.id = 3) where id = 1")
        self.bq.query("delete from d.everything where id = 3")
        table, = self.app.json("verify", "everything", status=1)["tables"]

        self.assertEqual("POINT(5 6)", self.places()[1])
        self.assertEqual([2], table["different"])


if __name__ == "__main__":
    unittest.main()

"""What a deployment shows where BigQuery is not as docs/conformance.md assumes: a failure or a difference, never
silence."""

import unittest

from tests.e2e.test_bad_cases import BadCase

EVERYTHING = """insert into everything(id, s, dt, j) values
 (1, 'a', '2024-02-29 01:02:03', '-0.0'), (2, 'b', '2024-02-29 01:02:03', '[1]'), (3, 'c', null, null)"""


class BeliefsTest(BadCase):
    def setUp(self):
        super().setUp()
        self.app.execute(EVERYTHING)
        self.app.sync()

    def difference(self, table, kind):
        """The keys of that kind that verify names; the only difference."""
        report = self.app.json("verify", table, status=1)["tables"][0]
        found = {name for name in ("missing", "extra", "different", "duplicated") if report[f"{name}_count"] > 0}
        self.assertEqual({kind}, found)
        return report[kind]

    def test_a_load_that_bigquery_refuses_is_told_and_the_target_keeps_its_rows(self):
        words = "Field id has changed mode from REQUIRED to NULLABLE"
        before = {table: self.bq.rows("d", table) for table in ("events", "settings", "everything")}
        self.app.script("insert into events(kind) values ('c'); update settings set value = 'light';"
                        "update everything set s = 'x'")
        self.app.run("reset", "everything")
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "invalid", "message": words, "count": 0})

        for _ in range(2):
            run = self.app.sync(status=1)
            for table, rows in before.items():
                with self.subTest(table=table):
                    self.assertEqual("failed", self.app.table(run, table)["status"])
                    self.assertIn(words, self.app.table(run, table)["error"]["message"])
                    self.assertEqual(rows, self.bq.rows("d", table))

        self.bq.clear_faults()
        self.assert_fixed()

    def test_what_a_replacement_takes_from_a_target_is_patched_by_the_next_load(self):
        description = self.bq.table("d", "events")["description"]
        self.bq.patch("datasets/d/tables/events", {"description": None, "clustering": None})
        self.assertIn("none in BigQuery", self.app.table(self.app.json("plan"), "events")["clustering"])
        self.app.execute("insert into events(kind) values ('c')")

        self.assert_fixed()

        events = self.bq.table("d", "events")
        self.assertEqual((description, ["id"]), (events["description"], events["clustering"]["fields"]))

    def test_rows_that_a_repeated_load_doubled_are_named_by_verify(self):
        self.bq.query("insert into d.events select * from d.events")

        self.assertEqual({1, 2}, set(self.difference("events", "duplicated")))

        self.assertTrue(self.app.json("verify", "events", "--repair")["ok"])
        self.assert_equal("events")

    def test_values_that_arrive_otherwise_are_named_by_verify(self):
        for change, ids in (("dt = datetime_add(dt, interval 2 hour)", {1, 2}),
                            ("j = parse_json('0') where id = 1", {1}),
                            ("s = 'a b' where id = 1", {1})):
            with self.subTest(change):
                self.bq.query(f"update d.everything set {change if 'where' in change else change + ' where dt is not null'}")

                self.assertEqual(ids, set(self.difference("everything", "different")))

                self.assertTrue(self.app.json("verify", "everything", "--repair")["ok"])
                self.assert_equal("everything")

    def test_rows_that_vanish_with_an_expiration_are_missing_to_verify(self):
        self.bq.query("delete from d.accounts where id < 3")

        self.assertEqual({1, 2}, set(self.difference("accounts", "missing")))


if __name__ == "__main__":
    unittest.main()

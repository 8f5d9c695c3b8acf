"""At most 4,000 partitions in a job, and 10,000 in a table."""

import json
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support.bqlocal import HttpError

IN_JOB = "Too many partitions produced by query, allowed 4000, query produces at least {} partitions"
INSERT = "insert into d.{} (id, v) select x, {} from d.n where x between {} and {}"
# Of each layout: its PARTITION BY, the type of `v`, and a value that is in another partition for each x.
LAYOUTS = {
    "day": ("v", "date", "date_add(date '1969-01-01', interval x day)"),
    "stamp": ("timestamp_trunc(v, day)", "timestamp",
              "timestamp_add(timestamp '1969-01-01 23:59:59.999999', interval 24 * x hour)"),
    "hour": ("datetime_trunc(v, hour)", "datetime",
             "datetime_add(datetime '1969-12-01T00:00:00', interval x hour)"),
    "month": ("date_trunc(v, month)", "date", "date_add(date '1000-01-31', interval x month)"),
    "numbers": ("range_bucket(v, generate_array(0, 100000, 10))", "int64", "10 * x"),
}


class Partitions(RestCase):
    def setUp(self):
        super().setUp()
        self.bq.query("create table d.n (x int64)")
        self.bq.load("d", "n", "\n".join(f'{{"x": {x}}}' for x in range(12000)).encode(),
                     sourceFormat="NEWLINE_DELIMITED_JSON")

    def create(self, name):
        by, kind, value = LAYOUTS[name]
        self.bq.query(f"create table d.{name} (id int64, v {kind}) partition by {by}")
        return value

    def count(self, name):
        return int(self.bq.query(f"select count(*) as n from d.{name}")[0]["n"])

    def fails(self, sql, message):
        with self.assertRaises(HttpError) as caught:
            self.bq.query(sql)
        self.assertIn(message, str(caught.exception))

    def test_a_statement_changes_4000_partitions_and_no_more(self):
        for name in LAYOUTS:
            with self.subTest(name):
                value = self.create(name)
                self.fails(INSERT.format(name, value, 0, 4000), IN_JOB.format(4001))
                self.assertEqual(0, self.count(name))

                self.bq.query(INSERT.format(name, value, 0, 3999))
                self.bq.query(INSERT.format(name, value, 0, 3999))
                self.assertEqual(8000, self.count(name))

    def test_rows_without_a_value_and_outside_of_a_range_are_a_partition_each(self):
        self.create("numbers")
        self.bq.query(INSERT.format("numbers", "10 * x", 0, 3997))
        self.bq.query("insert into d.numbers (id, v) values (-1, null), (-2, -5), (-3, 100000)")

        self.bq.query("update d.numbers set id = id + 1 where true")

        self.bq.query("insert into d.numbers (id, v) values (-4, 40000)")
        self.fails("update d.numbers set id = id + 1 where true", IN_JOB.format(4001))

    def test_where_a_row_was_counts_as_where_it_is(self):
        value = self.create("day")
        self.bq.query(INSERT.format("day", value, 0, 2999))
        self.fails("update d.day set v = date_add(v, interval 1500 day) where true", IN_JOB.format(4500))
        self.fails("merge into d.day as t using d.day as s on t.id = s.id"
                   " when matched then update set v = date_add(t.v, interval 1500 day)", IN_JOB.format(4500))

    def test_a_table_has_10000_partitions_and_no_more(self):
        value = self.create("month")
        for first in (0, 4000):
            self.bq.query(INSERT.format("month", value, first, first + 3999))
        self.bq.query(INSERT.format("month", value, 8000, 9999))
        self.fails(INSERT.format("month", value, 10000, 10000), "would have 10001 partitions, allowed 10000")
        self.bq.query(INSERT.format("month", value, 0, 5))

    def test_a_load_has_the_same_limit_and_a_truncate_none(self):
        self.create("day")
        rows = "\n".join(json.dumps({"id": n, "v": f"{1900 + n // 365}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}"})
                         for n in range(12000))
        job = self.bq.load("d", "day", rows.encode(), sourceFormat="NEWLINE_DELIMITED_JSON",
                           schema={"fields": [{"name": "id", "type": "INT64"}, {"name": "v", "type": "DATE"}]})
        self.assertIn(IN_JOB[:60], job["status"]["errorResult"]["message"])
        self.assertEqual(0, self.count("day"))
        for first in (0, 4000):
            self.bq.query(INSERT.format("day", LAYOUTS["day"][2], first, first + 3999))
        self.fails("delete from d.day where true", IN_JOB.format(8000))
        self.bq.query("truncate table d.day")
        self.assertEqual(0, self.count("day"))

    def test_statements_of_one_transaction_count_each_for_itself(self):
        value = self.create("day")
        parts = [INSERT.format("day", value, first, first + 3999) for first in (0, 4000)]
        self.bq.query("begin transaction;\ntruncate table d.day;\n" + ";\n".join(parts) + ";\ncommit transaction;")
        self.assertEqual(8000, self.count("day"))


if __name__ == "__main__":
    unittest.main()

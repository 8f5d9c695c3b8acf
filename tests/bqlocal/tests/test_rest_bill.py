"""bqlocal's bill: what is left out of a clustered or partitioned table by conditions with constants."""

import json

from tests.bqlocal.tests.rest_case import RestCase

MEGABYTE = 1 << 20
ROWS, WIDTH = 40000, 800


class BillTest(RestCase):
    def make(self, table, extra=""):
        """A table of about 31 MB, its ids from 0 in no particular order."""
        self.bq.query(f"create table d.{table} (id int64, day date, name string){extra}")
        order = [number * 7919 % ROWS for number in range(ROWS)]
        lines = [json.dumps({"id": number, "day": f"2026-01-{1 + number // 4000:02}", "name": f"{number:0{WIDTH}}"})
                 for number in order]
        job = self.bq.load("d", table, "\n".join(lines).encode(), sourceFormat="NEWLINE_DELIMITED_JSON")
        self.assertNotIn("errorResult", job["status"])

    def bill(self, sql, parameters=(), billed=False, dry=False):
        """Bytes that a query processes, or is billed for."""
        job = {"configuration": {"dryRun": dry, "query": {
            "query": sql, "useLegacySql": False, "queryParameters": [
                {"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": str(value)}}
                for name, kind, value in parameters]}}}
        done = self.bq.post("jobs", job) if dry else self.bq.run(job)
        self.assertNotIn("errorResult", done["status"])
        return int(done["statistics"]["query"]["totalBytesBilled" if billed else "totalBytesProcessed"])

    def test_a_condition_on_the_first_clustering_column_reads_blocks(self):
        self.make("t", " cluster by id, name")
        whole = self.bill("select * from d.t")
        row = whole / ROWS
        self.assertGreater(whole, 30 * MEGABYTE)
        for rows in (1, 1000, 20000):
            with self.subTest(rows=rows):
                read = self.bill("select * from d.t where id between 7 and @high", [("high", "INT64", 6 + rows)])

                # The blocks that the rows fill, and one more.
                self.assertGreaterEqual(read, rows * row)
                self.assertLess(read, rows * row + 2 * MEGABYTE)
        for condition in ("id = 5", "5 = t.id", "t.id >= 5 and id <= 5", "id < 1", "id between 5 and 5 and name > ''"):
            with self.subTest(condition=condition):
                self.assertLessEqual(self.bill(f"select * from d.t where {condition}"), 2 * MEGABYTE)
        for condition in ("id = 5 or day is null", "name = 'x'", "id + 0 = 5", "not id between 5 and 5", "id <> 5",
                          "id in (select 5)", "id = length(name)", "id between -1 and 1000000"):
            with self.subTest(condition=condition):
                self.assertEqual(whole, self.bill(f"select * from d.t where {condition}"))
        # A table that is read twice is read as far as the larger scan goes.
        self.assertEqual(whole, self.bill("select id from d.t where id = 5 union all select id from d.t"))

    def test_a_condition_on_the_partitioning_column_reads_partitions(self):
        self.make("t", " partition by day")
        whole = self.bill("select * from d.t")
        for condition, part in (("day = '2026-01-02'", 1), ("day between date '2026-01-02' and @day", 3),
                                ("day > '2026-01-09'", 1), ("day < '2025-01-01'", 0), ("id = 5", 10)):
            with self.subTest(condition=condition):
                self.assertAlmostEqual(
                    whole * part / 10, self.bill(f"select * from d.t where {condition}",
                                                 [("day", "DATE", "2026-01-04")] if "@" in condition else []), delta=MEGABYTE)
        self.make("r", " partition by range_bucket(id, generate_array(0, 40000, 10000))")
        self.assertAlmostEqual(whole / 4, self.bill("select * from d.r where id between 12000 and 13000"), delta=MEGABYTE)
        self.assertAlmostEqual(whole / 2, self.bill("select * from d.r where id between 9999 and 10000"), delta=MEGABYTE)

    def test_partitions_and_blocks_are_both_left_out(self):
        self.make("t", " partition by day cluster by id")

        self.assertLess(self.bill("select * from d.t where day = '2026-01-02' and id = 4001"), 2.1 * MEGABYTE)
        # A block of each partition, where only the key is known.
        self.assertAlmostEqual(11 * MEGABYTE, self.bill("select * from d.t where id = 4001"), delta=2 * MEGABYTE)

    def test_a_merge_is_billed_for_the_blocks_between_its_bounds(self):
        self.make("t", " cluster by id")
        self.make("plain")
        whole = self.bill("select * from d.t")
        merge = ("merge d.{} t using (select 7 as id, 'x' as name) s on t.id = s.id{} "
                 "when matched then update set name = s.name{}")
        bounds = [("low", "INT64", 7), ("high", "INT64", 106)]

        self.assertEqual(2 * whole, self.bill(merge.format("t", "", "")))
        self.assertLess(self.bill(merge.format("t", " and t.id between @low and @high", ""), bounds), 5 * MEGABYTE)
        self.assertEqual(2 * whole, self.bill(merge.format("plain", " and t.id between @low and @high", ""), bounds))
        # Each row that matches nothing may be deleted, so all have to be read.
        self.assertEqual(2 * whole, self.bill(merge.format(
            "t", " and t.id between @low and @high", " when not matched by source and false then delete"), bounds))
        self.assertEqual(10 * MEGABYTE, self.bill(
            merge.format("t", " and t.id between @low and @high", ""), bounds, billed=True))
        for dml in ("update d.t set name = 'x' where id = 5", "delete from d.t where t.id = 5"):
            with self.subTest(dml=dml):
                self.assertLess(self.bill(dml), 5 * MEGABYTE)

    def test_before_a_query_runs_only_its_partitions_are_known(self):
        self.make("t", " partition by day cluster by id")
        whole, blocks = self.bill("select * from d.t"), "select * from d.t where id between 1 and 2"
        partitions = "select * from d.t where day = '2026-01-02'"

        self.assertLess(self.bill(blocks), whole / 2)
        self.assertEqual(whole, self.bill(blocks, dry=True))
        self.assertEqual(self.bill(partitions), self.bill(partitions, dry=True))
        limited = {"useLegacySql": False, "maximumBytesBilled": str(11 * MEGABYTE)}
        self.bq.post("queries", {"query": partitions, **limited})
        self.refuse(400, "bytesBilledLimitExceeded", self.bq.post, "queries", {"query": blocks, **limited})

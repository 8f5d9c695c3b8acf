"""How files are packed: zstd, DEFLATE where it is refused, and what reports say of it."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

REFUSED = "BigQuery refused a file packed with zstd"
TABLES = ("accounts", "events")


class CodecTest(unittest.TestCase):
    def start(self, *args, **environment):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], args=args))
        self.app = self.enterContext(Deployment(self.bq, environment={"BQ_LOG_LEVEL": "info", **environment}))
        self.app.script(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)"
            " insert into accounts(id, email, note) select i, 'a' || i, 'the same text' from n;"
            "insert into events(kind, payload) values ('a', '1'), ('b', '2')")

    def loads(self):
        """The states of the load jobs so far."""
        jobs = self.bq.get("/bigquery/v2/projects/p/jobs?projection=full")["jobs"]
        return sorted("failed" if "errorResult" in job["status"] else "done" for job in jobs
                      if "load" in job["configuration"])

    def assert_equal_sides(self):
        for table in TABLES:
            self.assertEqual(len(self.app.source_rows(table)), len(self.bq.rows("d", table)))
        self.assertTrue(self.app.json("verify")["ok"])

    def test_a_report_says_how_files_were_packed(self):
        self.start()

        run = self.app.sync(*TABLES)

        accounts = self.app.table(run, "accounts")
        self.assertEqual("zstandard", accounts["codec"])
        self.assertGreater(accounts["compression_ratio"], 2)
        self.assertIsNone(run["link_mbit"])  # a file of one request says nothing of the link
        self.assertIn("codec=zstandard", self.app.last_stderr)
        # Rows that travel in a statement are in no file.
        self.app.execute("update accounts set note = 'another' where id = 1")
        accounts = self.app.table(self.app.sync(*TABLES), "accounts")
        self.assertEqual((None, None), (accounts["codec"], accounts["compression_ratio"]))

    def test_a_refused_codec_is_replaced_in_the_same_pass_and_for_good(self):
        self.start("--avro-codecs", "deflate,null")

        run = self.app.sync(*TABLES)

        self.assertEqual({"deflate"}, {table["codec"] for table in run["tables"]})
        self.assertEqual(["done", "done", "failed", "failed"], self.loads())
        self.assertEqual(1, self.app.last_stderr.count(REFUSED), self.app.last_stderr)
        self.assert_equal_sides()
        # Another process asks for nothing that was refused.
        again = self.app.sync("--full", *TABLES)
        self.assertEqual({"deflate"}, {table["codec"] for table in again["tables"]})
        self.assertEqual(["done"] * 4 + ["failed"] * 2, self.loads())
        self.assertNotIn(REFUSED, self.app.last_stderr)
        self.assert_equal_sides()

    def test_a_transaction_is_sent_again_as_a_whole(self):
        self.start("--avro-codecs", "deflate,null", BQ_SYNC_ATOMIC="1")

        run = self.app.sync(*TABLES)

        self.assertEqual({"synced"}, {table["status"] for table in run["tables"]})
        self.assertEqual({"deflate"}, {table["codec"] for table in run["tables"]})
        self.assert_equal_sides()

    def test_a_refusal_of_deflate_as_well_is_the_error_of_the_table(self):
        self.start("--avro-codecs", "null")

        run = self.app.sync(*TABLES, status=1)

        self.assertEqual({"failed"}, {table["status"] for table in run["tables"]})
        self.assertIn("codec", run["tables"][0]["error"]["message"])


if __name__ == "__main__":
    unittest.main()

"""Tests the mirror on real BigQuery, if BQSYNC_LIVE_PROJECT and BQSYNC_LIVE_DATASET name a scratch dataset and
there are credentials (GOOGLE_APPLICATION_CREDENTIALS, or gcloud's login). See docs/conformance.md.

The test deletes the tables of tests/schemas before and after, so the dataset must not contain tables under these
names that you need. It costs a few cents at most (small tables, at least 10 MB billed per query).
"""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from tests.support.deployment import BUILD, SHAPES

PROJECT = os.environ.get("BQSYNC_LIVE_PROJECT")
DATASET = os.environ.get("BQSYNC_LIVE_DATASET")
TABLES = ["events", "accounts", "settings", "memberships", "devices", "everything", "people"]
TIMEOUT_SECONDS = 600


def missing():
    """Why the test cannot run here, or None."""
    if not PROJECT or not DATASET:
        return "BQSYNC_LIVE_PROJECT and BQSYNC_LIVE_DATASET are not set"
    if shutil.which("bq") is None:
        return "the bq tool is missing; the test needs it to query results and remove tables"
    return None


class LiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = missing()
        if reason:
            print(f"\n*** SKIPPED, no live run: {reason} ***", file=sys.stderr, flush=True)
            raise unittest.SkipTest(reason)
        if os.environ.get("BIGQUERY_EMULATOR_HOST"):
            raise AssertionError("BIGQUERY_EMULATOR_HOST is set: this would not be a live run")

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "app.db"
        self.remove_tables()
        self.addCleanup(self.remove_tables)
        self.execute_script(SHAPES)

    def remove_tables(self):
        for table in TABLES:
            self.bq("rm", "-f", "-t", f"{PROJECT}:{DATASET}.{table}")

    def execute_script(self, sql):
        db = sqlite3.connect(self.path)
        with db:
            db.executescript(sql)
        db.close()

    def bq(self, *arguments):
        ended = subprocess.run(["bq", f"--project_id={PROJECT}", "--headless", "--quiet", *arguments],
                               capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)
        return ended.stdout

    def rows(self, sql):
        out = self.bq("--format=json", "query", "--use_legacy_sql=false", "--max_rows=10000", sql)
        return json.loads(out or "[]")

    def bqsync(self, *arguments, status=0):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BQ_")}
        environment.update(BQ_PROJECT_NAME=PROJECT, BQ_DATASET_NAME=DATASET, BQ_SQLITE_PATH=str(self.path))
        ended = subprocess.run(
            [str(BUILD / "bqsync_shapes"), *arguments, "--json"], cwd=self.folder, env=environment,
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        self.assertEqual(status, ended.returncode, ended.stdout + ended.stderr)
        return json.loads(ended.stdout)

    def table(self, document, name):
        return next(table for table in document["tables"] if table["table"] == name)

    def test_one_life_of_a_database(self):
        self.execute_script("""
            insert into accounts values (1, 'a@x', 1.5, null), (2, 'b@x', -0.000000001, 'größe'), (3, 'c@x', null, '');
            insert into events(kind, payload, at) values ('a', '{"b": [1, null]}', 1700000000), ('c', 'null', 1);
            insert into memberships values ('t', 'é', 'owner', '2024-02-29'), ('t', 'f', null, null);
            insert into devices values ('s-1', 1, 0.1), ('s-2', 0, 5e-324);
            insert into everything values
              (1, 9223372036854775807, 1.7976931348623157e308, 1, 'text', x'00ff',
               '99999999999999999999999999999.999999999',
               '578960446186580977117854925043439539266.34992332820282019728792003956564819967',
               '0001-01-01', '23:59:59.999999', '9999-12-31 23:59:59.999999', '0001-01-01T00:00:00Z', '{"a": 1.50}'),
              (2, -9223372036854775808, -0.0, 0, '', x'', '-0.000000001',
               '-578960446186580977117854925043439539266.34992332820282019728792003956564819968',
               '9999-12-31', '00:00', '0001-01-01', '9999-12-31 23:59:59.999999', 'null'),
              (3, null, null, null, null, null, null, null, null, null, null, null, null);""")

        with self.subTest("check"):
            self.assertTrue(self.bqsync("check")["ok"])
        with self.subTest("first sync"):
            self.assertTrue(self.bqsync("sync")["ok"])
            self.assertTrue(self.bqsync("verify")["ok"])
        with self.subTest("idle"):
            self.assertEqual({"unchanged"}, {table["status"] for table in self.bqsync("sync")["tables"]})
        with self.subTest("insert, update and delete"):
            self.execute_script("""
                update accounts set note = 'x' where id = 1; delete from accounts where id = 2;
                insert into accounts values (4, 'd@x', 4, null);
                insert into events(kind, at) values ('d', 2);
                update memberships set role = 'member' where person = 'f';
                update everything set j = '[]', n = '1' where id = 1; delete from everything where id = 3;""")
            run = self.bqsync("sync")
            self.assertEqual(("merge", 1, 1, 1), tuple(self.table(run, "accounts")[key] for key in (
                "mode", "rows_inserted", "rows_updated", "rows_deleted")))
            self.assertEqual("append", self.table(run, "events")["mode"])
            self.assertTrue(self.bqsync("verify")["ok"])
        with self.subTest("an independent query"):
            rows = self.rows(f"select id, note from `{DATASET}`.accounts order by id")
            self.assertEqual([("1", "x"), ("3", ""), ("4", None)], [(row["id"], row["note"]) for row in rows])
        with self.subTest("verify finds a change made by hand, and repair fixes it"):
            self.bq("query", "--use_legacy_sql=false",
                    f"delete from `{DATASET}`.memberships where person = 'f'")
            self.assertFalse(self.bqsync("verify", status=1)["ok"])
            self.assertTrue(self.bqsync("verify", "--repair")["ok"])
        with self.subTest("a dropped table is filled again"):
            self.bq("rm", "-f", "-t", f"{PROJECT}:{DATASET}.devices")
            self.assertEqual(2, self.table(self.bqsync("sync"), "devices")["rows_inserted"])
        with self.subTest("an empty table and a full sync"):
            self.execute_script("delete from events")
            self.assertTrue(self.bqsync("sync", "--full")["ok"])
            self.assertEqual("0", self.rows(f"select count(*) as n from `{DATASET}`.events")[0]["n"])
        with self.subTest("no staging table remains"):
            listed = json.loads(self.bq("--format=json", "ls", "--max_results=1000", f"{PROJECT}:{DATASET}"))
            names = [table["tableReference"]["tableId"] for table in listed]
            self.assertEqual([], [name for name in names if name.startswith("bqsync_staging_")])


if __name__ == "__main__":
    unittest.main()

"""Google's parts in Python drive bqlocal: its API client, with uploads in chunks, and bq where there is one."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.support import foreign
from tests.support.bqlocal import Bqlocal

ROWS = 5000


class GooglePythonTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = self.folder / "rows.json"
        self.file.write_text("".join(json.dumps({"id": number, "s": "x" * 200}) + "\n" for number in range(ROWS)))

    def test_the_api_client_uploads_in_chunks_and_whole(self):
        python = foreign.python_with("googleapiclient", "python3-googleapi")

        ended = subprocess.run([python, str(foreign.CONFORMANCE / "upload_googleapi.py"),
                                str(foreign.CONFORMANCE / "discovery.json"), self.bq.url, str(self.file)],
                               capture_output=True, text=True, env={**os.environ, "no_proxy": "*"})

        self.assertEqual(0, ended.returncode, ended.stderr[-3000:])
        answer = json.loads(ended.stdout)
        self.assertEqual(str(ROWS), answer["chunked"]["rows"])
        self.assertGreaterEqual(answer["chunked"]["chunks"], 4)
        self.assertEqual(str(ROWS), answer["whole"]["rows"])
        self.assertIsNone(answer["chunked"]["error"])
        self.assertIn(answer["missing"]["error"]["reason"], ("invalid", "notFound"))
        self.assertEqual([{"n": ROWS, "s": sum(range(ROWS))}],
                         self.bq.query("select count(*) as n, sum(id) as s from d.chunked"))

    def test_bq_does_what_a_person_does(self):
        tool = shutil.which("bq")
        if tool is None:
            # Not in Debian's archive: nothing that CI could install.
            self.skipTest("*** SKIPPED: there is no bq tool (Google Cloud CLI) on this machine ***")

        self.run_bq(tool, "mk", "-t", "d.people", "id:INTEGER,name:STRING")
        self.run_bq(tool, "load", "--source_format=NEWLINE_DELIMITED_JSON", "d.loaded", str(self.file),
                    "id:INTEGER,s:STRING")
        self.run_bq(tool, "query", "--use_legacy_sql=false",
                    "merge into d.people as t using (select id, s from d.loaded where id < 3) as s on t.id = s.id "
                    "when not matched then insert (id, name) values (s.id, 'n')")
        rows = json.loads(self.run_bq(tool, "--format=json", "query", "--use_legacy_sql=false",
                                      "select id, name from d.people order by id"))
        self.run_bq(tool, "cp", "-f", "d.people", "d.copied")
        self.run_bq(tool, "rm", "-f", "-t", "d.people")

        self.assertEqual([{"id": "0", "name": "n"}, {"id": "1", "name": "n"}, {"id": "2", "name": "n"}], rows)
        self.assertEqual(["copied", "loaded"], sorted(self.bq.tables("d")))

    def test_bq_changes_tables_and_is_refused_what_is_not_done(self):
        tool = shutil.which("bq")
        if tool is None:
            self.skipTest("*** SKIPPED: there is no bq tool (Google Cloud CLI) on this machine ***")

        self.run_bq(tool, "mk", "-t", "--time_partitioning_type=DAY", "--time_partitioning_field=born",
                    "--clustering_fields=id", "--label=k:v", "d.t", "id:INTEGER,born:DATE")
        self.run_bq(tool, "update", "--description=by bq", "d.t")  # sends "schema": null
        self.run_bq(tool, "update", "d.t", "id:INTEGER,born:DATE,name:STRING")
        self.bq.query("insert into d.t (id, name) values (1, 'a')")
        self.run_bq(tool, "cp", "d.t", "d.copied")
        self.run_bq(tool, "cp", "-a", "d.t", "d.copied")
        self.run_bq(tool, "cp", "-n", "d.t", "d.copied")
        self.run_bq(tool, "query", "--use_legacy_sql=false", "--destination_table=d.result", "select id from d.t")
        self.run_bq(tool, "mk", "--view=select id from d.result", "--use_legacy_sql=false", "d.view")
        for message, arguments in {
                "has changed type from INTEGER to STRING": (
                    "query", "--use_legacy_sql=false", "--append_table", "--destination_table=d.result", "select 'x' as id"),
                "operationType: SNAPSHOT": ("cp", "--snapshot", "d.t", "d.frozen"),
                "materializedView": ("mk", "--materialized_view=select 1 as a", "d.seen"),
                "load.autodetect": ("load", "--autodetect", "--source_format=NEWLINE_DELIMITED_JSON", "d.guessed",
                                    str(self.file))}.items():
            with self.subTest(message):
                self.assertIn(message, " ".join(self.run_bq(tool, *arguments, refused=True).split()))

        made = self.bq.table("d", "t")
        self.assertEqual(("by bq", {"k": "v"}, {"type": "DAY", "field": "born"}, {"fields": ["id"]}, ["id", "born", "name"]),
                         (made["description"], made["labels"], made["timePartitioning"], made["clustering"],
                          [field["name"] for field in made["schema"]["fields"]]))
        self.assertEqual([{"id": 1, "born": None, "name": "a"}] * 2, self.bq.rows("d", "copied"))
        self.assertEqual([{"id": 1}], self.bq.rows("d", "result"))
        self.assertEqual([{"id": 1}], self.bq.query("select * from d.view"))
        self.assertEqual(["copied", "result", "t", "view"], sorted(self.bq.tables("d")))

    def run_bq(self, tool, *arguments, refused=False):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        ended = subprocess.run(
            [tool, "--bigqueryrc=/dev/null", "--api", self.bq.url, f"--project_id={self.bq.project}",
             "--oauth_access_token=x", "--headless", "--quiet", *arguments],
            capture_output=True, text=True, timeout=120, env={
                **os.environ, "HOME": str(home), "CLOUDSDK_CONFIG": str(home / "gcloud"), "no_proxy": "127.0.0.1",
                "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
                "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true"})
        self.assertEqual(refused, ended.returncode != 0, f"bq {arguments}: {ended.stdout}{ended.stderr}")
        return ended.stdout


if __name__ == "__main__":
    unittest.main()

"""A person's own definitions: one JSON file more is one table more, and the samples stay as they are."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

SAMPLES = sorted(path.stem for path in (ROOT / "schemas").glob("*.json") if path.stem != "table.schema")
LIGHTHOUSES = {
    "$schema": "./table.schema.json",
    "table": "lighthouses",
    "description": "Lights along the coast",
    "key": ["code"],
    "sync": {"mode": "upsert"},
    "columns": [
        {"name": "code", "type": "STRING", "mode": "REQUIRED"},
        {"name": "height_m", "type": "NUMERIC"},
        {"name": "lit_at", "type": "TIMESTAMP", "format": "unix_s"},
    ],
}


@unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the plain build does this; it compiles everything anew")
class NewTableTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-new-")))

    def listed(self, program):
        done = subprocess.run([program, "tables", "--json"], capture_output=True, text=True, check=True)
        return [table["table"] for table in json.loads(done.stdout)["tables"]]

    def dev(self, *arguments):
        return subprocess.run([ROOT / "dev", *arguments], cwd=self.folder, capture_output=True, text=True)

    def test_own_definitions_build_beside_the_samples(self):
        definitions = self.folder / "schemas"
        definitions.mkdir()
        (definitions / "lighthouses.json").write_text(json.dumps(LIGHTHOUSES, indent=2))
        build = self.folder / "build"
        generated = {path.name: path.stat().st_mtime_ns for path in (ROOT / "generated").iterdir()}
        for command in (
                ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DBQSYNC_TESTS=OFF",
                 "-DBQSYNC_LOCAL=OFF", f"-DBQSYNC_SCHEMAS={definitions}"],
                ["cmake", "--build", build, "--target", "bqsync", "bqsync_samples"]):
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)

        self.assertEqual(["lighthouses"], self.listed(build / "bqsync"))
        self.assertEqual(SAMPLES, self.listed(build / "bqsync_samples"))
        self.assertTrue((build / "generated" / "lighthouses.ddl.sql").exists())
        self.assertEqual(
            generated, {path.name: path.stat().st_mtime_ns for path in (ROOT / "generated").iterdir()})
        schema = "create table lighthouses(code text primary key not null, height_m, lit_at integer)"
        with Bqlocal(datasets=["d"]) as bq, Deployment(bq, schema=schema) as app:
            app.program = str(build / "bqsync")
            app.execute("insert into lighthouses values ('FI-1', 31.5, 1700000000), ('FI-2', null, null)")
            run = app.sync("lighthouses")

            self.assertEqual(2, app.table(run, "lighthouses")["rows_inserted"])
            self.assertTrue(app.json("verify", "lighthouses")["ok"])
            self.assertEqual(
                ["FI-1", "FI-2"], sorted(row["code"] for row in bq.rows("d", "lighthouses")))

    def test_the_programs_under_test_were_built_from_the_tables_of_the_tree(self):
        self.assertEqual(SAMPLES, self.listed(BUILD / "bqsync_samples"))

    def test_a_folder_without_definitions_is_refused_before_anything_is_built(self):
        (self.folder / "empty").mkdir()
        (self.folder / "empty" / "table.schema.json").write_text("{}")
        for folder, message in (("absent", "there is no folder"), ("empty", "there are no table definitions")):
            with self.subTest(folder):
                done = self.dev("build", "--schemas", folder)

                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()

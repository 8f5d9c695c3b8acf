"""Adding a table is: drop one JSON file, rebuild."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

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

    def build(self, definitions):
        """Rebuilds bqsync with these definitions, as `./dev build` does; returns the folder."""
        build = self.folder / "build"
        commands = [
            ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DBQSYNC_TESTS=OFF",
             "-DBQSYNC_LOCAL=OFF", f"-DBQSYNC_SCHEMAS={definitions}", f"-DBQSYNC_GENERATED={self.folder}/generated"],
            ["cmake", "--build", build, "--target", "bqsync"],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return build

    def test_one_more_file_is_one_more_table(self):
        definitions = self.folder / "schemas"
        shutil.copytree(ROOT / "schemas", definitions)
        (definitions / "lighthouses.json").write_text(json.dumps(LIGHTHOUSES, indent=2))

        build = self.build(definitions)

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
        done = subprocess.run([BUILD / "bqsync", "tables", "--json"], capture_output=True, text=True, check=True)
        listed = [table["table"] for table in json.loads(done.stdout)["tables"]]

        files = sorted(path.stem for path in (ROOT / "schemas").glob("*.json") if path.stem != "table.schema")
        self.assertEqual(files, listed)


if __name__ == "__main__":
    unittest.main()

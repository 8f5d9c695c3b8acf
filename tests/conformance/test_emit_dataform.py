"""Dataform compiles what emit prints, and its assertions run on what bqsync has synced."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.conformance import emitted
from tests.support import foreign, sampling
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SETTINGS = """
defaultProject: {project}
defaultDataset: marts
defaultLocation: US
{variables}
"""
ROWS = """
insert into accounts(id, email) values (1, 'a@x'), (2, 'b@x');
insert into memberships(team, person) values ('a', 'b'), ('b', 'a');
"""


class DataformTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        sampling.wait_for_turn("compiler of Dataform")
        modules = foreign.node_modules("dataform")
        self.dataform = modules / ".bin" / "dataform"
        self.project = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.project / "definitions").mkdir()
        shutil.copy(foreign.CONFORMANCE / "dataform" / "package.json", self.project)
        # The compiler reads nothing outside of its project.
        shutil.copytree(modules / "@dataform" / "core", self.project / "node_modules" / "@dataform" / "core")

    def compiled(self, folder, project="p", variables="vars: {bqsync_dataset: d}"):
        (self.project / "workflow_settings.yaml").write_text(SETTINGS.format(project=project, variables=variables))
        (self.project / "definitions" / "bqsync_sources.js").write_text(emitted.text("dataform", folder))
        done = subprocess.run([foreign.node(), self.dataform, "compile", "--json"], cwd=self.project,
                              capture_output=True, encoding="utf-8", timeout=300)
        return done, json.loads(done.stdout) if done.returncode == 0 else None

    def test_every_declaration_says_what_its_definition_says(self):
        for folder in emitted.FOLDERS:
            with self.subTest(folder):
                done, graph = self.compiled(folder)

                self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr[-2000:])
                self.assertFalse(graph["graphErrors"].get("compilationErrors"), graph["graphErrors"])
                tables = {table.target: table for table in emitted.tables(folder)}
                declared = {one["target"]["name"]: one for one in graph["declarations"]}
                self.assertEqual(set(tables), set(declared))
                for name, table in tables.items():
                    self.check(table, declared[name])
                self.assertEqual({f"bqsync_{table.stem}_key" for table in tables.values() if not table.replaced},
                                 {one["target"]["name"] for one in graph["assertions"]})

    def check(self, table, declared):
        self.assertEqual({"database": "p", "schema": "d", "name": table.target}, declared["target"])
        descriptor = declared.get("actionDescriptor", {})
        self.assertEqual(table.description, descriptor.get("description", ""))
        columns = {column["path"][0]: column for column in descriptor.get("columns", [])}
        for column in table.target_columns:
            found = columns.get(column.name, {})
            self.assertEqual((column.description, list(column.policy_tags)),
                             (found.get("description", ""), found.get("bigqueryPolicyTags", [])), column.name)

    def test_assertions_pass_on_synced_tables_and_find_damage(self):
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(bq))
        app.script(ROWS)
        app.sync()
        _, graph = self.compiled("shapes", bq.project)
        assertions = {one["target"]["name"]: one["query"] for one in graph["assertions"]}
        self.assertEqual({name: [] for name in assertions},
                         {name: bq.query(query) for name, query in assertions.items()})

        bq.query("insert into d.memberships (team, person) values ('a', 'b')")
        bq.query("insert into d.accounts (id, email) values (2, 'c@x')")

        found = {name: len(bq.query(query)) for name, query in assertions.items()}
        self.assertEqual({"bqsync_accounts_key": 1, "bqsync_memberships_key": 1},
                         {name: count for name, count in found.items() if count})

    def test_a_missing_variable_is_named_and_another_project_is_taken(self):
        done, _ = self.compiled("awkward", variables="")
        self.assertNotEqual(0, done.returncode)
        self.assertIn("set the variable bqsync_dataset in workflow_settings.yaml", done.stdout + done.stderr)

        _, graph = self.compiled("awkward", variables="vars: {bqsync_dataset: d, bqsync_project: elsewhere}")
        self.assertEqual({"elsewhere"}, {one["target"]["database"] for one in graph["declarations"]})


if __name__ == "__main__":
    unittest.main()

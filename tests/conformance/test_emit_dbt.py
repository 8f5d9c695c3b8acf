"""dbt reads the sources that emit prints without a warning, runs their tests on what bqsync has synced, and measures
their freshness."""

import json
import pathlib
import shutil
import tempfile
import unittest

from tests.conformance import emitted
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

PROJECT = """
name: shop
version: "1.0"
profile: shop
flags: {send_anonymous_usage_stats: false, partial_parse: false}
vars: {bqsync_dataset: d}
"""
ROWS = """
insert into accounts(id, email) values (1, 'a@x'), (2, 'b@x');
insert into memberships(team, person) values ('a', 'b,c'), ('a,b', 'c');
insert into settings values ('theme', 'dark');
"""


class DbtSourcesTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.packages = emitted.Packages("dbt")
        self.project = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copy(foreign.CONFORMANCE / "clients" / "dbt" / "profiles.yml", self.project)
        (self.project / "models").mkdir()
        (self.project / "dbt_project.yml").write_text(PROJECT)

    def given(self, folder):
        (self.project / "models" / "bqsync_sources.yml").write_text(emitted.text("dbt", folder))

    def dbt(self, *arguments, url="http://127.0.0.1:9", project="p"):
        done = self.packages.run(
            "from dbt.cli.main import cli; cli()", *arguments, cwd=self.project, timeout=400,
            env={"BQLOCAL_URL": url, "BQLOCAL_PROJECT": project, "DBT_PROFILES_DIR": ".", "no_proxy": "*"})
        self.last = done.stdout + done.stderr
        return done.returncode

    def target(self, name):
        return json.loads((self.project / "target" / name).read_text())

    def results(self, name):
        """The status of each result by what it is about."""
        return {one["unique_id"].split(".", 2)[2]: one["status"] for one in self.target(name)["results"]}

    def test_every_source_says_what_its_definition_says(self):
        for folder in ("awkward", "torture"):
            with self.subTest(folder):
                self.given(folder)

                self.assertEqual(0, self.dbt("--warn-error", "parse"), self.last)

                manifest = self.target("manifest.json")
                sources = {source["name"]: source for source in manifest["sources"].values()}
                tables = {table.stem: table for table in emitted.tables(folder)}
                self.assertEqual(set(tables), set(sources))
                for stem, table in tables.items():
                    self.check(table, sources[stem])
                self.assertEqual(self.expected_tests(tables.values()), self.found_tests(manifest))

    def check(self, table, source):
        self.assertEqual(f"`p`.`d`.`{table.target}`", source["relation_name"])
        self.assertEqual(table.description, source["description"])
        self.assertEqual(dict(table.labels), source["config"].get("meta", {}).get("labels", {}) or
                         source["meta"].get("labels", {}))
        self.assertIsNone(source["loaded_at_field"])
        self.assertEqual([26, 50], [source["freshness"][when]["count"] for when in ("warn_after", "error_after")])
        for column in table.target_columns:
            found = source["columns"][column.name]
            self.assertEqual((column.description, column.type.name.lower()), (found["description"], found["data_type"]))
            self.assertEqual(list(column.policy_tags), found["config"]["meta"].get("policy_tags", []))

    def found_tests(self, manifest):
        return sorted((node["test_metadata"]["name"], node["sources"][0][1], node["test_metadata"]["kwargs"]["column_name"],
                       node["config"]["where"] or "")
                      for node in manifest["nodes"].values() if node["resource_type"] == "test")

    def expected_tests(self, tables):
        found = []
        for table in tables:
            if table.replaced:
                continue
            partition = table.time_partition or table.range_partition
            name = f"`{partition.column.name}`" if partition else ""
            where = f"({name} is null or {name} is not null)" if table.require_partition_filter else ""
            names = [f"`{column.name}`" for column in table.key]
            found += [("not_null", table.stem, name, where) for name in names]
            one = names[0] if len(names) == 1 else "concat(%s)" % ", ',', ".join(f"to_json_string({name})" for name in names)
            found.append(("unique", table.stem, one, where))
        return sorted(found)

    def test_keys_and_freshness_of_synced_tables_pass_and_damage_is_found(self):
        bq = self.enterContext(Bqlocal(datasets=["d", "marts"]))
        app = self.enterContext(Deployment(bq))
        app.script(ROWS)
        app.sync()
        self.given("shapes")

        self.assertEqual(0, self.dbt("--warn-error", "test", url=bq.url, project=bq.project), self.last)
        passed = self.results("run_results.json")
        self.assertEqual({"pass"}, set(passed.values()))
        self.assertGreaterEqual(len(passed), 15)
        self.assertEqual(0, self.dbt("source", "freshness", url=bq.url, project=bq.project), self.last)
        self.assertEqual({"pass"}, set(self.results("sources.json").values()))

        bq.query("insert into d.memberships (team, person) values ('a', 'b,c')")
        bq.query("insert into d.accounts (id, email) values (2, 'c@x')")
        self.assertEqual(1, self.dbt("--warn-error", "test", url=bq.url, project=bq.project), self.last)
        failed = [name for name, status in self.results("run_results.json").items() if status != "pass"]
        self.assertEqual(["source_unique_bqsync_accounts__id_", "unique_bqsync_memberships_key"],
                         sorted(name.rsplit(".", 1)[0] for name in failed))
        late = json.dumps({"bqsync_warn_hours": 0, "bqsync_error_hours": 0})
        self.assertEqual(1, self.dbt("source", "freshness", "--vars", late, url=bq.url, project=bq.project), self.last)
        self.assertEqual({"error"}, set(self.results("sources.json").values()))


if __name__ == "__main__":
    unittest.main()

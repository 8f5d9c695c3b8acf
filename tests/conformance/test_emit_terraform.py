"""Terraform formats and evaluates what emit prints, and a reader of HCL compares it with the arguments that the
provider knows. The provider itself is not to be had here."""

import json
import re
import shutil
import subprocess
import tempfile
import unittest

from codegen import emit_schema
from tests.conformance import emitted
from tests.support import foreign

PARSE = """
import hcl2, json, sys
print(json.dumps(hcl2.loads(json.load(sys.stdin)), default=str))
"""
# Of google_bigquery_table in version 6.50 of the provider, as @cdktf/provider-google 16.12.1 lists them: those that
# emit uses, and all of its required ones.
ARGUMENTS = {"project", "dataset_id", "table_id", "description", "labels", "clustering", "require_partition_filter",
             "deletion_protection", "schema"}
BLOCKS = {"time_partitioning": {"type", "field", "expiration_ms"}, "range_partitioning": {"field", "range"},
          "table_constraints": {"primary_key"}, "lifecycle": {"ignore_changes"}}
REQUIRED = {"dataset_id", "table_id"}
RESOURCE = re.compile(r'^resource "google_bigquery_table" "(\w+)" \{\n(.*?)^\}', re.M | re.S)


def plain(value):
    """Without what python-hcl2 adds: quotes around texts, marks of blocks, lists around blocks."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value[1:-1] if isinstance(value, str) and value[:1] == value[-1:] == '"' else value


class TerraformTest(unittest.TestCase):
    maxDiff = None

    def terraform(self, *arguments, text):
        terraform = shutil.which("terraform") or foreign.absent("there is no terraform on this machine")
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run([terraform, *arguments], cwd=folder, input=text, capture_output=True,
                                  encoding="utf-8", timeout=300)

    def test_terraform_finds_nothing_to_format(self):
        for folder in emitted.FOLDERS:
            with self.subTest(folder):
                done = self.terraform("fmt", "-check", "-diff", "-", text=emitted.text("terraform", folder))
                self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)

    def test_the_schemas_that_terraform_evaluates_are_those_of_the_generator(self):
        for folder in emitted.FOLDERS:
            with self.subTest(folder):
                resources = dict(RESOURCE.findall(emitted.text("terraform", folder)))
                expressions = []
                for table in emitted.tables(folder, views=False):
                    body = resources[table.stem]
                    described = re.search(r"^  description +=(.*)$", body, re.M)
                    labels = re.search(r"^  labels +=(.*)$", body, re.M)
                    schema = re.search(r"jsonencode\(\[(.*?)^  \]\)", body, re.M | re.S)[1]
                    schema = "".join(line.strip() for line in schema.strip().splitlines()).rstrip(",")
                    expressions.append("[[%s],%s,%s]" % (
                        schema, described[1] if described else "null", labels[1] if labels else "{}"))

                done = self.terraform("console", text="jsonencode([%s])\n" % ",".join(expressions))

                self.assertEqual(0, done.returncode, done.stderr)
                found = json.loads(json.loads(done.stdout))
                self.assertEqual(
                    [[json.loads(emit_schema.schema_json(table)), table.description or None, dict(table.labels)]
                     for table in emitted.tables(folder, views=False)], found)

    def test_a_reader_of_hcl_finds_the_arguments_of_the_provider(self):
        packages = emitted.Packages("emitted")
        for folder in emitted.FOLDERS:
            with self.subTest(folder):
                parsed = plain(packages.answer(PARSE, emitted.text("terraform", folder)))
                self.assertEqual({"bqsync_project", "bqsync_dataset"},
                                 {name for variable in parsed["variable"] for name in variable})
                found = {name: body for resource in parsed["resource"]
                         for name, body in resource["google_bigquery_table"].items()}
                for table in emitted.tables(folder, views=False):
                    self.check(table, found.pop(table.stem))
                self.assertEqual({}, found)

    def check(self, table, body):
        self.assertLessEqual(set(body), ARGUMENTS | set(BLOCKS), table.stem)
        self.assertLessEqual(REQUIRED, set(body), table.stem)
        for name, known in BLOCKS.items():
            for block in body.get(name, []):
                self.assertLessEqual(set(block), known, (table.stem, name))
        self.assertEqual(table.target, body["table_id"])
        self.assertEqual("${var.bqsync_dataset}", body["dataset_id"])
        self.assertEqual([column.name for column in table.cluster_by], body.get("clustering", []))
        self.assertEqual(table.require_partition_filter, body.get("require_partition_filter", False))
        self.assertEqual(True, body["deletion_protection"])
        self.assertEqual(["labels", "schema"], [name.strip("${}") for name in body["lifecycle"][0]["ignore_changes"]])
        time, numbers = body.get("time_partitioning"), body.get("range_partitioning")
        if table.time_partition is not None:
            keep_ms = table.time_partition.keep_days * 24 * 3600 * 1000
            self.assertEqual([{"type": table.time_partition.granularity, "field": table.time_partition.column.name,
                               **({"expiration_ms": keep_ms} if keep_ms else {})}], time)
        if table.range_partition is not None:
            bounds = table.range_partition
            self.assertEqual(bounds.column.name, numbers[0]["field"])
            self.assertEqual([str(bounds.start), str(bounds.end), str(bounds.interval)],
                             [str(numbers[0]["range"][0][name]).strip("${}") for name in ("start", "end", "interval")])
        self.assertEqual((table.time_partition is None, table.range_partition is None), (time is None, numbers is None))
        keys = body.get("table_constraints")
        self.assertEqual(table.primary_key_allowed, keys is not None)
        if keys is not None:
            self.assertEqual([column.name for column in table.key], keys[0]["primary_key"][0]["columns"])


if __name__ == "__main__":
    unittest.main()

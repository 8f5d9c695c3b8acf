"""What `explain` says of changed definitions is what the program then does, for each kind of change."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCHEMAS = ROOT / "tests" / "schemas" / "explain"
VALUES = {"STRING": "'{n}'", "INT64": "{n}", "NUMERIC": "{n}", "TIMESTAMP": "'2024-01-0{n}'"}
SECTION = re.compile(r"^## `([^`]+)`[^:]*: (.*)$", re.M)
PERHAPS = re.compile(r"all rows are sent again if changes were found by (triggers|a scan)")


def definitions(which):
    return {path.stem: json.loads(path.read_text()) for path in (SCHEMAS / which).glob("*.json")}


def source():
    """The tables of both folders, with two rows each."""
    statements = []
    columns = {}
    for name, document in [*definitions("after").items(), *definitions("before").items()]:
        for column in document["columns"]:
            columns.setdefault(name, {})[column.get("source", column["name"]).lower()] = column["type"]
    for name, types in columns.items():
        declared = ", ".join("id integer primary key" if column == "id" else column for column in types)
        statements.append(f"create table {name}({declared})")
        for n in (1, 2):
            # Not the same in each column, so that a row looks different when they change places.
            values = ", ".join(VALUES.get(kind, "{n}").format(n=f"w{n}" if (column, kind) == ("w", "STRING") else n)
                               for column, kind in types.items())
            statements.append(f"insert into {name}({', '.join(types)}) values ({values})")
    statements.append("create unique index other_keys on other_key(w, id)")
    statements.append("create unique index hashed_keys on history_hashed(w)")
    return ";\n".join(statements)


def explained():
    """Of each table that the command names: its title, the text of its section, and its statements."""
    done = subprocess.run(
        [sys.executable, "-m", "codegen", "explain", str(SCHEMAS / "before"), "--schemas", str(SCHEMAS / "after")],
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    parts = SECTION.split(done.stdout.replace("${project}", "p").replace("${dataset}", "d"))
    sections = {}
    for name, title, text in zip(parts[1::3], parts[2::3], parts[3::3]):
        code = re.search(r"^```sql\n(.*);\n```$", text, re.M | re.S)
        sections[name] = (title, text, code[1].split(";\n") if code else [])
    return sections


class ExplainTest(unittest.TestCase):
    maxDiff = None
    state = None
    left_out = ()

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(
            Deployment(self.bq, program="bqsync_explain_before", schema=source(), state=self.state))
        self.app.sync()
        self.app.program = self.app.program.replace("before", "after")
        self.sections = explained()
        self.tables = [name for name in definitions("after") if name not in self.left_out]

    def resources(self):
        """What a person sees of each target, without what each pass changes."""
        found = {}
        for name in self.bq.tables("d"):
            table = self.bq.table("d", name)
            labels = {key: value for key, value in table.get("labels", {}).items() if not key.startswith("bqsync_")}
            found[name] = {"labels": labels, **{key: table.get(key) for key in (
                "schema", "description", "clustering", "timePartitioning", "rangePartitioning", "tableConstraints",
                "requirePartitionFilter", "view")}}
        return found

    @staticmethod
    def with_history(resources, target):
        """A target's part, with the log and the view of its history."""
        if target not in resources:
            return None
        return [resources.get(target + end) for end in ("", "_changes", "_history")]

    def triggers(self):
        return {name: sql for name, sql in self.app.execute("select name, sql from sqlite_master where type = 'trigger'")}

    def test_the_plan_has_the_same_statements_and_refusals(self):
        plan = self.app.json("plan", *self.tables, status=1)
        for name in self.tables:
            with self.subTest(name):
                planned = self.app.table(plan, name)
                _, text, statements = self.sections.get(name, ("", "", []))
                self.assertEqual(planned["ddl"], statements)
                refusals = re.findall(r"^- \*\*(.*)\*\*$", text, re.M)
                if planned["blocked"] is None:
                    self.assertEqual([], refusals)
                else:
                    self.assertEqual(planned["blocked"], re.sub(r"`` (.*) ``", r"`\1`", refusals[0]))

    def what_happened(self, result, before, after):
        """In the words of the command's titles."""
        if result["status"] == "failed":
            self.assertEqual("schema", result["error"]["code"])
            return "is refused: a person must decide"
        if before is None:
            return "is created and filled"
        changes = "" if before == after else "changes in BigQuery"
        self.assertEqual(bool(changes), result["altered"] is not None)
        if result["status"] == "synced":
            self.assertIn((result["mode"], result["rows_inserted"], result["rows_updated"]),
                          (("replace", 2, 0), ("merge", 0, 2)))
            return changes + (", and " if changes else "") + "all rows are sent again"
        return changes + ", no row is sent" if changes else "nothing changes in BigQuery"

    def assert_said(self, name, happened):
        title = self.sections.get(name, ("nothing changes in BigQuery",))[0]
        condition = PERHAPS.fullmatch(title)
        if condition is None:
            self.assertEqual(title, happened)
        elif (condition[1] == "a scan") == (self.state is not None):
            self.assertTrue(happened.endswith("all rows are sent again"), happened)
        else:
            self.assertEqual("nothing changes in BigQuery", happened)

    def test_a_pass_does_what_is_said(self):
        documents = definitions("after")
        before, triggers = self.resources(), self.triggers()

        run = self.app.sync(*self.tables, status=1)

        after, renewed = self.resources(), self.triggers()
        for name in self.tables:
            with self.subTest(name):
                target = documents[name].get("target", name)
                result = self.app.table(run, name)
                self.assert_said(name, self.what_happened(
                    result, self.with_history(before, target), self.with_history(after, target)))
                said = re.search("triggers in SQLite", self.sections.get(name, ("", ""))[1])
                changed = any(triggers.get(f"bq_sync_{kind}_{name}") != renewed.get(f"bq_sync_{kind}_{name}")
                              for kind in ("insert", "update", "rekey", "delete"))
                if self.state is None and result["status"] != "failed" and name in definitions("before"):
                    self.assertEqual(changed, said is not None)
        # The next pass finds nothing to do, but for what waits for a person.
        again = self.app.sync(*self.tables, status=1)
        self.assertEqual({"unchanged", "failed"}, {table["status"] for table in again["tables"]})

    def test_a_column_that_is_gone_is_empty_and_stays(self):
        self.app.sync("lost_column", "tightened")

        self.assertEqual([{"id": 1, "v": "1", "w": None}, {"id": 2, "v": "2", "w": None}],
                         sorted(self.bq.rows("d", "lost_column"), key=lambda row: row["id"]))
        self.assertEqual("NULLABLE", self.bq.table("d", "tightened")["schema"]["fields"][1]["mode"])

    def test_a_table_without_a_definition_stays_until_a_person_drops_it(self):
        self.app.sync(status=1)

        self.assertEqual([(1, "1"), (2, "2")], self.app.warehouse_rows("gone"))
        self.assertEqual(self.state is None, "bq_sync_insert_gone" in self.triggers())
        if self.state is None:
            self.assertEqual(0, self.app.run("capture", "prune")[0])
            self.assertNotIn("bq_sync_insert_gone", list(self.triggers()))


class ScannedTest(ExplainTest):
    """The same where the source is not written, so that every table is scanned."""

    state = "state.db"
    left_out = ("from_scan",)


if __name__ == "__main__":
    unittest.main()

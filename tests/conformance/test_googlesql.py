"""Google's SQL analyzer judges every statement that bqsync sends, and mutants of them."""

import re
import pathlib
import tempfile
import unittest

from tests.conformance import mutants, statements
from tests.support import foreign

PROGRAMS = [("bqsync_samples", True), ("bqsync_shapes", False), ("bqsync_deletes", True),
            ("bqsync_torture", True)]


def as_before(sql):
    """A column is added to a table that has it already by its DDL: as a script that drops it first."""
    added = re.match(r"(alter table \S.*?) add column (`[^`]+`)", sql)
    return f"{added[1]} drop column {added[2]};\n{sql}" if added else sql


class GoogleSqlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = foreign.Stage("googlesql")
        cls.addClassCleanup(cls.stage.close)
        folder = tempfile.TemporaryDirectory(prefix="bqsync-googlesql-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        for name in ("ddl", "good", "mutants"):
            (cls.folder / name).mkdir()
        cls.collected = [statements.collect(program, runs) for program, runs in PROGRAMS]
        cls.parts = statements.collect_parts()
        cls.texts = {}
        for collected in [*cls.collected, cls.parts]:
            cls.write_all(collected)
        cls.verdicts = cls.judge()

    @classmethod
    def write(cls, kind, name, sql):
        path = f"{kind}/{re.sub(r'[^0-9A-Za-z_.-]', '_', name)}.sql"
        (cls.folder / path).write_text(sql.rstrip(";").replace("${project}", statements.PROJECT)
                                       .replace("${dataset}", statements.DATASET) + ";\n")
        cls.texts[path] = sql

    @classmethod
    def write_all(cls, collected):
        for name, sql in collected.ddl.items():
            cls.write("ddl", name, sql)
            cls.write_mutants(name, mutants.create(sql, collected.columns[name.split(".")[0]]))
        for name, sql in collected.staging.items():
            cls.write("ddl", name, sql)
        for name, sql in collected.merges.items():
            cls.write("good", name, sql)
            if ".sent" not in name:
                make = mutants.merge if sql.startswith("merge") else mutants.insert
                cls.write_mutants(name, make(sql, collected.columns[name.split(".")[0]]))
        for name, (sql, columns) in collected.inline.items():
            cls.write("good", name, statements.with_type(sql, columns))
        mutated = set()
        for name, sql in collected.other.items():
            cls.write("good", name, as_before(sql))
            # The statements of drifted tables differ by the column only: one of each sort is enough.
            sort = re.sub(r"`[^`]*`", "", sql)
            if sort not in mutated:
                mutated.add(sort)
                make = {"alter": mutants.alter, "select": mutants.select}.get(sql.split()[0].lower())
                cls.write_mutants(name, make(sql) if make else {})

    @classmethod
    def write_mutants(cls, name, made):
        for mistake, sql in made.items():
            cls.write("mutants", f"{name}.{mistake}", sql)

    @classmethod
    def judge(cls):
        """{file: None if it was accepted, else why not}; one run of the analyzer for all."""
        ended = cls.stage.run("googlesql-check.js", "-v", "--ddl", cls.folder / "ddl",
                              cls.folder / "good", cls.folder / "mutants", timeout=600)
        if ended.returncode not in (0, 1):
            foreign.unavailable(f"the analyzer does not run: {ended.stderr.strip()[-500:]}")
        verdicts = {}
        for line in ended.stdout.splitlines():
            path = line.removeprefix("ok ").split(":")[0].removeprefix(f"{cls.folder}/")
            if path.endswith(".sql") and verdicts.get(path) is None:
                verdicts[path] = None if line.startswith("ok ") else line.split(": ", 1)[-1]
        return verdicts

    def test_every_statement_is_accepted(self):
        for path in self.texts:
            if not path.startswith("mutants/"):
                with self.subTest(statement=path):
                    self.assertIn(path, self.verdicts)
                    self.assertIsNone(self.verdicts[path], self.texts[path])

    def test_every_mutant_is_refused(self):
        for path in self.texts:
            if path.startswith("mutants/"):
                with self.subTest(mutant=path):
                    self.assertIn(path, self.verdicts)
                    self.assertIsNotNone(self.verdicts[path], self.texts[path])

    def test_nothing_that_bqsync_can_say_was_left_out(self):
        for (program, runs), collected in zip(PROGRAMS, self.collected):
            with self.subTest(program=program):
                tables = set(collected.columns)
                self.assertEqual(tables, {name.split(".")[0] for name in collected.ddl})
                self.assertEqual(tables, {name.split(".")[0] for name in collected.merges})
                if runs:
                    self.assertTrue(collected.inline)
                    said = {" ".join(sql.split()[:2]) for sql in collected.other.values()}
                    self.assertLessEqual({"alter table", "truncate table", "select r.bucket,", "create table"}, said)
                    self.assertTrue(any("begin transaction" in sql for sql in collected.other.values()))
        scripts = [sql for sql in self.parts.other.values() if "truncate table" in sql]
        self.assertEqual([2] * len(self.parts.columns), [sql.count("\nwhere ") for sql in scripts])
        self.assertTrue(any("on false" in sql for sql in self.collected[-1].merges.values()))
        self.assertTrue(any(" set data type " in sql for sql in self.collected[-1].other.values()))
        self.assertGreater(sum(path.startswith("mutants/") for path in self.texts), 1000)


if __name__ == "__main__":
    unittest.main()

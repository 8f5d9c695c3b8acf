"""Google's analyzer takes the views and table functions of bqlocal's tests, and bqlocal gives the rows of their queries.

The engine has no views: it runs the query of a view, and of a table function with its argument as a query parameter.
"""

import pathlib
import re
import tempfile
import unittest

from tests.bqlocal.tests.sql_cases import AS_OF, HISTORY, LOG
from tests.bqlocal.tests.sql_session import Session
from tests.conformance.engine import Engine
from tests.support import foreign

MOMENTS = ["2025-12-31 23:59:59.999999", "2026-01-01 00:00:00", "2026-01-02 12:00:00", "2026-01-03 00:00:00",
           "2026-01-04 00:00:00", "9999-12-31 00:00:00"]
# Of each version in the order of generations: key, operation, day, whether a restore undid it.
VERSIONS = [(1, "insert", 1, "NULL"), (2, "insert", 1, "NULL"), (1, "update", 2, "NULL"), (2, "delete", 3, "NULL"),
            (3, "insert", 4, "TRUE"), (1, "delete", 4, "TRUE"), (2, "insert", 5, "NULL"), (3, "insert", 6, "NULL"),
            (1, "delete", 7, "NULL")]
GENERATED = pathlib.Path(__file__).resolve().parent.parent / "golden" / "good_history" / "expected"
# What is wrong in each, and what it is.
WRONG = {
    "parameter": "create table function d.f(x int64) as select @x as y",
    "reserved": "create table function d.f(at timestamp) as select 1 as y",
    "type": "create table function d.f(x int64) as select id from d.log where made > x",
    "name": "create view d.v as select nope from d.log",
    "columns": "create view d.v (a, b) as select id from d.log",
    "twice": "create view d.v as select id, name as id from d.log",
}


def query_of(statement):
    return re.split(r"\bAS\s", statement, maxsplit=1)[1]


class ViewsTest(unittest.TestCase):
    def setUp(self):
        self.stage = foreign.Stage("googlesql")
        self.addCleanup(self.stage.close)

    def test_a_view_and_a_function_have_the_rows_of_their_queries(self):
        with Engine(self.stage) as engine, Session() as session:
            for side in (engine, session):
                side.run(LOG)
            for statement in (HISTORY, AS_OF):
                session.run(statement)

            self.assertEqual(sorted(session.rows("SELECT * FROM d.history"), key=repr),
                             sorted(engine.rows(query_of(HISTORY)), key=repr))
            for moment in MOMENTS:
                argument = {"name": "at", "parameterType": {"type": "TIMESTAMP"}, "parameterValue": {"value": f"{moment}+00"}}
                with self.subTest(moment):
                    self.assertEqual(
                        sorted(session.rows("SELECT * FROM d.as_of(@at)", parameters=[argument])),
                        sorted(engine.rows(query_of(AS_OF).replace("`at`", "@at"), [argument])))

    def test_what_is_generated_for_a_history_is_taken_by_both(self):
        files = sorted(GENERATED.glob("*.history.sql"))
        self.assertTrue(files)
        with tempfile.TemporaryDirectory(prefix="bqsync-views-") as folder:
            folder = pathlib.Path(folder)
            for file in files:
                table = file.name.removesuffix(".history.sql")
                texts = [(GENERATED / name).read_text().replace("${project}", "p").replace("${dataset}", "d")
                         for name in (f"{table}.ddl.sql", file.name)]
                (folder / f"{table}.sql").write_text("\n".join(texts))
                with self.subTest(table), Session() as session:
                    kinds = [one["type"] for one in session.run("\n".join(texts))["statements"]]
                    self.assertEqual(["CREATE_TABLE", "CREATE_TABLE", "CREATE_VIEW", "CREATE_TABLE_FUNCTION"], kinds)
            ended = self.stage.run("googlesql-check.js", "-v", "--project", "p", folder, timeout=120)
            self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)
            self.assertEqual(4 * len(files), ended.stdout.count("\nok ") + ended.stdout.startswith("ok "), ended.stdout)

    def test_a_generated_history_has_the_rows_of_its_queries(self):
        text = "".join((GENERATED / f"users.{kind}.sql").read_text() for kind in ("ddl", "history"))
        texts = [one for one in text.replace("${project}", "p").replace("${dataset}", "d").split(";\n") if one.strip()]
        rows = ",".join(f"({key}, 'e{number}', {number}, '{operation}', '2026-01-0{day} 00:00:00+00', {number}, 'r', {gone})"
                        for number, (key, operation, day, gone) in enumerate(VERSIONS, 1))
        with Engine(self.stage) as engine, Session() as session:
            for side in (engine, session):
                side.run(texts[1])
                side.run(f"INSERT INTO d.users_changes VALUES {rows}")
            session.run(";\n".join(texts[2:]))
            view, function = (one.split("\nas\n", 1)[1] for one in texts[2:])

            self.assertEqual(sorted(engine.rows(view)), sorted(session.rows("SELECT * FROM d.users_history")))
            for day in range(10):
                argument = {"name": "at", "parameterType": {"type": "TIMESTAMP"},
                            "parameterValue": {"value": f"2026-01-0{day + 1} 00:00:00+00" if day < 9 else "2025-12-31 00:00:00+00"}}
                with self.subTest(day):
                    self.assertEqual(sorted(engine.rows(function.replace("`at`", "@at"), [argument])),
                                     sorted(session.rows("SELECT * FROM d.users_at(@at)", parameters=[argument])))
            self.assertEqual(["2", "3"], sorted(row[0] for row in session.rows("SELECT id FROM d.users_at('2026-01-08 00:00:00+00')")))

    def test_googles_analyzer_takes_and_refuses_the_same_statements(self):
        tables = LOG.strip().split(";")[0] + ";\n"
        with tempfile.TemporaryDirectory(prefix="bqsync-views-") as folder, Session() as session:
            folder = pathlib.Path(folder)
            (folder / "ddl.sql").write_text(tables)
            session.run(tables)
            named = {"history": HISTORY, "as_of": AS_OF, **WRONG}
            for name, sql in named.items():
                (folder / f"{name}.sql").write_text(sql + ";\n")
            ended = self.stage.run("googlesql-check.js", "--project", "p", "--ddl", folder / "ddl.sql",
                                   *(folder / f"{name}.sql" for name in named), timeout=120)
            self.assertEqual(1, ended.returncode, ended.stderr)
            for name, sql in named.items():
                with self.subTest(name):
                    self.assertEqual(name in WRONG, "error" in session.ask(sql=sql))
                    self.assertEqual(name in WRONG, f"{folder}/{name}.sql:" in ended.stdout, ended.stdout)


if __name__ == "__main__":
    unittest.main()

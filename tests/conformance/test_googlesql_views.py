"""Google's analyzer takes the views and table functions of bqlocal's tests, and bqlocal gives the rows of their queries.

The engine has no views: it runs the query of a view, and of a table function with its argument as a query parameter.
"""

import re
import tempfile
import pathlib
import unittest

from tests.bqlocal.tests.sql_session import Session
from tests.bqlocal.tests.test_sql_views import AS_OF, HISTORY, LOG
from tests.conformance.engine import Engine
from tests.support import foreign

MOMENTS = ["2025-12-31 23:59:59.999999", "2026-01-01 00:00:00", "2026-01-02 12:00:00", "2026-01-03 00:00:00",
           "2026-01-04 00:00:00", "9999-12-31 00:00:00"]
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

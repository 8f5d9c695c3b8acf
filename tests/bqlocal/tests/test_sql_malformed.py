"""Malformed GoogleSQL: whatever comes in, an answer comes out and the program lives."""

import random
import re
import unittest

from tests.bqlocal.tests.sql_cases import QUERIES, VALUES
from tests.bqlocal.tests.sql_session import Session

STATEMENTS = [
    "CREATE OR REPLACE TABLE d.x (id INT64 NOT NULL DEFAULT 1 OPTIONS(description='k'), s STRING(3), "
    "PRIMARY KEY (id) NOT ENFORCED) PARTITION BY RANGE_BUCKET(id, GENERATE_ARRAY(0, 9, 1)) "
    "CLUSTER BY id OPTIONS(labels=[('a', 'b')], expiration_timestamp=TIMESTAMP '2999-01-01')",
    "ALTER TABLE d.x ADD COLUMN IF NOT EXISTS c DATE, ALTER COLUMN s SET OPTIONS(description='z')",
    "INSERT INTO d.x (id, s) VALUES (1, 'a'), (2, NULL)",
    "UPDATE d.x t SET s = CONCAT(t.s, 'b') WHERE t.id IN (SELECT id FROM d.x) AND t.id > 1",
    "MERGE d.x T USING (SELECT 1 AS id, 'q' AS s) S ON T.id = S.id WHEN MATCHED AND S.s = 'q' THEN "
    "UPDATE SET s = S.s WHEN NOT MATCHED THEN INSERT (id, s) VALUES (S.id, S.s) WHEN NOT MATCHED BY SOURCE THEN DELETE",
    "BEGIN TRANSACTION; DELETE FROM d.x WHERE id IN (1, 2); ROLLBACK TRANSACTION",
    "DROP TABLE IF EXISTS d.x",
]

# What GoogleSQL has and bqlocal does not, and how it says so.
LACKING = [
    ("CREATE MATERIALIZED VIEW d.v AS SELECT 1", "CREATE MATERIALIZED"),
    ("CREATE FUNCTION d.f() AS (1)", "CREATE FUNCTION"),
    ("CREATE TABLE FUNCTION d.f(x ANY TYPE) AS SELECT 1", "table functions with parameters of ANY or TABLE type"),
    ("CREATE TABLE FUNCTION d.f() RETURNS TABLE<y INT64> AS SELECT 1", "RETURNS of a table function"),
    ("CREATE TEMP TABLE x AS SELECT 1", "CREATE TEMP"),
    ("DECLARE x INT64", "DECLARE"),
    ("SELECT STRUCT(1 AS a)", "STRUCT"),
    ("SELECT STRUCT<a INT64>(1)", "STRUCT"),
    ("SELECT @@project_id", "system variables (@@name)"),
    ("SELECT * FROM d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", "FOR SYSTEM_TIME AS OF"),
    ("SELECT * FROM `d.t_*`", "wildcard tables"),
    ("SELECT * FROM d.__TABLES__", "__TABLES__; it has INFORMATION_SCHEMA.TABLES"),
    ("SELECT * FROM d.t TABLESAMPLE SYSTEM (1 PERCENT)", "TABLESAMPLE"),
    ("SELECT * FROM d.t PIVOT(SUM(a) FOR b IN (1))", "PIVOT and UNPIVOT"),
    ("SELECT a FROM d.t GROUP BY ROLLUP(a)", "GROUP BY ROLLUP"),
    ("SELECT * REPLACE (1 AS a) FROM d.t", "* REPLACE"),
    ("SELECT (1).x", "fields of values (x.y)"),
    ("SELECT [1][OFFSET(0)]", "array subscripts"),
    ("SELECT ARRAY(SELECT 1)", "ARRAY of a subquery"),
    ("SELECT CAST('1' AS INT64 FORMAT '9')", "CAST with a FORMAT"),
    ("SELECT CAST('abc' AS STRING(2))", "CAST to a type with parameters"),
    ("SELECT CAST('2025-10-20' AS TIMESTAMP(12))", "parameters of the type TIMESTAMP"),
    ("CREATE TABLE d.x (a TIMESTAMP(12))", "parameters of the type TIMESTAMP"),
    ("SELECT r'a'", "raw literals (r'...')"),
    ("SELECT 1 << 2", "the operator <<"),
    ("SELECT DATE '2020-01-01' + 1", "the operator + on dates and times: write DATE_ADD, DATE_DIFF"),
    ("SELECT RANK() OVER (ORDER BY a) FROM d.t", "RANK with an OVER clause"),
    ("SELECT ST_GEOGPOINT(1, 2)", "ST_GEOGPOINT; docs/bqlocal.md lists what it has"),
    ("FROM d.t SELECT a", "pipe syntax (a query that begins with FROM)"),
]

PIECES = ["(", ")", "'", '"', "`", ",", ";", "*", "@p", "?", "NULL", "SELECT", "FROM", "WHERE", "0x",
          "1e999", "9223372036854775808", "\\", "'''", "/*", "--", "é", "\u0000", "AS", "OVER ()",
          "[", "]", "GROUP BY", "CAST(", "INTERVAL", "x'", "b'\\xff'", "DISTINCT", "UNNEST(", "-", "."]


class Malformed(unittest.TestCase):
    def mutate(self, dice, text):
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(text) + 1)
            end = min(len(text), at + dice.randrange(8))
            what = dice.randrange(4)
            if what == 0:
                text = text[:at] + text[end:]
            elif what == 1:
                text = text[:at] + dice.choice(PIECES) + text[at:]
            elif what == 2:
                text = text[:at] + dice.choice(PIECES) + text[end:]
            else:
                other = dice.randrange(len(text) + 1)
                text = text[:at] + text[other:other + dice.randrange(30)] + text[at:]
        return text

    def test_mutated_statements_never_kill_the_program(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        seeds = (STATEMENTS * 12 + [sql for sql, _ in QUERIES]
                 + [f"SELECT {expression}" for expression, _ in VALUES])
        refused = 0

        with Session() as session:
            session.run("CREATE TABLE d.people (id INT64, name STRING, age INT64, city STRING);"
                        "CREATE TABLE d.cities (city STRING, country STRING)")
            for number in range(1500):
                text = self.mutate(dice, dice.choice(seeds))
                with self.subTest(seed=seed, number=number, text=text):
                    answer = session.ask(sql=text, dry_run=dice.random() < 0.2)
                    refused += "error" in answer
                    self.assertTrue("error" not in answer or answer["status"] in (400, 403, 404, 409),
                                    answer)
            self.assertEqual(session.close(), 0)

        self.assertGreater(refused, 500)

    def test_what_bqlocal_lacks_is_named(self):
        with Session() as session:
            session.run("CREATE TABLE d.t (a INT64, b INT64)")
            for text, what in LACKING:
                with self.subTest(text):
                    self.assertRegex(session.ask(sql=text)["error"],
                                     rf"bqlocal does not have {re.escape(what)} at \[1:\d+\]$")

    def test_extremes_are_answered(self):
        with Session() as session:
            for text in ["", ";;;", "\u0001", "(" * 100000, "SELECT " + "-" * 3000 + "1",
                         "SELECT " + "NOT " * 3000 + "TRUE", "SELECT " + "1+" * 3000 + "1",
                         "SELECT " + "CASE WHEN TRUE THEN " * 500, "SELECT '" + "a" * 1000000,
                         "SELECT 1 " + "UNION ALL SELECT 1 " * 600, "SELECT FORMAT('%.999999999e', 1.0)",
                         "SELECT * FROM " + "(SELECT * FROM " * 500,
                         "WITH a0 AS (SELECT 1 AS x)" + "".join(
                             f", a{i + 1} AS (SELECT p.x FROM a{i} p, a{i} q)" for i in range(60))
                         + " SELECT x FROM a60",
                         "SELECT SUBSTR('x', 1, -9000000000000000000)"]:
                with self.subTest(text[:40]):
                    self.assertIn("error", session.ask(sql=text))
            self.assertEqual(session.close(), 0)


if __name__ == "__main__":
    unittest.main()

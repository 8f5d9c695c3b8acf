"""GoogleSQL queries: clauses, joins, names, INFORMATION_SCHEMA."""

import resource
import unittest

from tests.bqlocal.tests.sql_cases import QUERIES
from tests.bqlocal.tests.sql_session import Session, SqlFailed

FAILURES = [
    ("SELEC 1", "Syntax error: Unexpected identifier \"SELEC\" at [1:1]"),
    ("SELECT", "Syntax error: Unexpected end of script at [1:7]"),
    ("SELECT 1 FROM WHERE", "Syntax error: Unexpected keyword WHERE at [1:15]"),
    ("SELECT (1", "Syntax error: Expected \")\" but got end of script at [1:10]"),
    ("SELECT 'a", "Syntax error: Unclosed string literal at [1:8]"),
    ("SELECT\n  nam FROM d.people", "Unrecognized name: nam at [2:3]"),
    ("SELECT p.nope FROM d.people p", "Name nope not found inside p at [1:10]"),
    ("SELECT q.id FROM d.people p", "Unrecognized name: q at [1:8]"),
    ("SELECT * FROM people",
     'Table "people" must be qualified with a dataset (e.g. dataset.table).'),
    ("SELECT city FROM d.people p, d.cities c", "Column name city is ambiguous at [1:8]"),
    ("SELECT name, COUNT(*) FROM d.people",
     "SELECT list expression references column name which is neither grouped nor aggregated at [1:8]"),
    ("SELECT 1 FROM d.people WHERE COUNT(*) > 1",
     "Aggregate function COUNT not allowed in WHERE clause at [1:30]"),
    ("SELECT 1 FROM d.people WHERE id",
     "WHERE clause should return type BOOL, but returns type INT64 at [1:30]"),
    ("SELECT id, id FROM d.people",
     "Duplicate column names in the result are not supported when a destination table is present. "
     "Found duplicate(s): id"),
    ("SELECT * FROM d.people a, d.cities a",
     "Duplicate table alias a in the same FROM clause at [1:27]"),
    ("SELECT 1 UNION ALL SELECT 'a'",
     "Column 1 in UNION ALL has incompatible types: INT64, STRING at [1:10]"),
    ("SELECT id FROM d.people JOIN d.cities USING (city)",
     "bqlocal does not have JOIN ... USING: write JOIN ... ON at [1:39]"),
    ("SELECT id FROM d.people QUALIFY id = 1", "The QUALIFY clause requires analytic function to be present in the "
     "QUALIFY clause or the SELECT list at [1:36]"),
    ("SELECT DISTINCT city FROM d.people QUALIFY ROW_NUMBER() OVER (ORDER BY id) = 1",
     "bqlocal does not have SELECT DISTINCT with QUALIFY at [1:76]"),
    ("SELECT id FROM d.people QUALIFY ROW_NUMBER() OVER (ORDER BY id)",
     "QUALIFY clause should return type BOOL, but returns type INT64 at [1:33]"),
    ("SELECT city FROM d.people GROUP BY city QUALIFY ROW_NUMBER() OVER (ORDER BY id) = 1",
     "SELECT list expression references column id which is neither grouped nor aggregated at [1:77]"),
    ("SELECT 1 EXCEPT DISTINCT SELECT 1", "bqlocal does not have INTERSECT and EXCEPT at [1:10]"),
    ("SELECT *", "SELECT * must have a FROM clause at [1:8]"),
    ("SELECT 1 WHERE FALSE", "Query without FROM clause cannot have a WHERE clause at [1:16]"),
    ("SELECT DISTINCT city FROM d.people ORDER BY id",
     "ORDER BY clause expression references column id which is not visible after SELECT DISTINCT at [1:45]"),
    ("SELECT DISTINCT id + 1 AS x FROM d.people GROUP BY x ORDER BY id + 1",
     "ORDER BY clause expression references column id which is not visible after SELECT DISTINCT at [1:63]"),
    ("SELECT DISTINCT city FROM d.people GROUP BY city, id ORDER BY id",
     "ORDER BY clause expression references column id which is not visible after SELECT DISTINCT at [1:63]"),
    ("SELECT DISTINCT city, COUNT(*) FROM d.people GROUP BY city ORDER BY COUNT(*)",
     "Aggregate function COUNT not allowed in ORDER BY clause after SELECT DISTINCT at [1:69]"),
]


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = Session()
        cls.session.run(
            "CREATE TABLE d.people (id INT64, name STRING, age INT64, city STRING);"
            "INSERT d.people VALUES (1, 'Ann', 40, 'Oslo'), (2, 'Bob', 20, 'Pune'),"
            " (3, 'Cid', 31, 'Pune'), (4, 'Dan', NULL, NULL);"
            "CREATE TABLE d.cities (city STRING NOT NULL, country STRING);"
            "INSERT d.cities VALUES ('Oslo', 'NO'), ('Pune', 'IN'), ('Rome', 'IT')"
        )

    @classmethod
    def tearDownClass(cls):
        assert cls.session.close() == 0

    def test_queries_answer_as_bigquery_does(self):
        for sql, expected in QUERIES:
            with self.subTest(sql):
                self.assertEqual(self.session.rows(sql), expected)

    def test_wrong_queries_fail_with_googles_words_and_place(self):
        for sql, message in FAILURES:
            with self.subTest(sql), self.assertRaises(SqlFailed) as caught:
                self.session.rows(sql)
            with self.subTest(sql):
                self.assertEqual(caught.exception.message, message)
                self.assertEqual(caught.exception.reason, "invalidQuery")

    def test_a_missing_table_is_404(self):
        with self.assertRaises(SqlFailed) as caught:
            self.session.rows("SELECT * FROM d.nowhere")

        self.assertEqual(caught.exception.status, 404)
        self.assertEqual(caught.exception.message,
                         "Not found: Table p:d.nowhere was not found in location US")

    def test_a_default_dataset_completes_names(self):
        rows = self.session.rows("SELECT COUNT(*) FROM people", dataset="d")
        self.assertEqual(rows, [("4",)])

    def test_a_dry_run_gives_the_schema_and_no_rows(self):
        answer = self.session.run("SELECT id, name FROM d.people", dry_run=True)

        self.assertEqual([f["name"] for f in answer["schema"]], ["id", "name"])
        self.assertNotIn("rows", answer)

    def test_long_chains_of_conditions_run(self):
        condition = " OR ".join(f"id = {i}" for i in range(3000))
        self.assertEqual(self.session.rows(f"SELECT COUNT(*) FROM d.people WHERE {condition}"),
                         [("4",)])

    def test_outer_joins_find_thousands_of_partners(self):
        rows = ",".join(f"({number})" for number in range(20000))
        with Session() as session:
            session.run(f"CREATE TABLE d.a (id INT64); INSERT d.a VALUES {rows}; CREATE TABLE d.b AS SELECT id + 10 AS id FROM d.a")
            for kind, count in (("LEFT", 20000), ("RIGHT", 20000), ("FULL", 20010)):
                with self.subTest(kind):
                    self.assertEqual(session.rows(f"SELECT COUNT(*) FROM d.a {kind} JOIN d.b ON a.id = b.id"), [(str(count),)])

    def test_deep_nesting_is_refused(self):
        with self.assertRaises(SqlFailed) as caught:
            self.session.rows("SELECT " + "(" * 5000 + "1" + ")" * 5000)
        self.assertIn("nested too deeply", caught.exception.message)

    def test_many_parentheses_are_refused_at_once(self):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with Session() as session, self.assertRaises(SqlFailed):
            session.rows("SELECT " + "(" * 30000 + "1" + ")" * 30000)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Seconds of the processor, which do not depend on what else runs; to look at all of them from each took 20.
        self.assertLess(after.ru_utime - before.ru_utime, 5)


if __name__ == "__main__":
    unittest.main()

"""GoogleSQL of views and table functions: what they give, and what is refused."""

import unittest

from tests.bqlocal.tests.sql_cases import AS_OF, HISTORY, LOG
from tests.bqlocal.tests.sql_session import Session, SqlFailed


class SqlCase(unittest.TestCase):
    def setUp(self):
        self.session = Session()

    def tearDown(self):
        self.assertEqual(self.session.close(), 0)

    def fails(self, sql, part, status=400, **more):
        with self.assertRaises(SqlFailed) as caught:
            self.session.run(sql, **more)
        self.assertIn(part, caught.exception.message)
        self.assertEqual(caught.exception.status, status)

    def statement(self, sql, **more):
        one = self.session.run(sql, **more)["statements"][0]
        return one["type"], one["ddl"]


class Views(SqlCase):
    def setUp(self):
        super().setUp()
        self.session.run("CREATE TABLE d.t (id INT64 NOT NULL, name STRING); INSERT d.t VALUES (1, 'a'), (2, 'b')")

    def test_a_view_shows_its_table_as_it_is_when_asked(self):
        self.session.run("CREATE VIEW d.v AS SELECT id, UPPER(name) AS name FROM d.t WHERE id > 1")

        self.assertEqual(self.session.rows("SELECT * FROM d.v"), [("2", "B")])
        self.session.run("INSERT d.t VALUES (3, 'c')")
        self.assertEqual(self.session.rows("SELECT v.name FROM d.v ORDER BY v.id"), [("B",), ("C",)])
        self.assertEqual(self.session.rows("SELECT COUNT(*) FROM `p.d.v` AS a JOIN d.v AS b ON a.id = b.id"), [("2",)])

    def test_a_view_is_a_table_without_rows_of_its_own(self):
        self.session.run("CREATE VIEW d.v (a OPTIONS(description='the key'), b) OPTIONS(description='words', "
                         "labels=[('k', 'v')], friendly_name='f') AS SELECT id, name FROM d.t")

        view = self.session.table("v")
        self.assertEqual(view["type"], "VIEW")
        self.assertEqual(view["numRows"], "0")
        self.assertEqual(view["view"], {"query": "SELECT id, name FROM d.t", "useLegacySql": False,
                                        "useExplicitColumnNames": True})
        self.assertEqual(view["schema"]["fields"], [
            {"name": "a", "type": "INTEGER", "description": "the key"}, {"name": "b", "type": "STRING"}])
        self.assertEqual((view["description"], view["labels"], view["friendlyName"]), ("words", {"k": "v"}, "f"))
        self.assertEqual(self.session.rows("SELECT a, b FROM d.v ORDER BY a"), [("1", "a"), ("2", "b")])
        self.assertEqual(self.session.rows("SELECT table_name, table_type FROM d.INFORMATION_SCHEMA.TABLES ORDER BY 1"),
                         [("t", "BASE TABLE"), ("v", "VIEW")])

    def test_create_and_drop_say_what_they_did(self):
        create = "CREATE {}VIEW {}d.v AS SELECT 1 AS x"

        self.assertEqual(self.statement(create.format("", "")), ("CREATE_VIEW", "CREATE"))
        self.assertEqual(self.statement(create.format("", "IF NOT EXISTS ")), ("CREATE_VIEW", "SKIP"))
        self.assertEqual(self.statement(create.format("OR REPLACE ", "")), ("CREATE_VIEW", "REPLACE"))
        self.fails(create.format("", ""), "Already Exists: Table p:d.v", 409)
        self.fails(create.format("OR REPLACE ", "IF NOT EXISTS "), "both")
        self.assertEqual(self.statement("DROP VIEW d.v"), ("DROP_VIEW", "DROP"))
        self.assertEqual(self.statement("DROP VIEW IF EXISTS d.v"), ("DROP_VIEW", "SKIP"))
        self.fails("DROP VIEW d.v", "Not found: Table p:d.v", 404)

    def test_a_view_and_a_table_do_not_take_each_others_place(self):
        self.session.run("CREATE VIEW d.v AS SELECT id FROM d.t")

        for sql in ("CREATE OR REPLACE VIEW d.t AS SELECT 1 AS x", "DROP VIEW d.t"):
            with self.subTest(sql):
                self.fails(sql, "p:d.t is not allowed for this operation because it is currently a TABLE.")
        for sql in ("CREATE OR REPLACE TABLE d.v (a INT64)", "DROP TABLE d.v", "ALTER TABLE d.v ADD COLUMN z INT64",
                    "INSERT d.v VALUES (1)", "UPDATE d.v SET id = 1 WHERE TRUE", "DELETE FROM d.v WHERE TRUE",
                    "TRUNCATE TABLE d.v", "MERGE d.v t USING d.t s ON FALSE WHEN NOT MATCHED THEN INSERT (id) VALUES (1)"):
            with self.subTest(sql):
                self.fails(sql, "p:d.v is not allowed for this operation because it is currently a VIEW.")
        self.assertEqual(self.session.rows("SELECT * FROM d.t ORDER BY 1"), [("1", "a"), ("2", "b")])

    def test_a_view_that_could_not_be_read_is_not_made(self):
        for query, part, status in (("SELECT * FROM d.none", "Not found: Table p:d.none", 404),
                                    ("SELECT nope FROM d.t", "Unrecognized name: nope", 400),
                                    ("SELECT id + 1 FROM d.t", "CREATE VIEW columns must be named", 400),
                                    ("SELECT id, name AS id FROM d.t", "duplicate name id", 400),
                                    ("SELECT * FROM t", "must be qualified with a dataset", 400)):
            with self.subTest(query):
                self.fails(f"CREATE VIEW d.v AS {query}", part, status, dataset="d")
        self.fails("CREATE VIEW d.v (a) AS SELECT id, name FROM d.t", "number of columns")
        self.fails("CREATE VIEW d.v AS SELECT @x AS x", "Query parameters cannot be used in views", parameters=[
            {"name": "x", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "1"}}])
        self.fails("SELECT * FROM d.v", "Not found", 404)

    def test_a_view_sees_nothing_of_the_statement_around_it(self):
        self.session.run("CREATE TABLE d.u (id INT64); CREATE VIEW d.v AS SELECT id FROM d.u")

        self.assertEqual(self.session.rows("WITH u AS (SELECT 9 AS id) SELECT v.id, u.id AS other FROM u LEFT JOIN d.v ON TRUE"),
                         [(None, "9")])
        self.session.run("DROP TABLE d.u")
        self.fails("SELECT * FROM d.v", "view d.v: Not found: Table p:d.u", 404)

    def test_columns_that_a_table_gets_later_are_seen_through_a_star(self):
        self.session.run("CREATE VIEW d.v AS SELECT * FROM d.t; CREATE VIEW d.w (a, b) AS SELECT * FROM d.t")
        self.session.run("ALTER TABLE d.t ADD COLUMN more INT64")

        self.assertEqual(self.session.rows("SELECT * FROM d.v WHERE id = 1"), [("1", "a", None)])
        self.assertEqual(len(self.session.table("v")["schema"]["fields"]), 2)
        self.fails("SELECT * FROM d.w", "create the view again")

    def test_views_of_views_end_somewhere(self):
        self.session.run("CREATE VIEW d.v1 AS SELECT id FROM d.t")
        for n in range(2, 17):
            self.session.run(f"CREATE VIEW d.v{n} AS SELECT id FROM d.v{n - 1}")

        self.assertEqual(self.session.rows("SELECT COUNT(*) FROM d.v8"), [("2",)])
        self.fails("CREATE VIEW d.v17 AS SELECT id FROM d.v16", "nested more than 16 levels")
        self.fails("CREATE OR REPLACE VIEW d.v1 AS SELECT id FROM d.v16; SELECT * FROM d.v1", "nested more than 16 levels")

    def test_a_dry_run_makes_and_drops_no_view(self):
        self.assertEqual(self.statement("CREATE VIEW d.v AS SELECT 1 AS x", dry_run=True), ("CREATE_VIEW", "CREATE"))
        self.fails("SELECT * FROM d.v", "Not found", 404)
        self.session.run("CREATE VIEW d.v AS SELECT 1 AS x")
        self.statement("DROP VIEW d.v", dry_run=True)
        self.assertEqual(self.session.rows("SELECT * FROM d.v"), [("1",)])

    def test_a_failed_script_leaves_the_views_of_its_earlier_statements(self):
        self.fails("CREATE VIEW d.v AS SELECT 1 AS x; SELECT nope", "Unrecognized name")
        self.assertEqual(self.session.rows("SELECT * FROM d.v"), [("1",)])
        self.fails("BEGIN TRANSACTION; CREATE VIEW d.w AS SELECT 1 AS x; COMMIT TRANSACTION", "not allowed inside a transaction")


class TableFunctions(SqlCase):
    def setUp(self):
        super().setUp()
        self.session.run(LOG)

    def test_a_table_function_gives_the_rows_of_its_arguments(self):
        self.session.run(AS_OF)

        for moment, rows in (("2025-12-31", []), ("2026-01-01", [("1", "a"), ("2", "x")]),
                             ("2026-01-03 12:00:00", [("1", "b"), ("2", "x")]), ("2026-01-04", [("1", "b")])):
            with self.subTest(moment):
                self.assertEqual(
                    self.session.rows(f"SELECT * FROM `p.d.as_of`(TIMESTAMP '{moment}+00') ORDER BY id"), rows)
        self.assertEqual(
            self.session.rows("SELECT t.name, l.gen FROM d.as_of(@at) AS t JOIN d.log AS l ON l.id = t.id AND l.gen = 2",
                              parameters=[{"name": "at", "parameterType": {"type": "TIMESTAMP"},
                                           "parameterValue": {"value": "2026-01-02 00:00:00+00"}}]), [("b", "2")])
        self.assertEqual(self.session.rows("SELECT COUNT(id) FROM d.as_of(CURRENT_TIMESTAMP())"), [("1",)])
        self.assertEqual(self.session.rows("SELECT COUNT(*) FROM d.as_of(NULL)"), [("0",)])

    def test_a_column_wins_over_a_parameter_of_its_name(self):
        self.session.run("CREATE TABLE FUNCTION d.f(gen INT64, n INT64) AS SELECT id FROM d.log WHERE gen = gen AND id = n")

        self.assertEqual(self.session.rows("SELECT COUNT(*) FROM d.f(1, 1)"), [("3",)])
        self.session.run("CREATE TABLE FUNCTION d.g(`at` TIMESTAMP) AS SELECT COUNT(*) AS n FROM d.log AS l "
                         "WHERE l.gen = 1 AND l.made <= (SELECT MAX(moment) FROM (SELECT `at` AS moment))")
        self.assertEqual(self.session.rows("SELECT n FROM d.g('2026-01-01 00:00:00+00')"), [("2",)])

    def test_create_and_drop_say_what_they_did(self):
        create = "CREATE {}TABLE FUNCTION {}d.f(x INT64) OPTIONS(description='d') AS SELECT x AS y"

        self.assertEqual(self.statement(create.format("", "")), ("CREATE_TABLE_FUNCTION", "CREATE"))
        self.assertEqual(self.statement(create.format("", "IF NOT EXISTS ")), ("CREATE_TABLE_FUNCTION", "SKIP"))
        self.assertEqual(self.statement(create.format("OR REPLACE ", "")), ("CREATE_TABLE_FUNCTION", "REPLACE"))
        self.fails(create.format("", ""), "Already Exists: Routine p:d.f", 409)
        self.assertEqual(self.session.rows("SELECT y FROM d.f(7)"), [("7",)])
        self.assertEqual(self.statement("DROP TABLE FUNCTION d.f"), ("DROP_TABLE_FUNCTION", "DROP"))
        self.assertEqual(self.statement("DROP TABLE FUNCTION IF EXISTS d.f"), ("DROP_TABLE_FUNCTION", "SKIP"))
        self.fails("DROP TABLE FUNCTION d.f", "Not found: Routine p:d.f", 404)
        self.fails("DROP TABLE FUNCTION nowhere.f", "Not found: Dataset p:nowhere", 404)

    def test_wrong_calls_are_refused(self):
        self.session.run("CREATE TABLE FUNCTION d.f(`at` TIMESTAMP) AS SELECT `at` AS y")

        self.fails("SELECT * FROM d.f(7)", "No matching signature for table-valued function f(TIMESTAMP) for argument types: INT64")
        self.fails("SELECT * FROM d.f()", "No matching signature")
        self.fails("SELECT * FROM d.f('no time')", "TIMESTAMP")
        self.fails("SELECT * FROM d.g(1)", "Table-valued function not found: d.g")
        self.fails("SELECT * FROM d.log(1)", "Table-valued function not found: d.log")
        self.fails("SELECT * FROM d.f", "Not found: Table p:d.f", 404)
        self.fails("SELECT f.y FROM d.f(CURRENT_TIMESTAMP())", "Unrecognized name: f")
        self.fails("SELECT f.y FROM d.log AS l, d.f(l.made) AS f", "Unrecognized name: l at")

    def test_a_function_that_could_not_be_called_is_not_made(self):
        for query, part, status in (("SELECT * FROM d.none", "Not found: Table p:d.none", 404),
                                    ("SELECT y FROM d.log", "Unrecognized name: y", 400),
                                    ("SELECT x + 1", "CREATE TABLE FUNCTION columns must be named", 400),
                                    ("SELECT x + 'a' AS y", "No matching signature", 400),
                                    ("SELECT @p AS y", "Query parameters cannot be used", 400)):
            with self.subTest(query):
                self.fails(f"CREATE TABLE FUNCTION d.f(x INT64) AS {query}", part, status)
        self.fails("CREATE TABLE FUNCTION d.f(x INT64, X STRING) AS SELECT 1 AS y", "Duplicate argument name X")
        self.fails("CREATE TABLE FUNCTION d.f(s STRING(5)) AS SELECT 1 AS y", "Parameterized types")
        self.fails("CREATE TABLE FUNCTION d.f(at TIMESTAMP) AS SELECT 1 AS y", "Unexpected keyword")

    def test_a_view_of_history_has_versions(self):
        self.session.run(HISTORY)

        self.assertEqual(
            self.session.rows("SELECT id, name, STRING(valid_from, 'UTC'), valid_to IS NULL FROM d.history ORDER BY id, valid_from"),
            [("1", "a", "2026-01-01 00:00:00+00", "false"), ("1", "b", "2026-01-02 00:00:00+00", "true"),
             ("2", "x", "2026-01-01 00:00:00+00", "false")])
        self.session.run("UPDATE d.log SET gone = TRUE WHERE gen = 2")
        self.assertEqual(self.session.rows("SELECT name FROM d.history WHERE valid_to IS NULL"), [("a",)])


class PartitionExpiration(SqlCase):
    def expiration(self):
        return self.session.table("t")["timePartitioning"].get("expirationMs")

    def test_days_are_kept_as_milliseconds(self):
        self.session.run("CREATE TABLE d.t (made TIMESTAMP) PARTITION BY TIMESTAMP_TRUNC(made, DAY) "
                         "OPTIONS(partition_expiration_days=400)")
        self.assertEqual(self.expiration(), "34560000000")
        self.session.run("ALTER TABLE d.t SET OPTIONS(partition_expiration_days=0.5)")
        self.assertEqual(self.expiration(), "43200000")
        self.session.run("ALTER TABLE d.t SET OPTIONS(partition_expiration_days=NULL)")
        self.assertIsNone(self.expiration())

    def test_only_partitions_by_time_expire(self):
        for table in ("(a INT64)", "(a INT64) PARTITION BY RANGE_BUCKET(a, GENERATE_ARRAY(0, 10, 1))"):
            with self.subTest(table):
                self.fails(f"CREATE TABLE d.u {table} OPTIONS(partition_expiration_days=4)", "partitioned by time")
        self.fails("CREATE TABLE d.u (a DATE) PARTITION BY a OPTIONS(partition_expiration_days=-1)", "Invalid value")


if __name__ == "__main__":
    unittest.main()

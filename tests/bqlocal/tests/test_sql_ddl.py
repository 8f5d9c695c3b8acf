"""GoogleSQL that changes tables: CREATE, ALTER, DROP and the Table resources they make."""

import unittest

from tests.bqlocal.tests.sql_session import Session, SqlFailed


class Ddl(unittest.TestCase):
    def setUp(self):
        self.session = Session()

    def tearDown(self):
        self.assertEqual(self.session.close(), 0)

    def statement(self, sql, **more):
        one = self.session.run(sql, **more)["statements"][0]
        return one["type"], one["ddl"]

    def fails(self, sql, part, status=400):
        with self.assertRaises(SqlFailed) as caught:
            self.session.run(sql)
        self.assertIn(part, caught.exception.message)
        self.assertEqual(caught.exception.status, status)

    def fields(self, name):
        return {f["name"]: f for f in self.session.table(name)["schema"]["fields"]}

    def test_create_table_keeps_everything_that_was_written(self):
        self.session.run(
            "CREATE TABLE `p.d.t` (`id` INT64 NOT NULL OPTIONS(description=\"key\"), "
            "`at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP(), `n` NUMERIC(10, 2), `s` STRING(5), "
            "PRIMARY KEY (`id`) NOT ENFORCED) PARTITION BY TIMESTAMP_TRUNC(`at`, MONTH) "
            "CLUSTER BY `id`, `s` OPTIONS(description=\"d\", labels=[(\"team\", \"core\")], "
            "require_partition_filter=true, "
            "expiration_timestamp=TIMESTAMP '2999-01-01 00:00:00 UTC')")

        table = self.session.table("t")
        fields = self.fields("t")
        self.assertEqual(fields["id"], {"name": "id", "type": "INTEGER", "mode": "REQUIRED",
                                        "description": "key"})
        self.assertEqual(fields["at"]["defaultValueExpression"], "CURRENT_TIMESTAMP()")
        self.assertEqual((fields["n"]["precision"], fields["n"]["scale"]), ("10", "2"))
        self.assertEqual(fields["s"]["maxLength"], "5")
        self.assertEqual(table["tableConstraints"], {"primaryKey": {"columns": ["id"]}})
        self.assertEqual(table["timePartitioning"],
                         {"type": "MONTH", "field": "at"})
        self.assertEqual(table["clustering"], {"fields": ["id", "s"]})
        self.assertEqual(table["labels"], {"team": "core"})
        self.assertEqual(table["description"], "d")
        self.assertIs(table["requirePartitionFilter"], True)
        self.assertEqual(table["expirationTime"], "32472144000000")

    def test_every_form_of_partitioning_is_understood(self):
        forms = {
            "day": {"timePartitioning": {"type": "DAY", "field": "day"}},
            "DATE(ts)": {"timePartitioning": {"type": "DAY", "field": "ts"}},
            "DATETIME_TRUNC(dt, HOUR)": {"timePartitioning": {"type": "HOUR", "field": "dt"}},
            "DATE_TRUNC(day, YEAR)": {"timePartitioning": {"type": "YEAR", "field": "day"}},
            "_PARTITIONDATE": {"timePartitioning": {"type": "DAY"}},
            "RANGE_BUCKET(id, GENERATE_ARRAY(0, 100, 10))": {"rangePartitioning": {
                "field": "id", "range": {"start": "0", "end": "100", "interval": "10"}}},
        }
        for form, expected in forms.items():
            with self.subTest(form):
                self.session.run(
                    "CREATE OR REPLACE TABLE d.t (id INT64, day DATE, ts TIMESTAMP, dt DATETIME) "
                    f"PARTITION BY {form}")
                table = self.session.table("t")
                for key, value in expected.items():
                    self.assertEqual(table[key], value)
        self.fails("CREATE TABLE d.u (id INT64) PARTITION BY id + 1", "PARTITION BY expression must be")

    def test_a_range_has_at_most_ten_thousand_parts(self):
        create = "CREATE TABLE d.u (id INT64) PARTITION BY RANGE_BUCKET(id, GENERATE_ARRAY({}))"

        self.fails(create.format("0, 10001, 1"), "at most 10000 ranges")
        self.fails(create.format("-9000000000000000000, 9000000000000000000, 2"), "at most 10000 ranges")
        self.fails(create.format("5, 5, 1"), "a start below its end")
        self.fails(create.format("0, 10, 0"), "a positive interval")
        self.session.run(create.format("0, 10000, 1"))

    def test_labels_are_those_that_rest_takes(self):
        self.session.run("CREATE TABLE d.t (id INT64) OPTIONS(labels=[('a-1', 'b')])")

        self.fails("ALTER TABLE d.t SET OPTIONS(labels=[('A', 'b')])", 'the label key "A" is not valid')
        self.fails("ALTER TABLE d.t SET OPTIONS(labels=[('a', 'B')])", "the value of label a is not valid")
        self.assertEqual(self.session.table("t")["labels"], {"a-1": "b"})

    def test_a_table_may_be_replaced_by_a_query_of_itself(self):
        deduplicated = "WITH once AS (SELECT DISTINCT id FROM d.t) SELECT once.id FROM once JOIN d.t ON t.id = once.id"
        for query, rows in (("SELECT * FROM d.t", [("7",), ("7",), ("8",)]),
                            ("SELECT DISTINCT id FROM d.t", [("7",), ("8",)]),
                            (deduplicated, [("7",), ("7",), ("8",)]),
                            ("SELECT id FROM d.t WHERE id > 8", [])):
            with self.subTest(query):
                self.session.run("CREATE OR REPLACE TABLE d.t (id INT64); INSERT d.t VALUES (7), (7), (8)")
                self.session.run(f"CREATE OR REPLACE TABLE d.t AS {query}")
                self.assertEqual(self.session.rows("SELECT id FROM d.t ORDER BY id"), rows)
        self.session.run("CREATE OR REPLACE TABLE d.t AS SELECT 9 AS id")
        self.fails("CREATE OR REPLACE TABLE d.t (a INT64) AS SELECT DIV(id, 0) FROM d.t", "")
        self.assertEqual(self.session.rows("SELECT id FROM d.t"), [("9",)])

    def test_create_says_what_it_did(self):
        create = "CREATE TABLE {} d.t (a INT64)"

        self.assertEqual(self.statement(create.format("")), ("CREATE_TABLE", "CREATE"))
        self.assertEqual(self.statement(create.format("IF NOT EXISTS")), ("CREATE_TABLE", "SKIP"))
        self.assertEqual(self.statement("CREATE OR REPLACE TABLE d.t (b STRING)"),
                         ("CREATE_TABLE", "REPLACE"))
        self.assertEqual(list(self.fields("t")), ["b"])
        self.fails(create.format(""), "Already Exists: Table p:d.t", 409)

    def test_create_table_as_takes_names_types_and_rows(self):
        answer = self.session.run("CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b")

        self.assertEqual(answer["statements"][0]["type"], "CREATE_TABLE_AS_SELECT")
        self.assertEqual(self.session.rows("SELECT * FROM d.t"), [("1", "x")])
        self.fails("CREATE TABLE d.u AS SELECT 1", "columns must be named")
        self.fails("CREATE TABLE d.u AS SELECT 1 / 0 AS a", "division by zero")
        self.fails("SELECT * FROM d.u", "Not found", 404)

    def test_wrong_tables_are_refused(self):
        self.fails("CREATE TABLE d.t (a INT64, PRIMARY KEY (a))", "NOT ENFORCED")
        self.fails("CREATE TABLE d.t (a FLOAT64) CLUSTER BY a", "Clustering is not supported")
        self.fails("CREATE TABLE d.t (a INT64) CLUSTER BY a, b, c, d, e", "clustering")
        self.fails("CREATE TABLE d.t (a INT64, A STRING)", "Duplicate column name A")
        self.fails("CREATE TABLE d.t (a INT63)", "Type not found: INT63 at [1:21]")
        self.fails("CREATE TABLE d.t (a INT64 DEFAULT 'x')", "cannot be assigned to a")
        self.fails("CREATE OR REPLACE TABLE IF NOT EXISTS d.t (a INT64)", "both")
        self.fails("CREATE TABLE d.t (a INT64) OPTIONS(nonsense=1)", "bqlocal does not have the table option nonsense")
        self.fails("CREATE TABLE nowhere.t (a INT64)", "Not found: Dataset p:nowhere", 404)

    def test_columns_are_added_and_dropped_and_keep_their_rows(self):
        self.session.run("CREATE TABLE d.t (a INT64, b STRING); INSERT d.t VALUES (1, 'x')")

        self.assertEqual(
            self.statement("ALTER TABLE d.t ADD COLUMN c DATE, ADD COLUMN IF NOT EXISTS a STRING"),
            ("ALTER_TABLE", "ALTER"))
        self.assertEqual(self.session.rows("SELECT * FROM d.t"), [("1", "x", None)])
        self.session.run("ALTER TABLE d.t DROP COLUMN a")
        self.assertEqual(list(self.fields("t")), ["b", "c"])
        self.assertEqual(self.session.rows("SELECT * FROM d.t"), [("x", None)])
        self.fails("ALTER TABLE d.t ADD COLUMN z INT64 NOT NULL", "cannot be NOT NULL")
        self.fails("ALTER TABLE d.t ADD COLUMN c INT64", "Column already exists: c")
        self.fails("ALTER TABLE d.t DROP COLUMN nope", "Column not found: nope")
        self.fails("ALTER TABLE d.none ADD COLUMN c INT64", "Not found: Table p:d.none", 404)

    def test_columns_are_relaxed_and_widened_only_as_allowed(self):
        self.session.run("CREATE TABLE d.t (a INT64 NOT NULL, b INT64); INSERT d.t VALUES (1, 2)")

        self.session.run("ALTER TABLE d.t ALTER COLUMN a DROP NOT NULL")
        self.session.run("ALTER TABLE d.t ALTER COLUMN a SET DATA TYPE NUMERIC, "
                         "ALTER COLUMN b SET DATA TYPE FLOAT64")

        self.assertNotEqual(self.fields("t")["a"].get("mode"), "REQUIRED")
        self.assertEqual(self.session.rows("SELECT a + 0.5, b FROM d.t"), [("1.5", "2.0")])
        self.fails("ALTER TABLE d.t ALTER COLUMN a SET DATA TYPE INT64", "is assignable")
        self.fails("ALTER TABLE d.t ALTER COLUMN a DROP NOT NULL", "already nullable")

    def test_options_can_be_altered(self):
        self.session.run("CREATE TABLE d.t (a INT64, b INT64, PRIMARY KEY (a) NOT ENFORCED)")

        self.session.run("ALTER TABLE d.t SET OPTIONS(description='x', labels=[('k', 'v')])")
        self.session.run("ALTER TABLE d.t ALTER COLUMN b SET OPTIONS(description='y')")

        table = self.session.table("t")
        self.assertEqual((table["description"], table["labels"]), ("x", {"k": "v"}))
        self.assertEqual(self.fields("t")["b"]["description"], "y")
        self.assertEqual(table["tableConstraints"], {"primaryKey": {"columns": ["a"]}})
        self.fails("ALTER TABLE d.t DROP COLUMN a", "used by the primary key")

    def test_tables_are_dropped(self):
        self.session.run("CREATE TABLE d.u (a INT64)")

        self.assertEqual(self.statement("DROP TABLE d.u"), ("DROP_TABLE", "DROP"))
        self.assertEqual(self.statement("DROP TABLE IF EXISTS d.u"), ("DROP_TABLE", "SKIP"))
        self.fails("DROP TABLE d.u", "Not found: Table p:d.u was not found in location US", 404)

    def test_what_bqlocal_does_not_have_is_refused_by_its_name(self):
        for sql, what in [("ALTER VIEW d.v SET OPTIONS()", "ALTER VIEW"), ("DROP SCHEMA d", "DROP SCHEMA"),
                          ("CREATE TEMP TABLE t (a INT64)", "CREATE TEMP"),
                          ("CREATE TABLE d.u LIKE d.t", "CREATE TABLE LIKE, COPY and CLONE"),
                          ("ALTER TABLE d.t RENAME TO u", "ALTER TABLE RENAME"),
                          ("ALTER TABLE d.t ADD PRIMARY KEY (a) NOT ENFORCED", "ALTER TABLE ADD or DROP of a key"),
                          ("CREATE TABLE d.u (a ARRAY<INT64>)", "the type ARRAY here"),
                          ("DECLARE x INT64", "DECLARE")]:
            with self.subTest(sql):
                self.fails(sql, f"bqlocal does not have {what} at [1:")

    def test_a_dry_run_creates_and_drops_nothing(self):
        self.statement("CREATE TABLE d.t (a INT64)", dry_run=True)
        self.fails("SELECT * FROM d.t", "Not found", 404)

        self.session.run("CREATE TABLE d.t (a INT64)")
        self.statement("DROP TABLE d.t", dry_run=True)
        self.assertEqual(self.session.rows("SELECT * FROM d.t"), [])


if __name__ == "__main__":
    unittest.main()

"""GoogleSQL that changes rows: INSERT, UPDATE, DELETE, TRUNCATE, transactions."""

import unittest

from tests.bqlocal.tests.sql_session import Session, SqlFailed


class Dml(unittest.TestCase):
    def setUp(self):
        self.session = Session()
        self.session.run(
            "CREATE TABLE d.t (id INT64 NOT NULL, name STRING, n NUMERIC DEFAULT 7, day DATE)"
        )

    def tearDown(self):
        self.assertEqual(self.session.close(), 0)

    def rows(self):
        return self.session.rows("SELECT * FROM d.t ORDER BY id, name")

    def fails(self, sql, message, status=400):
        with self.assertRaises(SqlFailed) as caught:
            self.session.run(sql)
        self.assertEqual(caught.exception.message, message)
        self.assertEqual(caught.exception.status, status)

    def test_insert_values_converts_fills_defaults_and_counts(self):
        counts = self.session.dml(
            "INSERT INTO d.t (id, name, day) VALUES (1, 'a', '2020-01-02'), (2, NULL, NULL)"
        )

        self.assertEqual(counts, (2, 0, 0))
        self.assertEqual(self.rows(), [("1", "a", "7", "2020-01-02"), ("2", None, "7", None)])

    def test_insert_select_reads_its_own_table_as_it_was(self):
        self.session.run("INSERT d.t VALUES (1, 'a', 1, NULL)")

        self.assertEqual(self.session.dml("INSERT d.t (id, name) SELECT id + 1, name FROM d.t"),
                         (1, 0, 0))
        self.assertEqual([row[0] for row in self.rows()], ["1", "2"])

    def test_values_that_do_not_fit_their_column_are_refused(self):
        self.fails("INSERT d.t (id, name) VALUES (1, 2)",
                   "Value of type INT64 cannot be assigned to name, which has type STRING at [1:34]")
        self.fails("INSERT d.t (id) SELECT 'x'",
                   "Query column 1 has type STRING which cannot be inserted into column id, which "
                   "has type INT64 at [1:17]")
        self.fails("INSERT d.t (id, name) VALUES (1)",
                   "Inserted row has wrong column count; Has 1, expected 2 at [1:30]")
        self.fails("INSERT d.t (id, nam) VALUES (1, 'x')",
                   "Column nam is not present in table d.t at [1:1]")
        self.assertEqual(self.rows(), [])

    def test_a_required_column_cannot_become_null(self):
        message = "Required field id cannot be null"
        self.session.run("INSERT d.t (id) VALUES (1)")

        self.fails("INSERT d.t (name) VALUES ('x')", message)
        self.fails("INSERT d.t (id) VALUES (2), (NULL)", message)
        self.fails("UPDATE d.t SET id = NULL WHERE TRUE", message)
        self.assertEqual([row[0] for row in self.rows()], ["1"])

    def test_update_and_delete_need_a_where_and_count_rows(self):
        self.session.run("INSERT d.t (id, name) VALUES (1, 'a'), (2, 'b'), (3, NULL)")

        self.fails("UPDATE d.t SET name = 'x'", "UPDATE must have a WHERE clause at [1:1]")
        self.fails("DELETE FROM d.t", "DELETE must have a WHERE clause at [1:1]")
        self.assertEqual(
            self.session.dml("UPDATE d.t x SET name = CONCAT(x.name, '!'), n = id WHERE x.id < 3"),
            (0, 2, 0))
        self.assertEqual(self.session.dml("DELETE d.t WHERE name IS NULL"), (0, 0, 1))
        self.assertEqual([row[:3] for row in self.rows()], [("1", "a!", "1"), ("2", "b!", "2")])

    def test_truncate_counts_what_it_removed(self):
        self.session.run("INSERT d.t (id) VALUES (1), (2)")

        answer = self.session.run("TRUNCATE TABLE d.t")

        self.assertEqual(answer["statements"][0]["type"], "TRUNCATE_TABLE")
        self.assertEqual(answer["statements"][0]["deleted"], 2)

    def test_a_dry_run_checks_and_changes_nothing(self):
        self.session.run("INSERT d.t (id) VALUES (1)", dry_run=True)

        self.assertEqual(self.rows(), [])
        with self.assertRaises(SqlFailed):
            self.session.run("INSERT d.t (id) VALUES ('x')", dry_run=True)

    def test_a_committed_transaction_stays_and_a_rolled_back_one_does_not(self):
        self.session.run("BEGIN TRANSACTION; INSERT d.t (id) VALUES (1); COMMIT TRANSACTION")
        self.session.run("BEGIN; INSERT d.t (id) VALUES (2); ROLLBACK TRANSACTION")

        self.assertEqual([row[0] for row in self.rows()], ["1"])

    def test_an_error_or_the_end_undoes_an_open_transaction(self):
        with self.assertRaises(SqlFailed):
            self.session.run("BEGIN TRANSACTION; INSERT d.t (id) VALUES (1); SELECT 1 / 0; COMMIT")
        self.session.run("BEGIN TRANSACTION; INSERT d.t (id) VALUES (2)")

        self.assertEqual(self.rows(), [])

    def test_a_script_keeps_what_came_before_an_error(self):
        with self.assertRaises(SqlFailed):
            self.session.run("INSERT d.t (id) VALUES (1); INSERT d.t (id) VALUES (NULL)")

        self.assertEqual([row[0] for row in self.rows()], ["1"])

    def test_ddl_is_refused_inside_a_transaction(self):
        with self.assertRaises(SqlFailed) as caught:
            self.session.run("BEGIN TRANSACTION; DROP TABLE d.t; COMMIT TRANSACTION")

        self.assertIn("not allowed inside a transaction", caught.exception.message)
        self.assertEqual(self.rows(), [])

    def test_a_script_tells_of_each_statement_and_answers_with_the_last(self):
        answer = self.session.run("INSERT d.t (id) VALUES (1); SELECT COUNT(*) AS n FROM d.t")

        self.assertTrue(answer["is_script"])
        self.assertEqual([s["type"] for s in answer["statements"]], ["INSERT", "SELECT"])
        self.assertEqual(answer["rows"], [["1"]])


if __name__ == "__main__":
    unittest.main()

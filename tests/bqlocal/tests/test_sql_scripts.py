"""Scripts that log changes and apply them in one transaction, with rows in a query parameter."""

import unittest

from tests.bqlocal.tests.sql_session import Session, SqlFailed


class Scripts(unittest.TestCase):
    ROWS = {"name": "rows", "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [
        {"name": "id", "type": {"type": "INT64"}}, {"name": "name", "type": {"type": "STRING"}},
        {"name": "live", "type": {"type": "BOOL"}}]}},
        "parameterValue": {"arrayValues": [
            {"structValues": {"id": {"value": id}, "name": {"value": name}, "live": {"value": live}}}
            for id, name, live in (("1", "new", "true"), ("2", None, "false"), ("3", "c", "true"), ("4", None, "false"))]}}

    def setUp(self):
        self.session = Session()
        self.addCleanup(self.session.close)
        self.session.run("CREATE TABLE d.t (id INT64, name STRING); INSERT d.t VALUES (1, 'a'), (2, 'b'); "
                         "CREATE TABLE d.log (id INT64, name STRING, op STRING, gen INT64)")

    def test_one_transaction_logs_and_merges_the_rows_of_a_parameter(self):
        answer = self.session.run("""BEGIN TRANSACTION;
            INSERT INTO d.log (id, name, op, gen)
            SELECT s.id, s.name, CASE WHEN NOT s.live THEN 'delete' WHEN t.id IS NULL THEN 'insert' ELSE 'update' END, @gen
            FROM UNNEST(@rows) AS s LEFT JOIN d.t AS t ON t.id = s.id AND t.id BETWEEN @low AND @high
            WHERE s.live OR t.id IS NOT NULL;
            MERGE d.t t USING UNNEST(@rows) s ON t.id = s.id
            WHEN MATCHED AND NOT s.live THEN DELETE
            WHEN MATCHED THEN UPDATE SET name = s.name
            WHEN NOT MATCHED AND s.live THEN INSERT (id, name) VALUES (s.id, s.name);
            COMMIT TRANSACTION""", parameters=[self.ROWS, *(
                {"name": name, "parameterType": {"type": "INT64"}, "parameterValue": {"value": value}}
                for name, value in (("gen", "7"), ("low", "1"), ("high", "4")))])

        self.assertEqual([(one["inserted"], one["updated"], one["deleted"]) for one in answer["statements"]],
                         [(0, 0, 0), (3, 0, 0), (1, 1, 1), (0, 0, 0)])
        self.assertEqual(self.session.rows("SELECT * FROM d.log ORDER BY id"),
                         [("1", "new", "update", "7"), ("2", None, "delete", "7"), ("3", "c", "insert", "7")])
        self.assertEqual(self.session.rows("SELECT * FROM d.t ORDER BY id"), [("1", "new"), ("3", "c")])

    def test_a_transaction_that_fails_leaves_nothing_in_the_log(self):
        with self.assertRaises(SqlFailed):
            self.session.run("BEGIN TRANSACTION; INSERT d.log (id) SELECT id FROM UNNEST(@rows); UPDATE d.log SET gen = 1 "
                             "WHERE TRUE; INSERT d.t (id) SELECT DIV(1, id - 1) FROM d.t; COMMIT TRANSACTION", parameters=[self.ROWS])
        self.assertEqual(self.session.rows("SELECT * FROM d.log"), [])

    def test_a_replacement_logs_differences_by_a_full_join(self):
        self.session.run("CREATE TABLE d.s (id INT64, name STRING); INSERT d.s VALUES (1, 'a'), (2, 'z'), (3, NULL); "
                         "INSERT d.log VALUES (1, 'a', 'insert', 1), (2, 'b', 'insert', 1), (4, 'd', 'insert', 1), (5, 'e', 'insert', 1), "
                         "(5, NULL, 'delete', 2)")
        self.session.run("""INSERT INTO d.log (id, name, op, gen)
            WITH now AS (SELECT * FROM d.log WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY gen DESC) = 1)
            SELECT COALESCE(s.id, l.id), s.name,
              CASE WHEN s.id IS NULL THEN 'delete' WHEN l.id IS NULL OR l.op = 'delete' THEN 'insert' ELSE 'update' END, 3
            FROM d.s AS s FULL JOIN now AS l ON l.id = s.id
            WHERE (s.id IS NULL AND l.op <> 'delete') OR (s.id IS NOT NULL AND (l.id IS NULL OR l.op = 'delete'
              OR s.name IS DISTINCT FROM l.name))""")

        self.assertEqual(self.session.rows("SELECT id, name, op FROM d.log WHERE gen = 3 ORDER BY id"),
                         [("2", "z", "update"), ("3", None, "insert"), ("4", None, "delete")])


if __name__ == "__main__":
    unittest.main()

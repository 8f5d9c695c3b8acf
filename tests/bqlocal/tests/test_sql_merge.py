"""MERGE: which WHEN acts, on what state, and what it counts. A model in Python is the judge."""

import random
import unittest

from tests.bqlocal.tests.sql_session import Session, SqlFailed


class Merge(unittest.TestCase):
    def setUp(self):
        self.session = Session()
        self.session.run(
            "CREATE TABLE d.t (id INT64, v STRING); CREATE TABLE d.s (id INT64, v STRING, gone BOOL)"
        )

    def tearDown(self):
        self.assertEqual(self.session.close(), 0)

    def fill(self, target, source):
        for table, rows in (("t", target), ("s", source)):
            self.session.run(f"TRUNCATE TABLE d.{table}")
            if rows:
                values = ", ".join(
                    "(" + ", ".join(self.literal(value) for value in row) + ")" for row in rows)
                self.session.run(f"INSERT d.{table} VALUES {values}")

    @staticmethod
    def literal(value):
        if value is None:
            return "NULL"
        return f"'{value}'" if isinstance(value, str) else str(value).upper()

    def target(self):
        rows = self.session.rows("SELECT id, v FROM d.t ORDER BY id, v")
        return [(None if i is None else int(i), v) for i, v in rows]

    def test_the_first_when_whose_condition_holds_acts_alone(self):
        self.fill([(1, "a"), (2, "b"), (3, "c"), (4, "d")],
                  [(1, "x", True), (2, "y", False), (3, "z", None), (5, "new", False)])

        counts = self.session.dml(
            "MERGE INTO d.t T USING d.s S ON T.id = S.id "
            "WHEN MATCHED AND S.gone THEN DELETE "
            "WHEN MATCHED AND S.v = 'y' THEN UPDATE SET v = CONCAT(T.v, S.v) "
            "WHEN MATCHED THEN UPDATE SET v = 'late' "
            "WHEN NOT MATCHED AND S.gone THEN INSERT (id, v) VALUES (S.id, 'never') "
            "WHEN NOT MATCHED BY TARGET THEN INSERT (v, id) VALUES (S.v, S.id) "
            "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = UPPER(v)")

        self.assertEqual(counts, (1, 3, 1))
        self.assertEqual(self.target(), [(2, "by"), (3, "late"), (4, "D"), (5, "new")])

    def test_matching_sees_the_state_at_the_start(self):
        self.fill([(1, "a")], [(1, "x", False), (2, "y", False)])

        self.session.run(
            "MERGE d.t T USING (SELECT id + 1 AS id FROM d.t) S ON T.id = S.id "
            "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (id, 'next') "
            "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET id = 2")

        self.assertEqual(self.target(), [(2, "a"), (2, "next")])

    def test_two_source_rows_for_one_updated_row_are_an_error_and_change_nothing(self):
        self.fill([(1, "a"), (2, "b")], [(1, "x", False), (1, "y", False), (2, "z", False)])
        update = ("MERGE d.t T USING d.s S ON T.id = S.id WHEN MATCHED THEN UPDATE SET v = S.v "
                  "WHEN NOT MATCHED THEN INSERT (id) VALUES (S.id)")

        with self.assertRaises(SqlFailed) as caught:
            self.session.run(update)

        self.assertEqual(caught.exception.message,
                         "UPDATE/MERGE must match at most one source row for each target row")
        self.assertEqual(self.target(), [(1, "a"), (2, "b")])

    def test_two_source_rows_may_delete_one_row(self):
        self.fill([(1, "a"), (2, "b")], [(1, "x", True), (1, "y", True)])

        counts = self.session.dml(
            "MERGE d.t T USING d.s S ON T.id = S.id WHEN MATCHED THEN DELETE")

        self.assertEqual(counts, (0, 0, 1))

    def test_unmatched_twins_are_both_inserted(self):
        self.fill([], [(1, "x", False), (1, "x", False)])

        counts = self.session.dml(
            "MERGE d.t T USING d.s S ON T.id = S.id WHEN NOT MATCHED THEN INSERT (id, v) "
            "VALUES (id, v)")

        self.assertEqual(counts, (2, 0, 0))

    def test_null_keys_match_only_null_safe(self):
        plain = "T.id = S.id"
        safe = ["T.id IS NOT DISTINCT FROM S.id",
                "T.id = S.id OR (T.id IS NULL AND S.id IS NULL)"]
        for on, expected in [(plain, [(None, "a"), (None, "x")])] + [(s, [(None, "x")]) for s in safe]:
            with self.subTest(on):
                self.fill([(None, "a")], [(None, "x", False)])
                self.session.run(
                    f"MERGE d.t T USING d.s S ON {on} WHEN MATCHED THEN UPDATE SET v = S.v "
                    "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (S.id, S.v)")
                self.assertEqual(self.target(), expected)

    def test_on_false_replaces_everything(self):
        self.fill([(1, "a"), (2, "b")], [(2, "x", False), (3, "y", False)])

        counts = self.session.dml(
            "MERGE d.t USING (SELECT id, v FROM d.s) ON FALSE WHEN NOT MATCHED THEN INSERT (id, v) VALUES (id, v) "
            "WHEN NOT MATCHED BY SOURCE THEN DELETE")

        self.assertEqual(counts, (2, 0, 2))
        self.assertEqual(self.target(), [(2, "x"), (3, "y")])

    def test_on_false_with_conditions_still_lets_the_first_when_act(self):
        self.fill([(1, "a"), (2, "b")], [(3, "y", False)])

        counts = self.session.dml(
            "MERGE d.t T USING d.s S ON FALSE WHEN NOT MATCHED THEN INSERT (id, v) VALUES (S.id, S.v) "
            "WHEN NOT MATCHED BY SOURCE AND T.id = 1 THEN UPDATE SET v = 'kept' "
            "WHEN NOT MATCHED BY SOURCE THEN DELETE")

        self.assertEqual(counts, (1, 1, 1))
        self.assertEqual(self.target(), [(1, "kept"), (3, "y")])

    def test_a_merge_of_thousands_of_rows_finds_every_partner(self):
        digits = "UNNEST([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])"
        number = "a + 10 * b + 100 * c + 1000 * e"
        self.session.run(
            f"INSERT d.t SELECT {number}, 'old' FROM {digits} a, {digits} b, {digits} c, {digits} e;"
            f"INSERT d.s SELECT 5 * ({number}), 'new', FALSE FROM {digits} a, {digits} b, {digits} c,"
            f" {digits} e")

        counts = self.session.dml(
            "MERGE d.t T USING d.s S ON T.id = S.id WHEN MATCHED THEN UPDATE SET v = S.v "
            "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (S.id, S.v) "
            "WHEN NOT MATCHED BY SOURCE AND T.id < 10 THEN DELETE")

        self.assertEqual(counts, (8000, 2000, 8))

    def test_exists_finds_thousands_of_partners(self):
        digits = ", ".join(f"UNNEST([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {name}" for name in "abcef")
        self.session.run(f"INSERT d.t SELECT a + 10 * b + 100 * c + 1000 * e + 10000 * f, 'old' FROM {digits};"
                         "INSERT d.s SELECT 2 * id, 'new', FALSE FROM d.t")

        counts = self.session.dml("DELETE d.t t WHERE NOT EXISTS (SELECT 1 FROM d.s s WHERE s.id = t.id)")

        self.assertEqual(counts, (0, 0, 50000))

    def test_required_columns_are_kept_and_the_statement_is_atomic(self):
        self.session.run("CREATE TABLE d.r (id INT64 NOT NULL, v STRING NOT NULL);"
                         "INSERT d.r VALUES (1, 'a'), (2, 'b')")
        self.fill([], [(1, "x", False), (2, None, False)])

        with self.assertRaises(SqlFailed) as caught:
            self.session.run("MERGE d.r T USING d.s S ON T.id = S.id "
                             "WHEN MATCHED THEN UPDATE SET v = S.v")

        self.assertEqual(caught.exception.message, "Required field v cannot be null")
        self.assertEqual(self.session.rows("SELECT v FROM d.r ORDER BY id"), [("a",), ("b",)])

    def test_random_merges_agree_with_a_model(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        for round_number in range(25):
            with self.subTest(seed=seed, round=round_number):
                keys = range(dice.choice([3, 8, 20]))
                target = [(dice.choice(keys), dice.choice("abc")) for _ in range(dice.randrange(12))]
                source = [(key, dice.choice("xyz"), dice.random() < 0.4)
                          for key in keys if dice.random() < 0.6]
                self.fill(target, source)
                by_source = dice.random() < 0.5

                counts = self.session.dml(
                    "MERGE d.t T USING d.s S ON T.id = S.id WHEN MATCHED AND S.gone THEN DELETE "
                    "WHEN MATCHED AND T.v < 'c' THEN UPDATE SET v = S.v "
                    "WHEN NOT MATCHED AND NOT S.gone THEN INSERT (id, v) VALUES (S.id, S.v) "
                    + ("WHEN NOT MATCHED BY SOURCE AND v = 'a' THEN DELETE" if by_source else ""))

                expected, model = self.model(target, source, by_source)
                self.assertEqual(self.target(), sorted(model))
                self.assertEqual(counts, expected)

    @staticmethod
    def model(target, source, by_source):
        wanted = {key: (v, gone) for key, v, gone in source}
        result, inserted, updated, deleted = [], 0, 0, 0
        for key, v in target:
            if key not in wanted:
                keep = not (by_source and v == "a")
                deleted += not keep
                if keep:
                    result.append((key, v))
            elif wanted[key][1]:
                deleted += 1
            elif v < "c":
                updated += 1
                result.append((key, wanted[key][0]))
            else:
                result.append((key, v))
        for key, v, gone in source:
            if not gone and key not in {k for k, _ in target}:
                inserted += 1
                result.append((key, v))
        return (inserted, updated, deleted), result


if __name__ == "__main__":
    unittest.main()

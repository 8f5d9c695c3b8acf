"""The outside check knows what has to become of rows that are deleted in SQLite."""

import unittest

from tests.support import mirror
from tests.support.mirror_deletes import Deleted, Held


def definition(choice):
    return {"table": "t", "key": ["id"], "sync": {"mode": "upsert", "deletes": choice}}


class DeletedTest(unittest.TestCase):
    def judge(self, choice, live, marked=(), claimed=(), last=None):
        """What is found of rows {id: value}; marked: {id: (value, time)}."""
        self.report = mirror.TableReport("t")
        deleted = Deleted(definition(choice), self.report)
        for key, (value, time) in dict(marked).items():
            deleted.take_marked(0, [time], (key,), [key, value])
        rows = {(key,): [[key, value]] for key, value in live.items()}
        rest = {key: there for key, there in rows.items() if key[0] not in claimed}
        deleted.judge(rows, rest, {(key,) for key in claimed}, last)
        return self.report

    def test_rows_that_only_bigquery_has_are_extra_unless_they_are_kept_or_marked(self):
        self.assertEqual([(2,)], self.judge("mirror", {1: "a", 2: "b"}, claimed=[1]).extra)
        self.assertEqual([(2,)], self.judge("mark", {1: "a", 2: "b"}, claimed=[1]).extra)
        self.assertTrue(self.judge("keep", {1: "a", 2: "b"}, claimed=[1]).equal)
        self.assertEqual(1, self.report.kept)
        self.assertTrue(self.judge("mark", {1: "a"}, {2: ("b", "1")}, claimed=[1]).equal)
        self.assertEqual(1, self.report.kept)

    def test_a_row_that_was_held_has_to_be_there_as_it_was(self):
        for choice, marked in (("keep", {}), ("mark", {2: ("b", "5")})):
            kept = {} if marked else {2: "b"}
            held = Held({(2,): [2, "b"]}, exact=True)
            self.assertTrue(self.judge(choice, {1: "a", **kept}, marked, [1], held).equal)
            self.assertEqual([(2,)], self.judge(choice, {1: "a"}, {}, [1], held).lost)
            held = Held({(2,): [2, "older"]}, exact=True)
            self.assertFalse(self.judge(choice, {1: "a", **kept}, marked, [1], held).equal)
            self.assertTrue(self.judge(choice, {1: "a", **kept}, marked, [1], Held(held.rows)).equal)

    def test_the_first_time_at_which_a_row_was_found_deleted_stays(self):
        first = Held({(2,): [2, "b"]}, {(2,): 5}, exact=True)
        self.assertTrue(self.judge("mark", {}, {2: ("b", "5")}, last=first).equal)
        self.assertFalse(self.judge("mark", {}, {2: ("b", "6")}, last=first).equal)
        first.exact = False
        self.assertTrue(self.judge("mark", {}, {2: ("b", "6")}, last=first).equal)
        self.assertFalse(self.judge("mark", {}, {2: ("b", "4")}, last=first).equal)

    def test_a_key_that_is_live_and_marked_is_doubled(self):
        self.assertEqual([(1,)], self.judge("mark", {1: "a"}, {1: ("a", "5")}, claimed=[1]).duplicated)


if __name__ == "__main__":
    unittest.main()

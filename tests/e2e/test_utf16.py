"""Databases that store text as UTF-16: texts arrive as they are, and one that is not valid Unicode is rejected."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import SHAPES, Deployment

# "a", half of a surrogate pair, "b".
LONE = {"UTF-16le": "61003dd86200", "UTF-16be": "0061d83d0062"}


class Utf16LeByTriggersTest(unittest.TestCase):
    encoding = "UTF-16le"
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(
            self.bq, schema=f"pragma encoding = '{self.encoding}';" + SHAPES, journal="delete", state=self.state))
        self.lone = f"cast(x'{LONE[self.encoding]}' as text)"

    def accounts(self):
        return sorted((row["id"], row["email"], row["note"]) for row in self.bq.rows("d", "accounts"))

    def test_the_database_is_what_the_test_says(self):
        self.assertEqual([(self.encoding,)], self.app.execute("pragma encoding"))

    def test_texts_of_all_planes_arrive_and_changes_are_found(self):
        self.app.script("insert into accounts values (1, 'a@x', 1, '\u00e9\u20ac\U0001f600'), (2, 'b@x', 2, 'two')")
        self.app.sync()
        self.assertEqual([(1, "a@x", "\u00e9\u20ac\U0001f600"), (2, "b@x", "two")], self.accounts())
        self.app.script("update accounts set note = '\U0001f601' where id = 2")

        self.assertEqual(1, self.app.table(self.app.sync(), "accounts")["rows_updated"])

        self.assertEqual([(1, "a@x", "\u00e9\u20ac\U0001f600"), (2, "b@x", "\U0001f601")], self.accounts())
        self.assertEqual("unchanged", self.app.table(self.app.sync(), "accounts")["status"])

    def test_a_lone_surrogate_is_rejected_at_each_pass_until_it_is_fixed(self):
        self.app.script(f"insert into accounts values (1, 'a@x', 1, {self.lone}), (2, 'b@x', 2, 'two')")
        for _ in range(3):
            self.assertEqual(1, self.app.table(self.app.sync(status=1), "accounts")["rows_rejected"])
            self.assertEqual([(2, "b@x", "two")], self.accounts())
        self.app.script("update accounts set note = 'one' where id = 1")

        self.app.sync()

        self.assertEqual([(1, "a@x", "one"), (2, "b@x", "two")], self.accounts())

    def test_a_lone_surrogate_that_comes_later_is_rejected_too(self):
        self.app.script("insert into accounts values (2, 'b@x', 2, 'two')")
        self.app.sync()
        self.app.script(f"insert into accounts values (3, 'c@x', 3, {self.lone})")

        for _ in range(2):
            self.assertEqual(1, self.app.table(self.app.sync(status=1), "accounts")["rows_rejected"])
            self.assertEqual([(2, "b@x", "two")], self.accounts())

    def test_the_replacement_character_is_another_text_than_a_lone_surrogate(self):
        self.app.script("insert into accounts values (1, 'a@x', 1, 'a\ufffdb'), (2, 'b@x', 2, 'two')")
        self.app.sync()
        self.app.script(f"update accounts set note = {self.lone} where id = 1")

        self.assertEqual(1, self.app.table(self.app.sync(status=1), "accounts")["rows_rejected"])
        self.app.script("update accounts set note = 'a\ufffdb' where id = 1")
        self.assertEqual(0, self.app.table(self.app.sync(), "accounts")["rows_rejected"])

        self.assertEqual([(1, "a@x", "a\ufffdb"), (2, "b@x", "two")], self.accounts())

    def test_a_key_with_a_lone_surrogate_is_not_forgotten(self):
        self.app.script("insert into settings values ('k', 'v')")
        self.app.sync()
        self.app.script(f"insert into settings values ({self.lone}, 'odd')")

        for _ in range(3):
            self.assertEqual(1, self.app.table(self.app.sync(status=1), "settings")["rows_rejected"])
            self.assertEqual(["k"], [row["name"] for row in self.bq.rows("d", "settings")])
        self.app.script("delete from settings where value = 'odd'")

        self.assertEqual(0, self.app.table(self.app.sync(), "settings")["rows_rejected"])

    def test_a_key_with_a_lone_surrogate_is_not_forgotten_when_other_rows_change(self):
        self.app.script(f"insert into devices values ('a', 1, 1), ({self.lone}, 1, 1)")
        for reading in range(3):
            self.app.execute("update devices set reading = ? where serial = 'a'", (reading,))
            self.assertEqual(1, self.app.table(self.app.sync(status=1), "devices")["rows_rejected"])
            self.assertEqual(1, len(self.app.json("rejects")["rejects"]))

    def test_keys_that_utf_8_would_make_one_have_an_entry_each(self):
        other = LONE[self.encoding].replace("6200", "6204").replace("d83d0062", "d83d0462")
        self.app.script(f"insert into devices values ('a', 1, 1), ({self.lone}, 1, 2), (cast(x'{other}' as text), 1, 3)")
        for _ in range(2):
            self.assertEqual(2, self.app.table(self.app.sync(status=1), "devices")["rows_rejected"])
            self.assertEqual([f"cast(x'{key}' as text)" for key in sorted([LONE[self.encoding], other])],
                             sorted(entry["key"]["serial"] for entry in self.app.json("rejects")["rejects"]))
        self.app.script("delete from devices where reading = 2")

        self.assertEqual(1, self.app.table(self.app.sync(status=1), "devices")["rows_rejected"])
        self.assertEqual([f"cast(x'{other}' as text)"],
                         [entry["key"]["serial"] for entry in self.app.json("rejects")["rejects"]])


class Utf16BeByTriggersTest(Utf16LeByTriggersTest):
    encoding = "UTF-16be"


class Utf16LeByScanTest(Utf16LeByTriggersTest):
    state = "state.db"


class Utf16BeByScanTest(Utf16LeByTriggersTest):
    encoding = "UTF-16be"
    state = "state.db"


if __name__ == "__main__":
    unittest.main()

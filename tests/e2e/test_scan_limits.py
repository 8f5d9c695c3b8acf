"""What a pass chooses by size, with triggers and without."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROWS = 10_000


class ShareTest(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state=self.state))
        with self.app.connect() as db:
            db.execute("begin")
            db.executemany("insert into accounts values (?, ?, ?, 'old')", (
                (number, f"{number}@x", number) for number in range(1, ROWS + 1)))
            db.execute("commit")
        self.app.sync("accounts")

    def test_a_table_most_of_whose_rows_changed_is_replaced(self):
        self.app.execute(f"update accounts set note = 'new' where id <= {ROWS // 2 + 1}")

        accounts = self.app.table(self.app.sync("accounts"), "accounts")

        self.assertEqual(("replace", ROWS, 0), (
            accounts["mode"], accounts["rows_inserted"], accounts["rows_updated"]))
        self.assertEqual(ROWS // 2 + 1, self.bq.scalar("select count(*) from d.accounts where note = 'new'"))

        self.app.execute("delete from accounts where id = 1")
        accounts = self.app.table(self.app.sync("accounts"), "accounts")
        self.assertEqual(("merge", 1), (accounts["mode"], accounts["rows_deleted"]))

    def test_a_table_half_of_whose_rows_changed_is_merged(self):
        self.app.execute(f"update accounts set note = 'new' where id <= {ROWS // 2}")
        plan = self.app.table(self.app.json("plan", "accounts"), "accounts")

        accounts = self.app.table(self.app.sync("accounts"), "accounts")

        self.assertEqual(("merge", ROWS // 2), (plan["mode"], plan["update"]))
        self.assertEqual(("merge", ROWS // 2), (accounts["mode"], accounts["rows_updated"]))

    def test_plan_says_why_a_table_would_be_replaced(self):
        self.app.execute(f"delete from accounts where id <= {ROWS // 2 + 1}")

        plan = self.app.table(self.app.json("plan", "accounts"), "accounts")

        self.assertEqual(("replace", "most rows changed"), (plan["mode"], plan["why"]))


class ScannedShareTest(ShareTest):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()

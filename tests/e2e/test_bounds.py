"""A MERGE says between which values its keys lie, and is billed for the blocks between them, whatever the key is."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

MEGABYTE = 1 << 20
# As many make a table of 40 MB, in blocks of 1 MB.
ROWS = 10000
NUMBERS = f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS})"


class BoundsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def fill(self, table, values):
        self.app.execute(f"{NUMBERS} insert into {table} select {values} from n")
        self.app.sync()

    def billed(self, table, *changes, **environment):
        """What a sync of these changes is billed for the table, which is equal on both sides then."""
        for sql in changes:
            self.app.execute(sql)
        report = self.app.table(self.app.sync(**environment), table)
        self.assertEqual(("synced", "merge"), (report["status"], report["mode"]))
        self.app.json("verify", table)  # ends with 1 where a row differs
        return report["bytes_billed"]

    def test_neighbouring_rows_are_changed_for_the_least_bill(self):
        self.fill("accounts", "i, 'e' || i, i / 8.0, hex(zeroblob(2000))")

        self.assertEqual(10 * MEGABYTE, self.billed(
            "accounts", "update accounts set balance = 1 where id between 5000 and 5100",
            "delete from accounts where id = 4999", "insert into accounts values (4999, 'new', 1, null)"))
        self.assertEqual(10 * MEGABYTE, self.billed("accounts", "delete from accounts where id > 9990"))
        # The bounds hold all keys of the pass.
        self.assertGreater(self.billed("accounts", "update accounts set balance = 2 where id in (1, 9990)"), 70 * MEGABYTE)

    def test_staged_rows_have_bounds_too(self):
        self.fill("accounts", "i, 'e' || i, i / 8.0, hex(zeroblob(2000))")

        # The staging table is billed as well.
        self.assertLess(self.billed("accounts", "update accounts set balance = 1 where id between 5000 and 5300"),
                        30 * MEGABYTE)

    def test_keys_of_text_have_bounds(self):
        self.app.execute(f"{NUMBERS} insert into devices select printf('%05d', i) || substr(hex(zeroblob(500)), 1, 990), 1, i from n")
        self.app.sync()

        self.assertEqual(10 * MEGABYTE, self.billed(
            "devices", "update devices set reading = 0 where serial between '02000' and '02100'",
            "update devices set serial = '02050\u00e9' where serial glob '02050*'"))
        # A key of more than 1,024 bytes has none, and the MERGE reads all of 10 MB, twice.
        self.assertGreater(self.billed("devices", "insert into devices values (hex(zeroblob(600)), 1, 1)"), 15 * MEGABYTE)

    def test_the_statements_of_a_transaction_have_bounds_of_their_own(self):
        self.fill("accounts", "i, 'e' || i, i / 8.0, 'note'")
        self.app.execute(f"{NUMBERS} insert into devices select 'serial ' || i, 1, i from n")
        self.app.sync()

        for change in (("update accounts set balance = 1 where id < 50", "update devices set reading = 0 where serial > 'serial 9'"),
                       ("delete from accounts where id = 7", "insert into devices values ('', 0, 0), ('\U0001f600', 0, 0)")):
            for sql in change:
                self.app.execute(sql)
            run = self.app.sync(BQ_SYNC_ATOMIC="1")
            self.assertEqual({"accounts", "devices"}, {t["table"] for t in run["tables"] if t["status"] == "synced"})
            self.app.json("verify")  # ends with 1 where a row differs


if __name__ == "__main__":
    unittest.main()

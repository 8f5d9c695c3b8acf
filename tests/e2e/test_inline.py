"""Few changes of a table travel in the statement that merges them; more pass through a staging table."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class InlineTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 10500)"
                         " insert into accounts select i, 'e' || i, i / 8.0, null from n")
        self.app.sync()

    def changed(self, *statements, **environment):
        """Syncs these changes; the requests that this costs, without their queries, and the table's report."""
        self.bq.clear_requests()
        for sql in statements:
            self.app.execute(sql)
        accounts = self.app.table(self.app.sync(**environment), "accounts")
        requests = [(request["method"], request["path"].split("?")[0].split("/projects/p/")[1])
                    for request in self.bq.requests()]
        self.assertEqual("merge", accounts["mode"])
        self.assertEqual(self.app.source_rows("accounts", "id, email, note"), sorted(
            ((row["id"], row["email"], row["note"]) for row in self.bq.rows("d", "accounts")), key=repr))
        return requests, accounts

    def test_a_changed_table_costs_one_job(self):
        requests, accounts = self.changed("update accounts set note = 'uno' where id = 1", "delete from accounts where id = 2",
                                          "insert into accounts values (20000, 'new', null, 'dos')")

        self.assertEqual([("GET", "datasets/d/tables"), ("PATCH", "datasets/d/tables/accounts"), ("POST", "jobs")],
                         [request for request in requests if not request[1].startswith("jobs/")])
        self.assertLessEqual(len(requests), 4)
        self.assertEqual((1, 1, 1), (accounts["rows_inserted"], accounts["rows_updated"], accounts["rows_deleted"]))
        self.assertGreater(accounts["bytes_sent"], 0)

    def test_five_thousand_rows_and_a_megabyte_are_the_limits(self):
        for change, inlined in (("update accounts set note = 'a' where id <= 5000", True),
                                ("update accounts set note = 'b' where id <= 5001", False),
                                ("update accounts set note = hex(zeroblob(524000)) where id = 7", True),
                                ("update accounts set note = hex(zeroblob(525000)) where id = 8", False)):
            with self.subTest(change):
                requests, _ = self.changed(change)
                self.assertEqual(inlined, ("POST", "datasets/d/tables") not in requests, requests)
                self.assertEqual(inlined, requests[2:3] == [("POST", "jobs")], requests)

    def test_a_wide_row_of_control_characters_is_read_back_as_it_was(self):
        self.changed("update accounts set note = replace(hex(zeroblob(300)), '0', char(1)) || '\n\t\"\\\u00e9\U0001f600'"
                     " where id = 3")

    def test_a_transaction_stages_its_rows(self):
        requests, _ = self.changed("update accounts set note = 'x' where id = 1", BQ_SYNC_ATOMIC="1")

        self.assertIn(("POST", "datasets/d/tables"), requests)

    def test_an_answer_about_a_job_does_not_repeat_its_rows(self):
        self.changed("update accounts set note = hex(zeroblob(100000)) where id = 1")

        answers = [request["response_bytes"] for request in self.bq.requests()
                   if request["path"].split("?")[0].endswith("/jobs") or "/jobs/" in request["path"]]
        self.assertTrue(answers)
        self.assertLess(max(answers), 10000)


if __name__ == "__main__":
    unittest.main()

"""What history adds to the cost of a pass: of a table without it nothing, else no more than what the log takes."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

LEAST = 10 * 2 ** 20  # what BigQuery bills at least for a table that a statement reads
ROWS = "insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two'), (9, 'c@x', 3, null)"


class CostTest(unittest.TestCase):
    """The same passes with history and without."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["plain", "kept"]))

    def deploy(self, **options):
        self.plain, self.kept = (
            self.enterContext(Deployment(self.bq, program=program, dataset=dataset, **options))
            for program, dataset in (("bqsync_lives", "plain"), ("bqsync_histories", "kept")))

    def cost(self, app, table, *arguments):
        """Bytes billed, jobs that were started, and requests."""
        self.bq.clear_requests()
        billed = app.table(app.sync(table, *arguments), table)["bytes_billed"]
        made = [(request["method"], request["path"].split("?")[0].split("/")[-1]) for request in self.bq.requests()]
        return billed, made.count(("POST", "jobs")), len(made)

    def added(self, table, *changes):
        """What history adds to the cost of a pass with these changes: bytes, jobs, requests."""
        costs = []
        for app in (self.plain, self.kept):
            for change in changes:
                app.execute(change)
            costs.append(self.cost(app, table))
        return tuple(with_history - without for without, with_history in zip(*costs))

    def begin(self, table, rows, **options):
        self.deploy(**options)
        for app in (self.plain, self.kept):
            app.script(rows)
            app.sync(table)

    def test_few_changes_bill_no_more(self):
        """The rows are counted by one more request."""
        for options in ({}, {"state": "state.db"}):
            self.begin("accounts", ROWS, **options)
            for changes in (["update accounts set note = 'uno' where id = 1"], ["delete from accounts where id = 2"],
                            ["insert into accounts values (10, 'd@x', 4, null)"],
                            ["update accounts set note = 'eins'", "delete from accounts where id = 9",
                             "insert into accounts values (11, 'e@x', 4, null)"]):
                with self.subTest(changes, **options):
                    self.assertEqual((0, 0, 1), self.added("accounts", *changes))

    def test_a_pass_without_changes_costs_the_same(self):
        self.begin("accounts", ROWS)
        self.assertEqual((0, 0, 0), self.added("accounts"))
        self.assertEqual((0, 0, 1), self.cost(self.kept, "accounts"))

    def test_a_key_whose_row_may_be_new_is_looked_up_in_the_target(self):
        self.begin("accounts", ROWS)
        for change in ("insert into accounts values (5, 'd@x', 4, null)",
                       "replace into accounts values (5, 'd@x', 4, 'replaced')",
                       "update accounts set id = 6 where id = 5"):
            with self.subTest(change):
                self.assertEqual((LEAST, 0, 1), self.added("accounts", change))

    def test_a_staging_table_is_read_once_more(self):
        self.begin("accounts", ROWS)
        self.assertEqual((LEAST, 0, 1), self.added(
            "accounts", "update accounts set note = hex(zeroblob(600000)) where id = 1"))

    def test_new_rows_of_mode_append_travel_in_a_statement(self):
        """One script in the place of a load; neither bills anything."""
        self.begin("events", "insert into events(kind) values ('a')")
        self.assertEqual((0, 0), self.added("events", "insert into events(kind) values ('b')")[:2])

    def test_a_key_that_changes_while_its_pass_runs(self):
        """What the first change after the snapshot found is what counts for the next pass."""
        self.begin("accounts", ROWS)
        for app in (self.plain, self.kept):
            app.script("create trigger meanwhile after update of generation on bq_sync_generations begin"
                       "  update accounts set note = note || '.' where id = 1; end;")
            app.execute("update accounts set note = 'uno' where id = 1")
            app.sync("accounts")
            app.execute("drop trigger meanwhile")
        self.assertEqual((0, 0, 1), self.added("accounts"))


if __name__ == "__main__":
    unittest.main()

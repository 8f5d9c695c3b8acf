"""A pass of one transaction, killed at requests and commits, on both sides of each, then run again.

sampling.py says at which of them.
"""

import contextlib
import os
import unittest

from tests.support import sampling
from tests.support.crash_world import World
from tests.support.killing import kill_at_commit, kill_at_request
from tests.support.scenarios import AFTER_INTENT, MEANWHILE, RESET, ROWS, Scenario

CHANGES = Scenario(
    "atomic: changes of three tables", ROWS,
    "insert into accounts values (4, 'd@x', 4, null); update accounts set note = 'uno' where id = 1;"
    "delete from accounts where id = 2; insert into events(kind, at) values ('d', 4);"
    "update settings set value = 'light' where name = 'theme'", (), ("accounts", "events", "settings"))
OVERTAKEN = CHANGES._replace(
    name="atomic: a reset meanwhile",
    change=CHANGES.change + ";" + MEANWHILE.format(when=AFTER_INTENT, what=RESET).replace("(4, 'd@x'", "(5, 'e@x'"))
FIRST = Scenario("atomic: first sync", None, ROWS, (), ("accounts", "settings"))


@unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
class AtomicCrashTest(unittest.TestCase):
    def world(self, scenario, state=None):
        return World(self.enterContext(contextlib.ExitStack()), scenario, state, BQ_SYNC_ATOMIC="1")

    def assert_every_cell_is_equal(self, world):
        print(sampling.told(sampling.POINTS, "point"))
        requests, commits = world.count()
        self.assertGreater(requests, 5)
        self.assertGreater(commits, 3)
        wrong = []
        for kind, count, sides, kill in (
                ("request", requests, ("before", "after"),
                 lambda number, side: kill_at_request(world.bq, world.app, number, side, world.arguments)),
                ("commit", commits, ("before", "after"),
                 lambda number, side: kill_at_commit(world.app, number, side, world.arguments))):
            for side in sides:
                for number in sampling.points(count, self.id(), kind, side):
                    world.restore()
                    killed = kill(number, side)
                    outcome = world.outcome()
                    if not killed or outcome != "equal":
                        wrong.append((kind, number, side, killed, outcome))
        self.assertEqual([], wrong)

    def test_changes(self):
        self.assert_every_cell_is_equal(self.world(CHANGES))

    def test_changes_of_which_one_table_is_reset_meanwhile(self):
        self.assert_every_cell_is_equal(self.world(OVERTAKEN))

    def test_changes_found_by_a_scan(self):
        self.assert_every_cell_is_equal(self.world(CHANGES, "state.db"))

    def test_a_first_sync(self):
        self.assert_every_cell_is_equal(self.world(FIRST))


if __name__ == "__main__":
    unittest.main()

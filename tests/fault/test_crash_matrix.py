"""Kills a run at every request, on both sides of it, and at every commit of ours, then runs it again.

Prints the matrix (points x outcomes). BQSYNC_CRASH_SCENARIO picks one scenario by a part of its name.
"""

import os
import pathlib
import tempfile
import time
import unittest

from tests.fault.scenarios import SCENARIOS
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

SHIM = BUILD / "tests" / "libcrash_shim.so"
HELD_SECONDS = 60


def same(app, table):
    """Whether BigQuery holds what SQLite holds, each row once (as verify sees it, and by the count)."""
    verified = app.json("verify", table)["tables"][0]
    rows = app.execute(f"select count(*) from {table}")[0][0]
    return verified["equal"] and app.bq.scalar(f"select count(*) from d.{table}") == rows


def staging_without_expiration(bq):
    return [name for name in bq.tables("d")
            if "staging" in name and "expirationTime" not in bq.table("d", name)]


class World:
    """A source and a warehouse that can be put back to where a scenario begins."""

    def __init__(self, test, scenario):
        self.test = test
        self.scenario = scenario
        self.bq = test.enterContext(Bqlocal(datasets=["d"], data=test.folder / "bq.db"))
        self.app = test.enterContext(Deployment(self.bq))
        if scenario.before is not None:
            self.app.script(scenario.before)
            self.app.sync()
        self.app.script(scenario.change)
        with self.app.connect() as db:
            db.execute("pragma wal_checkpoint(truncate)")
        self.bq.stop()
        self.saved_source = self.app.path.read_bytes()
        self.saved_warehouse = {path: path.read_bytes() for path in test.folder.glob("bq.db*")}

    def restore(self):
        if self.bq._process is not None:
            self.bq.stop()
        for path in list(self.test.folder.glob("bq.db*")):
            path.unlink()
        for path, content in self.saved_warehouse.items():
            path.write_bytes(content)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(str(self.app.path) + suffix).unlink(missing_ok=True)
        self.app.path.write_bytes(self.saved_source)
        self.bq.start()

    def run_in_peace(self, **environment):
        """The whole run, for counting."""
        self.restore()
        self.bq.clear_requests()
        status, out, err = self.app.run("sync", *self.scenario.arguments, **environment)
        self.test.assertEqual(0, status, err)
        return self.bq.requests()

    def outcome(self):
        """Runs it again after the kill; "equal", or what is wrong."""
        status, _, err = self.app.run("sync")
        if status != 0:
            return f"second run ended with {status}: {err.strip().splitlines()[-1:]}"
        different = [table for table in self.scenario.tables if not same(self.app, table)]
        if different:
            return f"different: {different}"
        left = staging_without_expiration(self.bq)
        return f"staging left: {left}" if left else "equal"


class CrashMatrixTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-crash-"))
        self.folder = pathlib.Path(folder)

    def kill_at_request(self, world, number, side):
        """Holds the number-th request before or after it is processed, and kills the client."""
        world.restore()
        world.bq.faults({"nth": number, "count": 1, "action": f"hang_{side}"})
        process = world.app.start("sync", *world.scenario.arguments, BQ_PARALLEL="1")
        end = time.monotonic() + HELD_SECONDS
        while time.monotonic() < end and process.poll() is None:
            if any(rule.get("held") for rule in world.bq.fault_state()):
                break
            time.sleep(0.005)
        process.kill()
        process.communicate()
        world.bq.clear_faults()
        return world.outcome()

    def kill_at_commit(self, world, number, side):
        world.restore()
        status, _, err = world.app.run(
            "sync", *world.scenario.arguments, LD_PRELOAD=str(SHIM), BQ_PARALLEL="1",
            BQSYNC_CRASH_COMMIT=str(number), BQSYNC_CRASH_SIDE=side)
        self.assertEqual(-9, status, f"commit {number} was not reached: {err}")
        return world.outcome()

    def test_every_kill_ends_in_equality(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the shim cannot be preloaded into a sanitizer build; the plain build runs this")
        wanted = os.environ.get("BQSYNC_CRASH_SCENARIO", "")
        failures = []
        print(f"\n{'scenario':34} {'requests':>9} {'commits':>8} {'kills':>6} {'equal':>6}", flush=True)
        for scenario in SCENARIOS:
            if wanted not in scenario.name:
                continue
            world = World(self, scenario)
            requests = len(world.run_in_peace(BQ_PARALLEL="1"))
            counter = self.folder / "commits"
            counter.unlink(missing_ok=True)
            world.run_in_peace(
                LD_PRELOAD=str(SHIM), BQSYNC_COMMIT_COUNT=str(counter), BQ_PARALLEL="1")
            commits = counter.stat().st_size

            outcomes = {}
            for number in range(1, requests + 1):
                for side in ("before", "after"):
                    outcomes["request", number, side] = self.kill_at_request(world, number, side)
            for number in range(1, commits + 1):
                for side in ("before", "after"):
                    outcomes["commit", number, side] = self.kill_at_commit(world, number, side)
            world.bq.stop()

            equal = sum(outcome == "equal" for outcome in outcomes.values())
            print(f"{scenario.name:34} {requests:9} {commits:8} {len(outcomes):6} {equal:6}", flush=True)
            failures += [(scenario.name, *point, outcome)
                         for point, outcome in outcomes.items() if outcome != "equal"]
        self.assertEqual([], failures)


if __name__ == "__main__":
    unittest.main()

"""Cuts a run short at every request and every commit, on both sides of it, then runs it again.

Prints the matrix. Every cell is "equal" only if the run after it ends well, BigQuery then holds what SQLite holds
(compared value by value, by code that shares nothing with bqsync), no staging table is without an expiration, and
one more run has nothing to do and makes the one request that this costs.

    BQSYNC_CRASH_SCENARIO=TEXT   only scenarios whose name has the text
"""

import collections
import os
import pathlib
import sys
import tempfile
import unittest

from tests.fault.killing import count_commits, kill_at_commit, kill_at_request
from tests.fault.scenarios import SCENARIOS, checkpoint
from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
SHAPES = {definition["table"]: definition for definition in mirror.load_definitions(SCHEMAS)}
# One repetition of a request at most: what an answer that stays away costs is not what is tested here.
HURRY = {"BQ_PARALLEL": "1", "BQ_RETRY_BUDGET": "300ms"}

# Answers that never come, come late or come broken, and refusals; the run is not killed.
LOSSES = {
    "answer lost": {"action": "reset_after"},
    "request lost": {"action": "reset_before"},
    "answer cut": {"action": "truncate"},
    "no JSON": {"action": "not_json"},
    "503": {"action": "status", "status": 503},
    "500 though done": {"action": "status", "status": 500, "processed": True},
    "403": {"action": "status", "status": 403},
}


class World:
    """A source and a warehouse that can be put back to where a scenario begins."""

    def __init__(self, test, folder, scenario, state=None):
        self.test = test
        self.folder = folder
        self.scenario = scenario
        self.bq = test.enterContext(Bqlocal(datasets=["d"], data=folder / "bq.db"))
        self.app = test.enterContext(Deployment(self.bq, environment=HURRY, state=state))
        if scenario.before is not None:
            self.app.script(scenario.before)
            self.app.run("sync", *scenario.tables)
        self.app.script(scenario.change)
        if scenario.accident is not None:
            scenario.accident(self.bq, self.app)
        checkpoint(self.app)
        self.bq.stop()
        self.saved = {path: path.read_bytes() for path in self.files()}
        self.arguments = [*scenario.options, *scenario.tables]

    def files(self):
        return [path for folder in (self.folder, self.app.folder) for path in folder.iterdir()]

    def restore(self):
        self.bq.stop()
        for path in self.files():
            if path not in self.saved:
                path.unlink()
        for path, content in self.saved.items():
            path.write_bytes(content)
        self.bq.start()
        self.endpoint = mirror.Endpoint(self.bq.url, "p", "d")

    def count(self):
        """How many requests and commits the whole run makes."""
        self.restore()
        commits = count_commits(self.app, self.folder / "commits", self.arguments)
        return len(self.bq.requests()), commits

    def difference(self):
        """None, or how BigQuery differs from SQLite."""
        source = mirror.open_source(str(self.app.path))
        try:
            reports = [mirror.compare_table(source, self.endpoint, SHAPES[table]) for table in self.scenario.tables]
        finally:
            source.close()
        return next((str(report) for report in reports if not report.equal), None)

    def outcome(self):
        """Runs it again; "equal", or what is wrong."""
        status, _, err = self.app.run("sync", *self.scenario.tables)
        if status != 0:
            return f"the second run ended with {status}: {err.strip().splitlines()[-2:]}"
        different = self.difference()
        if different:
            return f"different: {different}"
        left = [name for name in self.bq.tables("d")
                if "staging" in name and "expirationTime" not in self.bq.table("d", name)]
        if left:
            return f"staging left: {left}"
        self.bq.clear_requests()
        status, _, err = self.app.run("sync", *self.scenario.tables)
        made = len(self.bq.requests())
        if status != 0 or made != 1:
            return f"the third run ended with {status} after {made} requests"
        return "equal"


class CrashMatrixTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.shown = None

    def show(self, *cells):
        """A line of the matrix, below its heading."""
        widths = (-34, 9, 9, 9, 9)
        print("".join(f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}"
                      for cell, width in zip(cells, widths)), file=sys.stderr, flush=True)

    def worlds(self, **options):
        wanted = os.environ.get("BQSYNC_CRASH_SCENARIO", "")
        for scenario in SCENARIOS:
            if wanted in scenario.name:
                with tempfile.TemporaryDirectory(prefix="bqsync-crash-") as folder:
                    yield World(self, pathlib.Path(folder), scenario, **options)

    def check(self, name, points, outcomes):
        equal = sum(outcome == "equal" for outcome in outcomes.values())
        self.show(name, *points, len(outcomes), equal)
        return [(name, *point, outcome) for point, outcome in outcomes.items() if outcome != "equal"]

    def kill_everywhere(self, **options):
        failures = []
        print(file=sys.stderr)
        self.show("killed at every", "request", "commit", "kills", "equal")
        for world in self.worlds(**options):
            requests, commits = world.count()
            outcomes = {}
            for side in ("before", "after"):
                for number in range(1, requests + 1):
                    world.restore()
                    self.assertTrue(kill_at_request(world.bq, world.app, number, side, world.arguments))
                    outcomes["request", number, side] = world.outcome()
                for number in range(1, commits + 1):
                    world.restore()
                    self.assertTrue(kill_at_commit(world.app, number, side, world.arguments))
                    outcomes["commit", number, side] = world.outcome()
            world.bq.stop()
            failures += self.check(world.scenario.name, (requests, commits), outcomes)
        return failures

    def test_every_kill_ends_in_equality(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the shim cannot be preloaded into a sanitizer build; the plain build runs this")

        self.assertEqual([], self.kill_everywhere())

    def test_every_lost_or_broken_answer_ends_in_equality(self):
        failures = []
        print(file=sys.stderr)
        self.show("lost at every request", "requests", "losses", "runs well", "equal")
        for world in self.worlds():
            world.restore()
            self.assertEqual(0, world.app.run("sync", *world.arguments)[0])
            requests = len(world.bq.requests())
            outcomes, ended = {}, collections.Counter()
            for loss, rule in LOSSES.items():
                for number in range(1, requests + 1):
                    world.restore()
                    world.bq.faults({**rule, "nth": number, "count": 1})
                    status, _, err = world.app.run("sync", *world.arguments)
                    world.bq.clear_faults()
                    ended[status] += 1
                    outcome = world.difference() if status == 0 else None
                    if status not in (0, 1, 4, 5):
                        outcome = f"the run itself ended with {status}: {err}"
                    outcomes[loss, number] = outcome or world.outcome()
            world.bq.stop()
            equal = sum(outcome == "equal" for outcome in outcomes.values())
            self.show(world.scenario.name, requests, len(outcomes), ended[0], equal)
            failures += [(world.scenario.name, *point, outcome)
                         for point, outcome in outcomes.items() if outcome != "equal"]
        self.assertEqual([], failures)


if __name__ == "__main__":
    unittest.main()

"""Cuts a run short at every request and every commit, on both sides of it, then runs it again.

Prints the matrix. Every cell is "equal" only if the run after it ends well, BigQuery then holds what SQLite holds
(compared value by value, by code that shares nothing with bqsync), no staging table is without an expiration, and
one more run has nothing to do and makes the one request that this costs.

    BQSYNC_CRASH_SCENARIO=TEXT   only scenarios whose name has the text
"""

import contextlib
import multiprocessing
import os
import pathlib
import sys
import tempfile
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.killing import count_commits, kill_at_commit, kill_at_request
from tests.support.scenarios import SCANNED, SCENARIOS, checkpoint

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

    def __init__(self, stack, scenario, state):
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bqsync-crash-")))
        self.scenario = scenario
        self.bq = stack.enter_context(Bqlocal(datasets=["d"], data=self.folder / "bq.db"))
        self.app = stack.enter_context(Deployment(self.bq, environment=HURRY, state=state))
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


class Part:
    """What one scenario came to: the points where it was cut short, and the outcome of each."""

    def __init__(self, name):
        self.name = name
        self.points = ()  # two figures for the matrix
        self.outcomes = {}

    @property
    def failures(self):
        return [(self.name, *point, outcome) for point, outcome in self.outcomes.items() if outcome != "equal"]

    @property
    def cells(self):
        return (self.name, *self.points, len(self.outcomes), len(self.outcomes) - len(self.failures))


def kill_everywhere(scenario, state):
    part = Part(scenario.name)
    with contextlib.ExitStack() as stack:
        world = World(stack, scenario, state)
        part.points = requests, commits = world.count()
        for side in ("before", "after"):
            for number in range(1, requests + 1):
                world.restore()
                killed = kill_at_request(world.bq, world.app, number, side, world.arguments)
                part.outcomes["request", number, side] = world.outcome() if killed else "never reached"
            for number in range(1, commits + 1):
                world.restore()
                killed = kill_at_commit(world.app, number, side, world.arguments)
                part.outcomes["commit", number, side] = world.outcome() if killed else "never reached"
    return part


def lose_everywhere(scenario, state):
    """The second figure is how many of the runs ended well in spite of the loss."""
    part = Part(scenario.name)
    with contextlib.ExitStack() as stack:
        world = World(stack, scenario, state)
        requests, _ = world.count()
        well = 0
        for loss, rule in LOSSES.items():
            for number in range(1, requests + 1):
                world.restore()
                world.bq.faults({**rule, "nth": number, "count": 1})
                status, _, err = world.app.run("sync", *world.arguments)
                world.bq.clear_faults()
                well += status == 0
                outcome = world.difference() if status == 0 else None
                if status not in (0, 1, 4, 5):
                    outcome = f"the run itself ended with {status}: {err}"
                part.outcomes[loss, number] = outcome or world.outcome()
        part.points = (requests, well)
    return part


def show(*cells):
    """A line of the matrix."""
    widths = (-34, 10, 10, 8, 8)
    print("".join(f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}" for cell, width in zip(cells, widths)),
          file=sys.stderr, flush=True)


class CrashMatrixTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the shim cannot be preloaded into a sanitizer build; the plain build runs this")

    def assert_all_equal(self, heading, cut_short, scenarios=SCENARIOS, state=None):
        """Shows the matrix of all scenarios, a process of its own for each."""
        wanted = os.environ.get("BQSYNC_CRASH_SCENARIO", "")
        failures = []
        print(file=sys.stderr)
        show(*heading)
        with multiprocessing.get_context("fork").Pool(min(len(os.sched_getaffinity(0)), 8)) as pool:
            jobs = [pool.apply_async(cut_short, (scenario, state)) for scenario in scenarios
                    if wanted in scenario.name]
            for job in jobs:
                part = job.get()
                show(*part.cells)
                failures += part.failures
        self.assertEqual([], failures)

    def test_every_kill_ends_in_equality(self):
        self.assert_all_equal(("killed at every", "request", "commit", "kills", "equal"), kill_everywhere)

    def test_every_kill_of_a_sync_by_scan_ends_in_equality(self):
        self.assert_all_equal(("killed at every (scan)", "request", "commit", "kills", "equal"), kill_everywhere,
                              SCANNED, "state.db")

    def test_every_lost_or_broken_answer_ends_in_equality(self):
        self.assert_all_equal(("lost at every request", "requests", "runs well", "losses", "equal"),
                              lose_everywhere)


if __name__ == "__main__":
    unittest.main()

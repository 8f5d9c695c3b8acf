"""Cuts a run short at its requests and its commits, on both sides of each, then runs it again.

    python3 -m unittest tests.fault.test_crash_matrix       of every scenario and every sort a sample of the points,
                                                            with histories or without
    python3 -m tests.fault.test_crash_matrix --all          every point, with histories and without: before a release

Prints the matrix. Every cell is "equal" only if the run after it ends well, BigQuery then holds what SQLite holds
(compared value by value, by code that shares nothing with bqsync), no staging table is without an expiration, and
one more run has nothing to do and makes the one request that this costs.

    BQSYNC_CRASH_SCENARIO=TEXT   only scenarios whose name has the text
"""

import contextlib
import multiprocessing
import os
import sys
import unittest

from tests.support import sampling
from tests.support.crash_world import HURRY, HistoryWorld, World
from tests.support.killing import kill_at_commit, kill_at_request
from tests.support.scenarios import SCANNED, SCENARIOS

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


def kill(scenario, state, world=World):
    part = Part(scenario.name)
    with contextlib.ExitStack() as stack:
        world = world(stack, scenario, state)
        part.points = requests, commits = world.count()
        for side in ("before", "after"):
            for number in sampling.points(requests, scenario.name, "request", side):
                world.restore()
                killed = kill_at_request(world.bq, world.app, number, side, world.arguments)
                part.outcomes["request", number, side] = world.outcome() if killed else "never reached"
            for number in sampling.points(commits, scenario.name, "commit", side):
                world.restore()
                killed = kill_at_commit(world.app, number, side, world.arguments)
                part.outcomes["commit", number, side] = world.outcome() if killed else "never reached"
    return part


def kill_with_history(scenario, state):
    return kill(scenario, state, HistoryWorld)


def lose(scenario, state, world=World):
    """The second figure is how many of the runs ended well in spite of the loss."""
    part = Part(scenario.name)
    with contextlib.ExitStack() as stack:
        world = world(stack, scenario, state)
        requests, _ = world.count()
        well = 0
        for loss, rule in LOSSES.items():
            for number in sampling.points(requests, scenario.name, loss):
                world.restore()
                world.bq.faults({**rule, "nth": number, "count": 1})
                status, _, err = world.app.run("sync", *world.arguments, **HURRY)
                world.bq.clear_faults()
                well += status == scenario.status
                outcome = world.difference() if status == scenario.status else None
                if status not in (0, 1, 4, 5):
                    outcome = f"the run itself ended with {status}: {err}"
                part.outcomes[loss, number] = outcome or world.outcome()
        part.points = (requests, well)
    return part


def lose_with_history(scenario, state):
    return lose(scenario, state, HistoryWorld)


def alternating(scenarios, history, *sort):
    """The scenarios that this run tries with histories, or those that it tries without."""
    if os.environ.get("BQSYNC_CRASH_SCENARIO"):
        return scenarios
    return sampling.one_way(scenarios, int(history), 2, "history", *sort)


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

    def assert_all_equal(self, heading, cut_short, scenarios, state=None):
        """Shows the matrix of all scenarios, a process of its own for each."""
        wanted = os.environ.get("BQSYNC_CRASH_SCENARIO", "")
        failures = []
        print(f"\n{sampling.told(sampling.POINTS, 'point')}", file=sys.stderr)
        show(*heading)
        # A cell waits half of its time.
        with multiprocessing.get_context("fork").Pool(min(2 * len(os.sched_getaffinity(0)), 8)) as pool:
            jobs = [pool.apply_async(cut_short, (scenario, state)) for scenario in scenarios
                    if wanted in scenario.name]
            for job in jobs:
                part = job.get()
                show(*part.cells)
                failures += part.failures
        self.assertEqual([], failures)

    def test_a_kill_ends_in_equality(self):
        self.assert_all_equal(("killed at", "request", "commit", "kills", "equal"), kill,
                              alternating(SCENARIOS, False, "kill"))

    def test_a_kill_of_a_sync_by_scan_ends_in_equality(self):
        self.assert_all_equal(("killed at (scan)", "request", "commit", "kills", "equal"), kill,
                              alternating(SCANNED, False, "scan"), "state.db")

    def test_a_kill_with_history_ends_in_equality(self):
        self.assert_all_equal(("killed at (history)", "request", "commit", "kills", "equal"), kill_with_history,
                              alternating(SCENARIOS, True, "kill"))

    def test_a_kill_of_a_sync_by_scan_with_history_ends_in_equality(self):
        self.assert_all_equal(("killed at (history, scan)", "request", "commit", "kills", "equal"),
                              kill_with_history, alternating(SCANNED, True, "scan"), "state.db")

    def test_a_lost_or_broken_answer_with_history_ends_in_equality(self):
        self.assert_all_equal(("lost at a request (history)", "requests", "runs well", "losses", "equal"),
                              lose_with_history, alternating(SCENARIOS, True, "lose"))

    def test_a_lost_or_broken_answer_ends_in_equality(self):
        self.assert_all_equal(("lost at a request", "requests", "runs well", "losses", "equal"),
                              lose, alternating(SCENARIOS, False, "lose"))


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.argv.remove("--all")
        os.environ["BQSYNC_ALL"] = "1"
    unittest.main()

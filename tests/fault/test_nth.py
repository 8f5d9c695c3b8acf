"""Makes the n-th call fail: of each undertaking (tests/fault/nth.py), of each kind of failure.

    python3 -m unittest tests.fault.test_nth        a sample of the calls
    python3 -m tests.fault.test_nth --all           every call; of the allocations one of each place: hours
    python3 -m tests.fault.test_nth --every         every allocation, too: a day

A place is a chain of callers. Prints how many calls a run makes and how many of them failed, one after the other. Each
of these runs has to end well or with an error that says why, and has to leave a sound source from which an undisturbed
run ends in equality.

    BQSYNC_NTH_UNDERTAKING=TEXT  only undertakings whose name has the text
    BQSYNC_NTH_FAILURE=TEXT      only failures whose name has the text
    BQSYNC_NTH_LIMIT=N           at most so many calls of each
    BQSYNC_NTH_OWN=K             a call of each place, wherever it is met first; a place is told by the K frames of bqsync
                                 itself that are nearest to the call, and meets one of the failures of its kind
    BQSYNC_SEED=N                the sample of an earlier run
"""

import contextlib
import multiprocessing
import os
import random
import shutil
import sys
import time
import unittest

from tests.fault import nth
from tests.support import sampling

# Of each failure, in the sample. Most faults were found in the allocations.
SAMPLED = 1
SAMPLED_ALLOCATIONS = 12
SAMPLED_OF_SERVICE = 4
# Runs of each undertaking that valgrind watches: each takes seconds.
WATCHED = 1
SHOWN = 30
OWN_OF_A_JOB = 40


class Part:
    """What one failure in one undertaking came to."""

    def __init__(self, undertaking, failure):
        self.names = (undertaking.name, failure.name)
        self.calls = self.places = self.tried = self.well = 0
        self.problems = []

    @property
    def cells(self):
        return (*self.names, self.calls, self.places, self.tried, self.well, len(self.problems))


def is_asked(variable, name):
    return os.environ.get(variable, "") in name


def numbers(undertaking, failure, places):
    """Which calls fail."""
    if os.environ.get("BQSYNC_NTH_LIMIT"):
        limit = int(os.environ["BQSYNC_NTH_LIMIT"])
    elif sampling.everything():
        limit = len(places)
    else:
        limit = SAMPLED_ALLOCATIONS if failure.kind == "memory" else SAMPLED
    alike = failure.kind == "memory" and os.environ.get("BQSYNC_NTH_EVERY") != "1"
    return nth.chosen(places if alike else range(len(places)), limit, undertaking.name, failure.name)


def sample(undertaking, failures):
    """A service takes seconds to start and to stop, so that it meets only some of the failures."""
    if undertaking.command != ("serve",):
        return failures
    rng = random.Random(sampling.SEED)
    return rng.sample(failures, min(SAMPLED_OF_SERVICE, len(failures)))


def look(job):
    """Of one undertaking: its number, and the places of the calls of each kind."""
    index, failures = job
    with contextlib.ExitStack() as stack:
        world = nth.NthWorld(stack, nth.UNDERTAKINGS[index])
        return index, {failure.kind: world.places(failure) for failure in failures}


def own_places(looked):
    """[(undertaking, {failure: numbers})]: each place once; lists are short, so that all processors have work."""
    rng = random.Random(sampling.SEED)
    known = set()
    jobs = []
    for index, kinds in looked:
        for kind, places in kinds.items():
            failures = [failure for failure in nth.FAILURES if failure.kind == kind]
            calls = []
            for number, place in enumerate(places, 1):
                if (kind, place) not in known:
                    known.add((kind, place))
                    calls.append((rng.choice(failures), number))
            for at in range(0, len(calls), OWN_OF_A_JOB):
                wanted = {}
                for failure, number in calls[at:at + OWN_OF_A_JOB]:
                    wanted.setdefault(failure, []).append(number)
                jobs.append((index, wanted))
    return jobs


def fail_calls(index, failures):
    """Of one undertaking; a part for each failure. Failures may come with the numbers of their calls."""
    undertaking = nth.UNDERTAKINGS[index]
    parts = []
    with contextlib.ExitStack() as stack:
        world = nth.NthWorld(stack, undertaking)
        for failure in failures:
            part = Part(undertaking, failure)
            places = world.places(failure)
            part.calls, part.places = len(places), len(set(places))
            wanted = failures[failure] if isinstance(failures, dict) else numbers(undertaking, failure, places)
            for number in wanted:
                outcome = world.attempt(failure, number)
                part.tried += 1
                part.well += outcome.status == 0
                part.problems += [f"{undertaking.name}: {failure.name}: call {number}: {problem}\n"
                                  f"{outcome.err}\n{outcome.frames}" for problem in outcome.problems]
            parts.append(part)
    return parts


def watch_leaks(index):
    """Of one undertaking: (runs under valgrind, what it found)."""
    undertaking = nth.UNDERTAKINGS[index]
    failure = nth.FAILURES[0]
    with contextlib.ExitStack() as stack:
        world = nth.NthWorld(stack, undertaking)
        chosen = nth.chosen(world.places(failure), WATCHED, undertaking.name, "leaks")
        found = [f"{undertaking.name}: {failure.name}: call {number}:\n{leaks}" for number in chosen
                 if (leaks := world.leaks(failure, number))]
    return len(chosen), found


def show(*cells):
    widths = (-26, -29, 8, 8, 7, 7, 9)
    print("".join(f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}" for cell, width in zip(cells, widths)),
          file=sys.stderr, flush=True)


class NthTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the shim cannot be preloaded into a sanitizer build; the plain build runs this")
        began = time.monotonic()
        self.addCleanup(lambda: print(f"{time.monotonic() - began:.0f} s", file=sys.stderr))

    def in_parallel(self, function, calls):
        with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
            yield from pool.imap_unordered(function, calls)

    def asked(self):
        return [index for index, undertaking in enumerate(nth.UNDERTAKINGS)
                if is_asked("BQSYNC_NTH_UNDERTAKING", undertaking.name)]

    def test_a_failed_call_ends_in_an_error_and_then_in_equality(self):
        failures = [failure for failure in nth.FAILURES if is_asked("BQSYNC_NTH_FAILURE", failure.name)]
        totals = [0, 0]
        problems = []
        print(f"\nBQSYNC_SEED={sampling.SEED}", file=sys.stderr)
        show("undertaking", "failure", "calls", "places", "tried", "well", "problems")
        jobs = [(index, [failure]) for index in self.asked() for failure in failures]
        if os.environ.get("BQSYNC_NTH_OWN"):
            jobs = own_places(sorted(self.in_parallel(look, [(index, failures) for index in self.asked()])))
        elif not sampling.everything():
            jobs = [(index, sample(nth.UNDERTAKINGS[index], failures)) for index in self.asked()]
        for parts in self.in_parallel(fail_each, jobs):
            for part in parts:
                show(*part.cells)
                totals = [totals[0] + part.tried, totals[1] + part.well]
                problems += part.problems
        show("all", "", "", "", *totals, len(problems))
        self.assertEqual([], problems[:SHOWN])

    def test_a_run_without_memory_loses_none(self):
        if shutil.which("valgrind") is None:
            self.assertNotEqual("1", os.environ.get("BQSYNC_CI"), "valgrind is missing")
            self.skipTest("valgrind is missing")
        runs = 0
        leaks = []
        calls = [index for index in self.asked() if nth.UNDERTAKINGS[index].command != ("serve",)]
        for count, found in self.in_parallel(watch_leaks, calls):
            runs += count
            leaks += found
        print(f"\n{runs} runs under valgrind", file=sys.stderr)
        self.assertEqual([], leaks)


def fail_each(job):
    return fail_calls(*job)


if __name__ == "__main__":
    for option, variables in {"--all": ["BQSYNC_ALL"],
                              "--every": ["BQSYNC_ALL", "BQSYNC_NTH_EVERY"]}.items():
        if option in sys.argv:
            sys.argv.remove(option)
            os.environ.update(dict.fromkeys(variables, "1"))
    unittest.main()

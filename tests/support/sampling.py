"""What a run of the tests tries of a set that is too large for each run: a random part of every sort, or all of it.

    BQSYNC_ALL=1          all of it
    BQSYNC_SEED=N         the part of an earlier run, which printed its seed

    python3 -m tests.support.sampling FILE      the tests of a file; under sanitizers a part of them
"""

import os
import random
import sys
import unittest

# One point of so many where a run can be cut short, of every sort.
POINTS = 8
# One end-to-end test of so many, under sanitizers. The plain build runs them all.
SANITIZED = 8
# What compiles all of bqsync once more, for something that seldom changes. One of them has its turn in a run of CI, all
# of whose tests have one seed (.ci/run).
BUILDS = ("amalgamation", "clone", "images", "reproducible")
# Judges that fetch and compile a project of others for bqlocal or for what is emitted; the same.
JUDGES = ("client for Go", "client for Java", "compiler of Dataform")
# Chosen before a test forks its workers, so that all of them have the same.
SEED = int(os.environ.get("BQSYNC_SEED", random.SystemRandom().randrange(2**31)))


def everything():
    return os.environ.get("BQSYNC_ALL") == "1"


def _sample(items, count, rng):
    """So many random items, in their order."""
    return [items[index] for index in sorted(rng.sample(range(len(items)), count))]


def chosen(items, one_of, *sort):
    """One of so many items, and never none if there are any, in their order; sort is what they have in common."""
    if everything():
        return list(items)
    return _sample(items, -(-len(items) // one_of), random.Random(repr((SEED, sort))))


def one_way(items, way, ways, *sort):
    """The items that a run tries in this one of several ways: each is tried in one of them, or all in each."""
    if everything():
        return list(items)
    rng = random.Random(repr((SEED, sort)))
    # Where there is one item, it is not always the first way that gets it.
    first = (way + rng.randrange(ways)) % ways
    return [items[index] for index in sorted(rng.sample(range(len(items)), len(items))[first::ways])]


def turn(name):
    """Whether this run of CI has that one of its kind. Everywhere else each test runs when it is called."""
    kind = next(names for names in (BUILDS, JUDGES) if name in names)
    return everything() or os.environ.get("BQSYNC_CI") != "1" or random.Random(repr((SEED, kind))).choice(kind) == name


def wait_for_turn(name):
    """Skips the test if this run of CI has another one of its kind."""
    if not turn(name):
        raise unittest.SkipTest("another run of CI does this")


def points(count, *sort):
    """The numbers to try of the points 1 to count of one sort, at which a run is cut short."""
    return chosen(range(1, count + 1), POINTS, *sort)


def told(one_of, what):
    """What repeats the choice, for the output of a test."""
    return f"every {what}" if everything() else f"one {what} of {one_of}, BQSYNC_SEED={SEED}; BQSYNC_ALL=1 tries all"


def lot(items, one_of, *sort):
    """One of so many items on average, in their order; of a few perhaps none."""
    if everything():
        return list(items)
    rng = random.Random(repr((SEED, sort)))
    return _sample(items, int(len(items) / one_of + rng.random()), rng)


class Loader(unittest.TestLoader):
    """Finds a part of the tests of each class."""

    def getTestCaseNames(self, case):
        return lot(super().getTestCaseNames(case), SANITIZED, case.__module__, case.__qualname__)


def main():
    loader = unittest.defaultTestLoader
    if os.environ.get("BQSYNC_SANITIZE"):
        print(told(SANITIZED, "test"))
        loader = Loader()
    # No test is no failure.
    sys.exit(not unittest.main(module=None, testLoader=loader, verbosity=2, exit=False).result.wasSuccessful())


if __name__ == "__main__":
    # Tests import the module by its name, and all of it must have one seed.
    from tests.support import sampling

    sampling.main()

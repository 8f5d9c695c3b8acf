"""Which of the points where a run can be cut short a crash test tries: all of them, or a sample of every sort.

    BQSYNC_CRASH_ALL=1    all of them
    BQSYNC_SEED=N         the sample of an earlier run, which printed its seed
"""

import os
import random

# One point of so many, and never none, is in the sample.
SAMPLED = 4
# Chosen before a test forks its workers, so that all of them have the same.
SEED = int(os.environ.get("BQSYNC_SEED", random.SystemRandom().randrange(2**31)))


def everything():
    return os.environ.get("BQSYNC_CRASH_ALL") == "1"


def chosen(count, *sort):
    """The numbers to try of the points 1 to count of one sort, in order; sort is what they have in common."""
    numbers = range(1, count + 1)
    if everything():
        return list(numbers)
    return sorted(random.Random(repr((SEED, sort))).sample(numbers, -(-count // SAMPLED)))


def told():
    """What repeats the choice, for the output of a test."""
    return "all points" if everything() else f"one point of {SAMPLED}, BQSYNC_SEED={SEED}; BQSYNC_CRASH_ALL=1 tries all"

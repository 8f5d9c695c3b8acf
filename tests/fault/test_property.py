"""Random lives: whatever an application, an operator, the network and SIGKILL do, BigQuery ends up equal.

    python3 -m unittest tests.fault.test_property            BQSYNC_WORKLOADS (default below) random workloads
    python3 -m tests.fault.test_property --long              100,000 of them
    BQSYNC_DIMENSIONS=keys,indexes python3 -m unittest tests.fault.test_property      only these dimensions
    BQSYNC_ALWAYS=history python3 -m unittest tests.fault.test_property               each life has these, too
    BQSYNC_SEED=7 BQSYNC_LIFE=12 python3 -m unittest tests.fault.test_property        one life again

It says how far it is after every 1,000 workloads, and SIGTERM ends it with what was counted so far. The databases
are in memory where the system has a file system there: none of the deaths that a process survives asks for a disk.

A workload is a handful of random statements, now and then an accident (a reset, a dropped target, a restored
backup, a lost trigger), often a sync that is killed or meets faults, then a sync in peace. The dimensions of a life
(dimensions.py) add tables, statements, accidents and trials of their own.
"""

import collections
import functools
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import unittest

from tests.fault.dimensions import DIMENSIONS
from tests.fault.life import Broken, Life
from tests.support.workload import Noticed

WORKLOADS = 600
WORKLOADS_LONG = 100_000
WORKLOADS_A_LIFE = 25
STORY_LINES = 50
PROGRESS_WORKLOADS = 1000
MEMORY_FOLDER = "/dev/shm"
# Lives have these only if BQSYNC_DIMENSIONS names them: dimensions that the program does not pass yet.
NOT_YET: set[str] = set()


def chosen():
    """The dimensions that lives may have."""
    names = os.environ.get("BQSYNC_DIMENSIONS")
    if names:
        return [DIMENSIONS[name] for name in names.split(",")]
    return [kind for name, kind in DIMENSIONS.items() if name not in NOT_YET]


def settings(seed):
    """What repeats a run."""
    return f"BQSYNC_DIMENSIONS={','.join(kind.name for kind in chosen())} BQSYNC_SEED={seed}"


def live(seed, workloads, index):
    """One life, in a process of its own: (index, counts, None or the story of its end)."""
    life = Life(seed, index, chosen())
    try:
        life.live(workloads)
    except Exception as problem:
        why = str(problem) if isinstance(problem, (Broken, Noticed)) else traceback.format_exc()
        made = [line for line in life.log[1:-STORY_LINES] if line.startswith(("create ", "drop "))]
        story = "\n".join(life.log[:1] + made + life.log[-STORY_LINES:])
        return index, life.counts, f"life {index}: {why}\n{story}\nlast messages:\n{life.err}"
    return index, life.counts, None


class Stopped(Exception):
    """SIGTERM came."""


def stop(*_):
    raise Stopped


def stop_worker(*_):
    """Ends a life in order: its bqlocal ends too, and its folder goes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def use_memory():
    """Where the databases of lives are, unless TMPDIR says so."""
    if "TMPDIR" not in os.environ and os.access(MEMORY_FOLDER, os.W_OK):
        tempfile.tempdir = MEMORY_FOLDER


def told(counts, began):
    return (f"{time.monotonic() - began:.0f} s: "
            + ", ".join(f"{count} {name}" for name, count in counts.most_common()))


def live_all(seed, workloads, began):
    """Every life; (counts, failures). After SIGTERM, of those that have ended."""
    only = os.environ.get("BQSYNC_LIFE")
    lives = [int(only)] if only else range(-(-workloads // WORKLOADS_A_LIFE))
    counts, failures = collections.Counter(), []
    use_memory()
    workers = min(len(os.sched_getaffinity(0)), 8)
    with multiprocessing.get_context("fork").Pool(workers, signal.signal, (signal.SIGTERM, stop_worker)) as pool:
        before = signal.signal(signal.SIGTERM, stop)
        try:
            for index, counted, failure in pool.imap_unordered(
                    functools.partial(live, seed, min(WORKLOADS_A_LIFE, workloads)), lives):
                lived = counts["workloads"]
                counts += counted
                if failure is not None:
                    failures.append(failure)
                    print(f"\n{failure}\nagain: {settings(seed)} BQSYNC_LIFE={index} python3 -m unittest "
                          "tests.fault.test_property", flush=True)
                if counts["workloads"] // PROGRESS_WORKLOADS > lived // PROGRESS_WORKLOADS:
                    print(f"{counts['workloads']} of {workloads} workloads in {time.monotonic() - began:.0f} s,"
                          f" {len(failures)} failed", flush=True)
            # Workers that have nothing to do end by themselves: one that is just going to wait can miss a signal.
            pool.close()
            pool.join()
        except Stopped:
            print(f"stopped by SIGTERM after {counts['workloads']} of {workloads} workloads,"
                  f" {len(failures)} failed", flush=True)
        finally:
            signal.signal(signal.SIGTERM, before)
    return counts, failures


class PropertyTest(unittest.TestCase):
    def test_random_lives_end_in_equality(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the shim cannot be preloaded into a sanitizer build; the plain build runs this")
        workloads = int(os.environ.get("BQSYNC_WORKLOADS", WORKLOADS))
        seed = int(os.environ.get("BQSYNC_SEED", random.SystemRandom().randrange(2**31)))
        print(f"\n{settings(seed)}, {workloads} workloads", flush=True)
        began = time.monotonic()
        counts, failures = live_all(seed, workloads, began)
        print(told(counts, began), flush=True)
        self.assertEqual([], [failure.splitlines()[0] for failure in failures])


if __name__ == "__main__":
    if "--long" in sys.argv:
        sys.argv.remove("--long")
        os.environ.setdefault("BQSYNC_WORKLOADS", str(WORKLOADS_LONG))
    unittest.main()

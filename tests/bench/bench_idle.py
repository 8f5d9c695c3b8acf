"""What a pass without changes costs: 22 tables, one whole process from its start to its exit.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_idle [--rows N] [--rounds N] [--instructions]

The sample database is synced once into bqlocal; then `bqsync sync` runs again and again while nothing changes.
Prints the least and the median of wall and processor time (user and system) of bqsync alone, and its requests.
With --instructions, one more run under callgrind counts the instructions outside of the kernel, which do not depend
on the machine's load.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from tests.support import sampledb
from tests.support.bqlocal import Bqlocal

BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()


class World:
    """A source that is synced, and what it takes to sync it again. .command is the pass without changes."""

    def __init__(self, folder, bq):
        self.bq = bq
        self.folder = folder
        self.database = folder / "app.db"
        self.command = [str(BUILD / "bqsync_samples"), "sync", "--quiet"]
        self.environment = {"PATH": os.environ["PATH"], "BIGQUERY_EMULATOR_HOST": bq.host,
                            "BQ_PROJECT_NAME": bq.project, "BQ_DATASET_NAME": "d",
                            "BQ_SQLITE_PATH": str(self.database), "BQ_LOG_LEVEL": "error"}

    def run(self, *before):
        """One pass, behind the words of another program that runs it (valgrind)."""
        subprocess.run([*before, *self.command], env=self.environment, cwd=self.folder, check=True)

    def spent(self):
        """One pass: seconds of wall time and of processor time."""
        began = time.monotonic()
        pid = os.posix_spawn(self.command[0], self.command, self.environment)
        _, status, usage = os.wait4(pid, 0)
        took = time.monotonic() - began
        if status != 0:
            sys.exit(f"bqsync ended with {os.waitstatus_to_exitcode(status)}")
        return took, usage.ru_utime + usage.ru_stime

    def instructions(self):
        """One pass under callgrind: how many instructions it executes outside of the kernel."""
        out = self.folder / "callgrind.out"
        self.run("valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}")
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE).group(1))


@contextlib.contextmanager
def idle(rows=22_000):
    """The sample database after a first pass and one without changes."""
    with tempfile.TemporaryDirectory() as folder, Bqlocal(datasets=["d"]) as bq:
        world = World(pathlib.Path(folder), bq)
        sampledb.make(str(world.database), rows=rows)
        world.run()
        world.run()
        yield world


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=22_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--instructions", action="store_true")
    options = parser.parse_args()
    with idle(options.rows) as world:
        world.bq.clear_requests()
        rounds = [world.spent() for _ in range(options.rounds)]
        requests = len(world.bq.requests()) / options.rounds
        for title, index in (("wall", 0), ("processor", 1)):
            times = [round[index] * 1000 for round in rounds]
            print(f"{title:10} least {min(times):6.1f} ms   median {statistics.median(times):6.1f} ms")
        print(f"requests   {requests:g}")
        if options.instructions:
            print(f"instructions {world.instructions():,}")


if __name__ == "__main__":
    main()

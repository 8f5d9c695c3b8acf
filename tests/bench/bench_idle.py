"""What a pass without changes costs: 22 tables, one whole process from its start to its exit.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_idle [--rows N] [--rounds N]

The sample database is synced once into bqlocal; then `bqsync sync` runs again and again while nothing changes, and in
turns with it `bqsync --version`, which does nothing but start and end. Where valgrind is installed, one more run of each
counts the instructions outside of the kernel, which do not depend on the machine's load.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tests.bench.measure import BUILD, Results, cost_of, in_turns, spread
from tests.support import sampledb
from tests.support.bqlocal import Bqlocal

PASS = "nothing changed"
START = "only started, `--version`"


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

    def cost(self, command):
        return cost_of(command, self.environment, self.folder)

    def instructions(self, command):
        """How many a process executes outside of the kernel; "" without valgrind."""
        out = self.folder / "callgrind.out"
        if shutil.which("valgrind") is None:
            return ""
        subprocess.run(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", *command],
                       env=self.environment, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        count = int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE).group(1))
        return f"{count / 1e6:.1f}"


@contextlib.contextmanager
def idle(rows=22_000):
    """The sample database after a first pass and one without changes."""
    with tempfile.TemporaryDirectory() as folder, Bqlocal(datasets=["d"]) as bq:
        world = World(pathlib.Path(folder), bq)
        sampledb.make(str(world.database), rows=rows)
        world.run()
        world.run()
        yield world


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=22_000)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    results = Results("idle")
    with idle(options.rows) as world:
        commands = {PASS: world.command, START: [world.command[0], "--version"]}
        world.bq.clear_requests()
        costs = in_turns({name: lambda command=command: world.cost(command) for name, command in commands.items()},
                         options.rounds)
        requests = {PASS: len(world.bq.requests()) / options.rounds, START: 0}
        rows = [[name, *(spread(1000 * value for value in values).text("{:.1f}")
                         for values in ([cost.cpu for cost in costs[name]], [cost.seconds for cost in costs[name]])),
                 world.instructions(command), f"{requests[name]:g}"]
                for name, command in commands.items()]
    results.table("idle", ["process", "CPU ms", "ms", "million instructions", "requests"], rows,
                  f"22 tables; {options.rounds} rounds, median (least to most).")
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

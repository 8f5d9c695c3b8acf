"""Counts the instructions of the hot pieces and of an idle pass, and compares them with those on record.

    BQSYNC_BUILD=build python3 -m tests.bench.instructions [--record]

Time on a shared machine says little; the number of instructions for the same data is nearly the same everywhere.
Valgrind's callgrind counts them. Only code of ours and of SQLite counts, because the C library picks its functions by
the processor. The record, instructions.json, holds for one compiler and one SQLite.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from tests.support import foreign, sampledb
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

RECORD = pathlib.Path(__file__).with_suffix(".json")
PIECES = ("reader", "encoder", "time", "utf8")
IDLE_PASS = "idle pass"
COUNTED_OBJECT = re.compile(r"/(workload|bqsync_samples|libsqlite3\.so[^/]*)$")
TOLERANCE = 0.05


def compiler() -> str:
    """What the programs were compiled with, and the version of SQLite."""
    return subprocess.run([BUILD / "workload", "compiler"], check=True, capture_output=True, text=True).stdout.strip()


def sum_of(profile: str) -> int:
    """The instructions of the counted objects in a file of callgrind (its format: "Callgrind Format Specification")."""
    counted = inclusive = False
    total = 0
    for line in profile.splitlines():
        if line.startswith("ob="):
            counted = COUNTED_OBJECT.search(line) is not None
        elif line.startswith("calls="):
            inclusive = True  # the next line has the cost of the call, which the callee's own lines have too
        elif line[:1].isdigit():
            if counted and not inclusive:
                total += int(line.split()[1])
            inclusive = False
    return total


def callgrind(command: list[object], *options: str, **arguments: object) -> int:
    """The instructions of a program, which has to end with status 0."""
    valgrind = foreign.tool("valgrind", "valgrind")
    with tempfile.TemporaryDirectory(prefix="bqsync-callgrind-") as folder:
        out = pathlib.Path(folder) / "profile"
        ended = subprocess.run(
            [valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", "--compress-strings=no", "--compress-pos=no",
             *options, *map(str, command)], capture_output=True, text=True, **arguments)
        if ended.returncode != 0:
            raise AssertionError(f"{command} ended with {ended.returncode} under callgrind:\n{ended.stderr}")
        return sum_of(out.read_text(errors="replace"))


def idle_pass() -> int:
    """A whole `bqsync sync` of 22 tables of which none has changed."""
    with Bqlocal(datasets=["d"], args=["--discard"]) as bq, Deployment(bq, program="bqsync_samples", schema="") as app:
        sampledb.make(str(app.path), rows=2000)
        app.sync()
        if {table["status"] for table in app.sync()["tables"]} != {"unchanged"}:
            raise AssertionError("the second pass still changed something")
        return callgrind([app.program, "sync", "--json"], cwd=app.folder, env=app.environment)


def count() -> dict[str, int]:
    counts = {piece: callgrind([BUILD / "workload", piece], f"--toggle-collect=measure_{piece}") for piece in PIECES}
    return {**counts, IDLE_PASS: idle_pass()}


def recorded() -> dict[str, object]:
    return json.loads(RECORD.read_text("utf-8"))


def difference(name: str, counted: int, on_record: int) -> str | None:
    """What is wrong with a count, None if nothing is."""
    change = counted / on_record - 1
    if abs(change) <= TOLERANCE:
        return None
    return (f"{name}: {counted:,} instructions, {abs(change):.1%} {'more' if change > 0 else 'less'} than the "
            f"{on_record:,} of {RECORD.name}. If that is meant, ./dev bench --record and commit the file")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--record", action="store_true", help="make these counts those on record")
    arguments = parser.parse_args()
    before = recorded()["instructions"] if RECORD.exists() else {}
    counts = count()
    for name, counted in counts.items():
        print(f"{name:10} {counted:12,}" + (f"  {counted / before[name] - 1:+7.2%}" if name in before else ""))
    if arguments.record:
        RECORD.write_text(json.dumps({"compiler": compiler(), "instructions": counts}, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

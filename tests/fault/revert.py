"""Undoes one fix after the other, and counts how many workloads the random lives take to find that.

    python3 -m tests.fault.revert              every patch of tests/fault/reverts
    python3 -m tests.fault.revert NAME...      these

A patch undoes one rule and names the dimension of the lives that has to notice. The sources are copied to
$BQSYNC_BUILD/reverts, patched and built there; lives of that dimension run one after the other, always the same ones,
until one breaks. The same life has to hold with the program of $BQSYNC_BUILD. Exit status 0 if every patch is found.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from tests.fault.test_property import WORKLOADS_A_LIFE
from tests.support import sources
from tests.support.sources import ROOT

# Everything that a life starts or preloads.
TARGETS = ["bqsync_lives", "bqlocal", "crash_shim", "fork_server"]
PATCHES = ROOT / "tests" / "fault" / "reverts"
BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()
SOURCE, SCRATCH = BUILD / "reverts" / "source", BUILD / "reverts" / "build"
SEED = 1
LIVES_MOST = 30


class Patch:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.undoes, self.dimensions = re.match(r"Undoes: (.*)\.\nDimensions: (.*)\n", path.read_text()).groups()

    def apply(self, folder, *options):
        """patch(1) in a folder of sources; what it printed, or None if the patch applies.

        Every line of context has to fit: a patch that is put in by guessing may undo something else."""
        run = subprocess.run(
            ["patch", "--batch", "--forward", "--fuzz=0", "--strip=1", f"--input={self.path}", *options],
            cwd=folder, capture_output=True, text=True)
        return run.stdout + run.stderr if run.returncode else None


def patches(names=()):
    return [Patch(path) for path in sorted(PATCHES.glob("*.patch")) if not names or path.stem in names]


def build():
    run = subprocess.run(["cmake", "--build", SCRATCH, "--target", *TARGETS], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)


def copy_sources():
    shutil.rmtree(BUILD / "reverts", ignore_errors=True)
    sources.copy(SOURCE)
    subprocess.run(["cmake", "-G", "Ninja", "-S", SOURCE, "-B", SCRATCH, "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
                   check=True, stdout=subprocess.DEVNULL)


def live(program, patch, life):
    """One life with the programs of a build folder: (workloads lived, why it broke or None).

    A life that could not be lived, because a program is missing for example, has found nothing: that ends the run."""
    environment = {**os.environ, "BQSYNC_BUILD": str(program), "BQSYNC_DIMENSIONS": patch.dimensions,
                   "BQSYNC_SEED": str(SEED), "BQSYNC_LIFE": str(life), "BQSYNC_WORKLOADS": str(WORKLOADS_A_LIFE)}
    run = subprocess.run([sys.executable, "-m", "unittest", "tests.fault.test_property"], cwd=ROOT, env=environment,
                         capture_output=True, text=True)
    lived = re.search(r"\b(\d+) workloads(?!.*workloads)", run.stdout.rsplit(" s: ", 1)[-1])
    why = re.search(rf"^life {life}: (.*)\n(.*)", run.stdout, re.M)
    if run.returncode and (not why or why[1].startswith("Traceback")):
        sys.exit(run.stdout + run.stderr)
    return int(lived[1]) if lived else 0, " ".join(" ".join(why.groups()).split())[:150] if why else None


def look_for(patch):
    """What the lives make of a program without the fix: a line for the table, and whether they found it."""
    problem = patch.apply(SOURCE)
    if problem:
        return f"{patch.name}: the patch does not apply: {problem}", False
    build()
    found = False
    line = f"{patch.name}: not found in {LIVES_MOST * WORKLOADS_A_LIFE} workloads"
    for life in range(LIVES_MOST):
        lived, why = live(SCRATCH, patch, life)
        if why:
            held = live(BUILD, patch, life)[1]
            found = held is None
            line = (f"{patch.name} ({patch.dimensions}): found after {life * WORKLOADS_A_LIFE + lived + 1} workloads:"
                    f" {why}" + ("" if found else f"; BUT WITH THE FIX ALSO: {held}"))
            break
    patch.apply(SOURCE, "--reverse")
    return line, found


def main(names):
    copy_sources()
    missed = 0
    for patch in patches(names):
        line, found = look_for(patch)
        print(line, flush=True)
        missed += not found
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

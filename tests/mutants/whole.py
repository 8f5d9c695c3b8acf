"""The whole program with a mutant in it, under its tests against bqlocal and in random lives.

They cost a hundred times what unit tests do, so they are asked last. The programs of the release build, in build, are
linked again; everything else of that folder is taken as it is.
"""

from __future__ import annotations

import pathlib
import shutil
import sys
from typing import Optional

from tests.mutants import running
from tests.mutants.areas import Area
from tests.mutants.control import Controls
from tests.mutants.mutant import Mutant
from tests.mutants.programs import Build

# Of a file of tests or a life, in seconds of the processor.
USUAL_S = 60.0
WORKLOADS = 50
LIFE = "life"
# What a file of tests/e2e, or a life, runs, unless it is bqsync_shapes alone.
PROGRAMS = {
    "test_capture": ("bqsync_shapes", "bqsync_keys"),
    "test_deletes": ("bqsync_deletes", "bqsync_deletes_told"),
    "test_forms": ("bqsync_forms",),
    "test_history": ("bqsync_histories",),
    "test_rejects": ("bqsync_shapes", "bqsync_lives"),
    "test_verify_exceptions": ("bqsync_shapes", "bqsync_keys"),
    LIFE: ("bqsync_lives", "bqsync_histories"),
}


class Whole(Build):
    def __init__(self, root: pathlib.Path, build: pathlib.Path) -> None:
        if not (build / "compile_commands.json").exists():
            raise SystemExit(f"{build} is missing: run ./dev build and cmake --build build first")
        super().__init__(root, build)
        self.controls = Controls()

    def put_in(self, programs: tuple[str, ...], object_: pathlib.Path, folder: pathlib.Path) -> None:
        """Makes of the folder one like the build, whose programs of these names have the object."""
        folder.mkdir(exist_ok=True)
        for entry in self.build.iterdir():
            if not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
        for name in programs:
            if not (folder / name).is_symlink():
                continue
            (folder / name).unlink()
            if not self.link(name, object_, folder / name):
                raise SystemExit(f"{name} cannot be linked with {object_}")

    def passes(self, test: str, object_: pathlib.Path, folder: pathlib.Path) -> bool:
        """Whether a test or a life does with the object in its programs, which are linked in the folder."""
        self.put_in(PROGRAMS.get(test, ("bqsync_shapes",)), object_, folder)
        module = "tests.fault.test_property" if test == LIFE else f"tests.e2e.{test}"
        environment = {"BQSYNC_BUILD": str(folder), "BQSYNC_SEED": "1", "BQSYNC_WORKLOADS": str(WORKLOADS)}
        return running.passes([sys.executable, "-m", "unittest", "-f", module], self.root, environment, USUAL_S)

    def passes_without_mutant(self, test: str, mutant: Mutant, folder: pathlib.Path) -> bool:
        """The same with the programs made in the same way, of the source as it is."""
        object_, build = folder / "control.o", folder / "control"
        self.compile(mutant.file, self.root / mutant.file, object_)
        shutil.rmtree(build, ignore_errors=True)
        return self.passes(test, object_, build)

    def killer(self, area: Area, mutant: Mutant, source: pathlib.Path, folder: pathlib.Path) -> Optional[str]:
        """The first test or life that notices the mutant, whose source is in a file; None if none does."""
        object_, build = folder / "whole.o", folder / "build"
        if not self.compile(mutant.file, source, object_):
            raise SystemExit(f"the compiler of {self.build} does not take {mutant.name}")
        shutil.rmtree(build, ignore_errors=True)
        for test in (*area.whole, LIFE):
            if (self.controls.are_passed(test, lambda name=test: self.passes_without_mutant(name, mutant, folder))
                    and not self.passes(test, object_, build)):
                return test
        return None

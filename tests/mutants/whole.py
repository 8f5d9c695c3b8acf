"""The whole program with a mutant in it, under its tests against bqlocal and in random lives.

They cost a hundred times what unit tests do, so they are asked last. The programs of the release build, in build, are
linked again; everything else of that folder is taken as it is.
"""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Optional

from tests.mutants import running
from tests.mutants.areas import Area
from tests.mutants.mutant import Mutant
from tests.mutants.programs import Build

# Of a file of tests or a life, in seconds of the processor.
USUAL_S = 60.0
LIVES = 2


class Whole(Build):
    def __init__(self, root: pathlib.Path, build: pathlib.Path) -> None:
        if not (build / "compile_commands.json").exists():
            raise SystemExit(f"{build} is missing: run ./dev build and cmake --build build first")
        super().__init__(root, build)
        self.programs = sorted(
            path.name for path in build.glob("bqsync_*") if path.is_file() and os.access(path, os.X_OK))

    def folder_with(self, mutant: Mutant, source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
        """A folder like the build, whose programs have the mutant."""
        target, object_ = folder / "build", folder / "whole.o"
        target.mkdir(exist_ok=True)
        for entry in self.build.iterdir():
            if entry.name not in self.programs and not (target / entry.name).is_symlink():
                (target / entry.name).symlink_to(entry)
        if not self.compile(mutant.file, source, object_):
            raise SystemExit(f"the compiler of {self.build} does not take {mutant.name}")
        for name in self.programs:
            if not self.link(name, object_, target / name):
                raise SystemExit(f"{name} cannot be linked with {mutant.name}")
        return target

    def killer(self, area: Area, mutant: Mutant, source: pathlib.Path, folder: pathlib.Path) -> Optional[str]:
        """The first test or life that notices the mutant, whose source is in a file; None if none does."""
        environment = {"BQSYNC_BUILD": str(self.folder_with(mutant, source, folder))}
        for test in area.whole:
            command = [sys.executable, "-m", "unittest", "-f", f"tests.e2e.{test}"]
            if not running.passes(command, self.root, environment, USUAL_S):
                return test
        command = [sys.executable, "-m", "unittest", "tests.fault.test_property"]
        for life in range(LIVES):
            chosen = {"BQSYNC_SEED": "1", "BQSYNC_LIFE": str(life), "BQSYNC_WORKLOADS": "25"}
            if not running.passes(command, self.root, {**environment, **chosen}, USUAL_S):
                return f"life {life}"
        return None

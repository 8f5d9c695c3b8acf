"""What the tests make of one mutant of C."""

from __future__ import annotations

import functools
import pathlib
from typing import Optional

from tests.mutants import mutate_c, running
from tests.mutants.areas import Area
from tests.mutants.control import Controls
from tests.mutants.mutant import Mutant
from tests.mutants.programs import NEAREST, SHIPPED, WATCHED, Program, Programs
from tests.mutants.results import KILLED, NO_PROGRAM, SAME, SURVIVES, Verdict
from tests.mutants.whole import Whole

ENVIRONMENT = {"LLVM_PROFILE_FILE": "/dev/null"}


class Judge:
    def __init__(self, programs: Programs, whole: Optional[Whole] = None) -> None:
        """whole is given if all tests that run a line are to be tried on what the nearest let live, and then those of
        the whole program."""
        self.programs = programs
        self.whole = whole
        self.controls = Controls()

    def mutants(self, file: str) -> list[Mutant]:
        return mutate_c.mutants_of(file, (self.programs.root / file).read_text())

    def shipped(self, mutant: Mutant, folder: pathlib.Path, text: str) -> bytes:
        source, target = folder / pathlib.Path(mutant.file).name, folder / "shipped.o"
        source.write_text(text)
        self.programs.compile(mutant.file, source, target, SHIPPED)
        return target.read_bytes()

    def is_same(self, mutant: Mutant, folder: pathlib.Path, text: str) -> bool:
        """Whether the compiler, which optimises, makes the same of both. Both have the same path, which an object may
        name."""
        return self.shipped(mutant, folder, text) == self.shipped(mutant, folder, mutant.apply(text))

    def passes(
            self, program: Program, object_: pathlib.Path, folder: pathlib.Path, watched: bool = False) -> bool:
        """Whether the program does, linked in the folder with the object."""
        target = folder / "program"
        if not self.programs.link(pathlib.Path(program.command[0]).name, object_, target, watched):
            raise SystemExit(f"{program.name} cannot be linked with {object_}")
        # ctest runs the programs of a corpus in the root, and all others somewhere in the build.
        where = self.programs.root if program.folder == str(self.programs.root) else folder
        return running.passes([str(target), *program.command[1:]], where, ENVIRONMENT, program.seconds, watched)

    def killer(self, folder: pathlib.Path, programs: list[Program]) -> Optional[str]:
        """The first of the programs that notices the mutant, whose object is in the folder; None if none does. All of
        them have passed without a mutant when their lines were counted."""
        return next(
            (program.name for program in programs if not self.passes(program, folder / "mutant.o", folder)), None)

    def watched_killer(self, mutant: Mutant, folder: pathlib.Path, programs: list[Program]) -> Optional[str]:
        """The same with sanitizers, for a mutant whose source is in the folder."""
        object_, control = folder / "mutant.o", folder / "control.o"
        for file, target in (folder / pathlib.Path(mutant.file).name, object_), (self.programs.root / mutant.file, control):
            if not self.programs.compile(mutant.file, file, target, WATCHED):
                raise SystemExit(f"{mutant.name} cannot be compiled with sanitizers")
        for program in programs:
            name = f"{program.name} with sanitizers"
            passes_without = functools.partial(self.passes, program, control, folder, True)
            if (self.controls.are_passed(f"{name} in {mutant.file}", passes_without)
                    and not self.passes(program, object_, folder, True)):
                return name
        return None

    def last_killer(
            self, area: Area, mutant: Mutant, folder: pathlib.Path, programs: list[Program]) -> Optional[str]:
        """The same for all that is left: the nearest programs with sanitizers, the others, the whole program."""
        source = folder / pathlib.Path(mutant.file).name
        killer = self.watched_killer(mutant, folder, programs[:NEAREST])
        if killer is None and self.programs.compile(mutant.file, source, folder / "mutant.o"):
            killer = self.killer(folder, programs[NEAREST:])
        if killer is None and self.whole:
            killer = self.whole.killer(area, mutant, source, folder)
        return killer

    def judge(self, area: Area, mutant: Mutant, folder: pathlib.Path, survived: bool) -> Verdict:
        """survived says that the nearest programs have let it live before."""
        text = (self.programs.root / mutant.file).read_text()
        source = folder / pathlib.Path(mutant.file).name
        source.write_text(mutant.apply(text))
        if not self.programs.compile(mutant.file, source, folder / "mutant.o"):
            return Verdict(NO_PROGRAM)
        programs = self.programs.that_run(mutant.file, mutant.line)
        nearest = self.programs.nearest(mutant.file, programs)
        killer = None if survived and self.whole else self.killer(folder, nearest)
        if killer is None and not survived and self.is_same(mutant, folder, text):
            return Verdict(SAME)
        if killer is None and self.whole:
            source.write_text(mutant.apply(text))
            killer = self.last_killer(area, mutant, folder, programs)
        return Verdict(KILLED, killer) if killer else Verdict(SURVIVES)

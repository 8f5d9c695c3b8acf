"""What the tests make of one mutant of C."""

from __future__ import annotations

import pathlib

from tests.mutants import mutate_c, running
from tests.mutants.mutant import Mutant
from tests.mutants.programs import NEAREST, Programs
from tests.mutants.results import KILLED, NO_PROGRAM, SAME, SURVIVES, Verdict

ENVIRONMENT = {"LLVM_PROFILE_FILE": "/dev/null"}


class Judge:
    def __init__(self, programs: Programs) -> None:
        self.programs = programs

    def mutants(self, file: str) -> list[Mutant]:
        return mutate_c.mutants_of(file, (self.programs.root / file).read_text())

    def shipped(self, mutant: Mutant, folder: pathlib.Path, text: str) -> bytes:
        source, target = folder / pathlib.Path(mutant.file).name, folder / "shipped.o"
        source.write_text(text)
        self.programs.compile(mutant.file, source, target, shipped=True)
        return target.read_bytes()

    def is_same(self, mutant: Mutant, folder: pathlib.Path, text: str) -> bool:
        """Whether the compiler, which optimises, makes the same of both. Both have the same path, which an object may
        name."""
        return self.shipped(mutant, folder, text) == self.shipped(mutant, folder, mutant.apply(text))

    def judge(self, mutant: Mutant, folder: pathlib.Path) -> Verdict:
        text = (self.programs.root / mutant.file).read_text()
        source, object_ = folder / pathlib.Path(mutant.file).name, folder / "mutant.o"
        source.write_text(mutant.apply(text))
        if not self.programs.compile(mutant.file, source, object_):
            return Verdict(NO_PROGRAM)
        programs = self.programs.that_run(mutant.file, mutant.line)[:NEAREST]
        if not programs and self.is_same(mutant, folder, text):
            return Verdict(SAME)
        for program in programs:
            target = folder / "program"
            if not self.programs.link(program, object_, target):
                return Verdict(NO_PROGRAM)
            command = [str(target), *program.command[1:]]
            # ctest runs the programs of a corpus in the root, and all others somewhere in the build.
            where = self.programs.root if program.folder == str(self.programs.root) else folder
            if not running.passes(command, where, ENVIRONMENT, program.seconds):
                return Verdict(KILLED, program.name)
        if programs and self.is_same(mutant, folder, text):
            return Verdict(SAME)
        return Verdict(SURVIVES)

"""The programs that kill mutants of C: built once, then each linked again with one other object.

The build, in build-mutants/c, has no optimisation, counts which lines a test runs and finds lost memory; clang does all
three. It reads the sources of the tree and writes none of them: a mutant is a file beside the build.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import resource
import shlex
import subprocess
import tempfile
from typing import NamedTuple

OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_COMPILER=clang", "-DCMAKE_CXX_COMPILER=clang++", "-DBQSYNC_SANITIZE=leak",
    "-DCMAKE_C_FLAGS_DEBUG=-O0 -fprofile-instr-generate -fcoverage-mapping",
)
# Of the programs that run a line, at least so many are tried first: those that are most likely to notice.
NEAREST = 8
TARGETS = ("unit_tests", "fuzzers")
COUNTING = ("-fprofile-instr-generate", "-fcoverage-mapping")
LEAK, MEMORY = "-fsanitize=leak", "-fsanitize=address,undefined"


class Options(NamedTuple):
    """How a mutant is compiled in another way than its source is."""

    without: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


AS_BUILT = Options()
SHIPPED = Options((*COUNTING, LEAK, "-O0"), ("-O2", "-DNDEBUG"))
# Only the mutant's own code is watched for wrong addresses on the stack; of the heap all is.
WATCHED = Options((LEAK,), (MEMORY,))


class Program(NamedTuple):
    """A test: its program, how ctest runs it, its processor time, and the lines of the runtime that it runs."""

    name: str
    command: list[str]
    folder: str
    labels: list[str]
    seconds: float = 0.0
    lines: dict[str, list[int]] = {}


def output_of(command: list[str], folder: pathlib.Path) -> str:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{shlex.join(command)} failed:\n{run.stdout}{run.stderr}")
    return run.stdout


def lines_run(report: str, root: pathlib.Path) -> dict[str, list[int]]:
    """The lines of the runtime that ran, by file, from a report in the format of lcov ("geninfo" describes it)."""
    lines: dict[str, list[int]] = {}
    file = ""
    for line in report.splitlines():
        if line.startswith("SF:"):
            file = os.path.relpath(line[3:], root)
        elif line.startswith("DA:"):
            number, count = line[3:].split(",")[:2]
            if count != "0":
                lines.setdefault(file, []).append(int(number))
    return {file: numbers for file, numbers in lines.items() if file.startswith("runtime/")}


class Build:
    """A folder that CMake has made, and what its compiler and its linker are called with."""

    def __init__(self, root: pathlib.Path, build: pathlib.Path) -> None:
        self.root = root
        self.build = build
        commands = json.loads((build / "compile_commands.json").read_text())
        self.compilers = {os.path.relpath(entry["file"], root): shlex.split(entry["command"]) for entry in commands}
        self.links: dict[str, str] = {}

    def compile(
            self, file: str, source: pathlib.Path, target: pathlib.Path, options: Options = AS_BUILT) -> bool:
        """The source, which stands for the file."""
        words = self.compilers[file]
        # Without a program like ccache before the compiler, and without what writes down the includes.
        words = words[next(index for index, word in enumerate(words) if word.startswith("-")) - 1 : words.index("-o")]
        command = [word for word in words if word not in options.without]
        command += ["-w", *options.more, "-iquote", str((self.root / file).parent), "-o", str(target), "-c", str(source)]
        return subprocess.run(command, cwd=self.build, capture_output=True).returncode == 0

    def link(self, name: str, instead: pathlib.Path, target: pathlib.Path, watched: bool = False) -> bool:
        """A program with an object that comes before the libraries, and so is taken instead of its like there."""
        if name not in self.links:
            self.links[name] = output_of(["ninja", "-t", "commands", "-s", name], self.build)
        command = re.sub(rf" -o {name} ", f" -o {target} {instead} -fuse-ld=gold ", self.links[name])
        if watched:
            command = command.replace(LEAK, MEMORY)
        return subprocess.run(command, shell=True, cwd=self.build, capture_output=True).returncode == 0


class Programs(Build):
    def __init__(self, root: pathlib.Path, build: pathlib.Path, labels: set[str], jobs: int) -> None:
        build.mkdir(parents=True, exist_ok=True)
        output_of(["cmake", "-G", "Ninja", "-S", str(root), "-B", ".", *OPTIONS], build)
        output_of(["cmake", "--build", ".", "-j", str(jobs), "--target", *TARGETS], build)
        super().__init__(root, build)
        self.programs = [program for program in self.listed() if labels & set(program.labels)]
        self.measure()

    def listed(self) -> list[Program]:
        """The programs of C among the tests of ctest."""
        tests = json.loads(output_of(["ctest", "--show-only=json-v1"], self.build))["tests"]
        programs = []
        for test in tests:
            properties = {entry["name"]: entry["value"] for entry in test["properties"]}
            command = test.get("command", [""])
            if pathlib.Path(command[0]).parent == self.build:
                programs.append(
                    Program(test["name"], command, properties["WORKING_DIRECTORY"], properties.get("LABELS", [])))
        return programs

    def measure(self) -> None:
        """Runs each program that is new or has changed, for its time and its lines."""
        record = self.build / "lines.json"
        known = json.loads(record.read_text()) if record.exists() else {}
        stamps = {program.name: os.stat(program.command[0]).st_mtime for program in self.programs}
        new = [program for program in self.programs if known.get(program.name, {}).get("stamp") != stamps[program.name]]
        # One after the other, because the time of all children together is what the system tells.
        for program in map(self.measured, new):
            known[program.name] = {"stamp": stamps[program.name], "seconds": program.seconds, "lines": program.lines}
        record.write_text(json.dumps(known))
        self.programs = [
            program._replace(seconds=known[program.name]["seconds"], lines=known[program.name]["lines"])
            for program in self.programs]

    def measured(self, program: Program) -> Program:
        with tempfile.TemporaryDirectory(prefix="mutant.") as folder:
            environment = {**os.environ, "LLVM_PROFILE_FILE": f"{folder}/%p.profraw", "TMPDIR": folder}
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run = subprocess.run(program.command, cwd=program.folder, env=environment, capture_output=True, text=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if run.returncode:
                # Those with an allocator of their own do, beside that of the sanitizer.
                print(f"{program.name} is left out, it fails without a mutant: {run.stderr.strip()[-200:]}", flush=True)
                return program
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            profiles = [str(path) for path in pathlib.Path(folder).glob("*.profraw")]
            merged = f"{folder}/merged"
            output_of(["llvm-profdata", "merge", "-sparse", "-o", merged, *profiles], self.build)
            report = output_of(
                ["llvm-cov", "export", "-format=lcov", f"-instr-profile={merged}", program.command[0]], self.build)
            return program._replace(seconds=seconds, lines=lines_run(report, self.root))

    def distance(self, file: str, program: Program) -> int:
        """0 for the tests of its module, 1 for those of its group."""
        if f"test_{pathlib.Path(file).stem}" in program.name:
            return 0
        return 1 if set(pathlib.Path(file).parts) & set(program.labels) else 2

    def that_run(self, file: str, line: int) -> list[Program]:
        """Those that run the line: first the tests of its module, then those of its group, each the quickest first."""
        return sorted(
            (program for program in self.programs if line in program.lines.get(file, ())),
            key=lambda program: (self.distance(file, program), program.seconds))

    def nearest(self, file: str, programs: list[Program]) -> list[Program]:
        """Of those, in their order, the ones of its module and its group, and NEAREST at least."""
        own = sum(self.distance(file, program) < 2 for program in programs)
        return programs[: max(own, NEAREST)]

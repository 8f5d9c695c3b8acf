"""What the tests of the generator make of one mutant of it. Each worker has a copy of the sources."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from tests.mutants import mutate_python, running, tracing
from tests.mutants.areas import ROOT, Area
from tests.mutants.mutant import Mutant
from tests.mutants.results import KILLED, NO_PROGRAM, SAME, SURVIVES, Verdict, stamp
from tests.support import sources


class Module(NamedTuple):
    """A file of tests, what it takes, and the lines of the generator that it runs."""

    path: str
    seconds: float
    lines: dict[str, list[int]]

    def command(self) -> list[str]:
        return [sys.executable, "-m", "unittest", "-f", self.path]


class Judge:
    def __init__(self, build: pathlib.Path, jobs: int) -> None:
        self.jobs = jobs
        self.traced = build / "traced"
        sources.copy(self.traced)
        shutil.copy(tracing.__file__, self.traced / "sitecustomize.py")
        record = build / "lines.json"
        known = json.loads(record.read_text()) if record.exists() else {}
        paths = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "codegen").glob("test_*.py"))
        # A changed generator runs other lines in each of them.
        generator = "".join(path.read_text() for path in sorted((ROOT / "codegen").rglob("*.py")))
        stamps = {path: stamp(generator + (ROOT / path).read_text()) for path in paths}
        new = [path for path in paths if known.get(path, {}).get("stamp") != stamps[path]]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for module in pool.map(self.measured, new):
                known[module.path] = {"stamp": stamps[module.path], "seconds": module.seconds, "lines": module.lines}
        record.write_text(json.dumps(known))
        # The seconds spent with each on mutants, and how many of them it has killed: what kills quickly is tried first.
        self.spent = {path: known[path]["seconds"] for path in paths}
        self.kills = dict.fromkeys(paths, 1)
        self.modules = [Module(path, known[path]["seconds"], known[path]["lines"]) for path in paths]

    def measured(self, path: str) -> Module:
        module = Module(path, 0.0, {})
        with tempfile.TemporaryDirectory(prefix="mutant.") as folder:
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(self.traced)}
            began = time.monotonic()
            run = subprocess.run(module.command(), cwd=self.traced, capture_output=True, text=True,
                                 env={**environment, "MUTANTS_LINES": folder})
            if run.returncode:
                raise SystemExit(f"{path} fails without a mutant:\n{run.stdout}{run.stderr}")
            lines: dict[str, set[int]] = {}
            for note in pathlib.Path(folder).glob("*.json"):
                for file, numbers in json.loads(note.read_text()).items():
                    lines.setdefault(file, set()).update(numbers)
            return module._replace(
                seconds=time.monotonic() - began, lines={file: sorted(numbers) for file, numbers in lines.items()})

    def mutants(self, file: str) -> list[Mutant]:
        return mutate_python.mutants_of(file, (ROOT / file).read_text())

    def that_run(self, mutant: Mutant) -> list[Module]:
        """A statement of several lines may have been noted at another of its lines, so all of those that run the function
        near it count."""
        text = (ROOT / mutant.file).read_text()
        first, last = mutate_python.statement_lines(text, mutant.line)
        ran = [module for module in self.modules
               if any(first <= number <= last for number in module.lines.get(mutant.file, ()))]
        return sorted(ran, key=lambda module: self.spent[module.path] / self.kills[module.path])

    def judge(self, _area: Area, mutant: Mutant, folder: pathlib.Path, _survived: bool) -> Verdict:
        text = (ROOT / mutant.file).read_text()
        mutated = mutant.apply(text)
        try:
            if mutate_python.same_program(text, mutated):
                return Verdict(SAME)
        except SyntaxError:
            return Verdict(NO_PROGRAM)
        tree = folder / "tree"
        if not tree.exists():
            sources.copy(tree)
        environment = {"PYTHONPATH": str(tree)}
        (tree / mutant.file).write_text(mutated)
        try:
            for module in self.that_run(mutant):
                began = time.monotonic()
                survives = running.passes(module.command(), tree, environment, module.seconds)
                self.spent[module.path] += time.monotonic() - began
                if not survives:
                    self.kills[module.path] += 1
                    return Verdict(KILLED, module.path)
        finally:
            (tree / mutant.file).write_text(text)
        return Verdict(SURVIVES)

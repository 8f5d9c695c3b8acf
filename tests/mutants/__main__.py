"""Mutation testing: changes one place of a source after the other, and asks whether a test notices.

    ./dev mutants [AREA...] [--sample N | --all] [--seed S] [--file PATH...] [--again] [--whole] [--jobs N]

Mutants are tried in an order that the seed decides until N of them have counted; those that do not compile, or that
compile to the same program, do not. Results are kept in build-mutants, so the same call goes on where an earlier one
was stopped. Exit status 0 if every mutant is killed or listed in equivalents.txt with the reason why it is the same
program.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import pathlib
import queue
import random
import sys
from collections.abc import Iterator
from typing import Union

from tests.mutants import judge_c, judge_python, results
from tests.mutants.areas import AREAS, BY_NAME, ROOT, Area
from tests.mutants.mutant import Mutant
from tests.mutants.programs import Programs
from tests.mutants.results import COUNTED, SURVIVES, Results, Verdict
from tests.mutants.whole import Whole

BUILD = ROOT / "build-mutants"
SAMPLE = 100

AnyJudge = Union[judge_c.Judge, judge_python.Judge]
Case = tuple[Area, Mutant]


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev mutants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("areas", nargs="*", metavar="AREA",
                        help=f"{', '.join(BY_NAME)}; without it all that are written in C, or that have the files")
    parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help=f"so many mutants ({SAMPLE})")
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31), metavar="S")
    parser.add_argument("--file", action="append", default=[], metavar="PATH", help="only of this file")
    parser.add_argument("--again", action="store_true", help="try those again that survived an earlier run")
    parser.add_argument("--whole", action="store_true",
                        help="ask the tests of the whole program, too, and random lives, about mutants of C")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many at once (2)")
    options = parser.parse_args(arguments)
    for name in options.areas:
        if name not in BY_NAME:
            parser.error(f"there is no area {name}; there are {', '.join(BY_NAME)}")
    known = {file for area in AREAS for file in area.files()}
    for file in options.file:
        if file not in known:
            parser.error(f"{file} is in none of the areas of tests/mutants/areas.py")
    return options


def chosen_areas(options: argparse.Namespace) -> list[Area]:
    if options.areas:
        return [BY_NAME[name] for name in options.areas]
    if options.file:
        return [area for area in AREAS if set(options.file) & set(area.files())]
    return [area for area in AREAS if area.labels]


def ranked(cases: list[Case], seed: int) -> list[Case]:
    """In an order that stays the same for the mutants that stay when sources change."""
    return sorted(cases, key=lambda case: hashlib.sha256(f"{seed} {case[1].name}".encode()).digest())


class Run:
    def __init__(self, options: argparse.Namespace, root: pathlib.Path, build: pathlib.Path) -> None:
        self.options = options
        self.root = root
        self.results = Results(build / "results.jsonl")
        self.reasons = results.equivalents(results.EQUIVALENTS.read_text())
        self.stamps: dict[str, str] = {}
        self.folders: queue.Queue[pathlib.Path] = queue.Queue()
        for index in range(options.jobs):
            folder = build / "work" / str(index)
            folder.mkdir(parents=True, exist_ok=True)
            self.folders.put(folder)

    def stamp(self, file: str) -> str:
        if file not in self.stamps:
            self.stamps[file] = results.stamp((self.root / file).read_text())
        return self.stamps[file]

    def verdict(self, judge: AnyJudge, case: Case) -> tuple[Case, Verdict]:
        """What is known of the mutant, else what its tests say now."""
        area, mutant = case
        known = self.results.find(mutant, self.stamp(mutant.file))
        if known and not (self.options.again and known.outcome == SURVIVES and mutant.name not in self.reasons):
            return case, known
        folder = self.folders.get()
        try:
            verdict = judge.judge(area, mutant, folder, known is not None)
        finally:
            self.folders.put(folder)
        self.results.add(mutant, self.stamp(mutant.file), verdict)
        if verdict.outcome == SURVIVES and mutant.name not in self.reasons:
            print(f"survives: {mutant.file}:{mutant.line}: {mutant.name.split(' ', 1)[1]}", flush=True)
        return case, verdict

    def all_verdicts(self, judges: dict[str, AnyJudge], cases: list[Case]) -> Iterator[tuple[str, Mutant, Verdict]]:
        """Of as many cases as it takes until the sample has been counted."""
        wanted = len(cases) if self.options.all else self.options.sample
        counted = 0
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            while cases and counted < wanted:
                part, cases = cases[: wanted - counted], cases[wanted - counted :]
                for (area, mutant), verdict in pool.map(
                        lambda case: self.verdict(judges[case[0].name], case), part):
                    listed = verdict.outcome == SURVIVES and mutant.name in self.reasons
                    counted += verdict.outcome in COUNTED and not listed
                    yield area.name, mutant, verdict


def judges_of(areas: list[Area], jobs: int, whole: bool) -> dict[str, AnyJudge]:
    labels = {label for area in areas for label in area.labels}
    in_c = None
    if labels:
        in_c = judge_c.Judge(
            Programs(ROOT, BUILD / "c", labels, jobs), Whole(ROOT, ROOT / "build") if whole else None)
    python = judge_python.Judge(BUILD / "python", jobs) if any(not area.labels for area in areas) else None
    return {area.name: judge for area in areas if (judge := in_c if area.labels else python)}


def main(arguments: list[str]) -> int:
    options = options_of(arguments)
    areas = chosen_areas(options)
    (BUILD / "python").mkdir(parents=True, exist_ok=True)
    judges = judges_of(areas, options.jobs, options.whole)
    cases = [(area, mutant) for area in areas for file in area.files() if not options.file or file in options.file
             for mutant in judges[area.name].mutants(file)]
    print(f"{len(cases)} mutants; seed {options.seed}", flush=True)
    run = Run(options, ROOT, BUILD)
    verdicts = list(run.all_verdicts(judges, ranked(cases, options.seed)))
    left = [mutant for _, mutant, verdict in verdicts
            if verdict.outcome == SURVIVES and mutant.name not in run.reasons]
    for mutant in sorted(left, key=lambda mutant: (mutant.file, mutant.line)):
        print(mutant.name)
    print(results.table(verdicts, run.reasons))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

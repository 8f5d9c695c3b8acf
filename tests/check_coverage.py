"""Judges what the tests have run of runtime/ and codegen/ (docs/testing.md, "Coverage").

    python3 tests/check_coverage.py LIMITS RUNTIME [CODEGEN]

LIMITS is a name in tests/coverage.json, RUNTIME what `gcovr --json` has written, CODEGEN what `coverage json` has. Prints
the lines and branches of each folder and every line that did not run, and exits 1 if a share is below its limit.

tests/unreached.txt says of lines why no test runs them: under `# never: REASON` or `# sometimes: REASON` an entry a line,

    runtime/base/clock.c: clock_stop: return false;

the file, the function, and the text of the line. It stands for that line and those that follow it in the function and
did not run either. An entry is wrong if the file has no such line, or if all such lines ran and it stands under "never".
`*: TEXT` stands for each line of that text in any file, alone; a text may end with `...`.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tests.check_shape import functions

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMITS = "tests/coverage.json"
UNREACHED = "tests/unreached.txt"
HEADING = re.compile(r"# (never|sometimes): (.+)")
ENTRY = re.compile(r"(\*|\S+\.(?:[ch]|py)): (?:(\w+): )?(.+)")


class Line(NamedTuple):
    number: int
    ran: bool
    branches: tuple[bool, ...]


Counts = dict[str, list[Line]]


class Entry(NamedTuple):
    number: int
    path: str
    function: str
    text: str
    never: bool


    def is_of(self, line: str) -> bool:
        text = line.strip()
        return text.startswith(self.text[:-3]) if self.text.endswith("...") else text == self.text


class Share(NamedTuple):
    part: int
    whole: int

    @property
    def percent(self) -> float:
        return 100 * self.part / self.whole if self.whole else 100.0


def runtime_counts(document: dict) -> Counts:
    """What gcovr has written."""
    return {
        file["file"]: [
            Line(line["line_number"], line["count"] > 0, tuple(branch["count"] > 0 for branch in line["branches"]))
            for line in file["lines"] if not line.get("gcovr/noncode")
        ]
        for file in document["files"]
    }


def codegen_counts(document: dict) -> Counts:
    """What coverage.py has written."""
    return {
        path: sorted([Line(number, True, ()) for number in file["executed_lines"]]
                     + [Line(number, False, ()) for number in file["missing_lines"]])
        for path, file in document["files"].items()
    }


def lines_share(files: Iterable[list[Line]]) -> Share:
    lines = [line.ran for file in files for line in file]
    return Share(sum(lines), len(lines))


def branches_share(files: Iterable[list[Line]]) -> Share:
    branches = [ran for file in files for line in file for ran in line.branches]
    return Share(sum(branches), len(branches))


def folders(counts: Counts) -> dict[str, Counts]:
    """The files by group of the runtime, or all of the generator as one."""
    parts: dict[str, Counts] = {}
    for path, lines in counts.items():
        names = path.split("/")
        parts.setdefault("/".join(names[:2]) if names[0] == "runtime" else names[0], {})[path] = lines
    return dict(sorted(parts.items()))


def show(name: str, counts: Counts) -> str:
    lines, branches = lines_share(counts.values()), branches_share(counts.values())
    text = f"{name:<24}{lines.whole:>7} lines {lines.percent:>6.2f} %"
    return text + (f"{branches.whole:>8} branches {branches.percent:>6.2f} %" if branches.whole else "")


def limit_problems(counts: Counts, limits: dict[str, dict[str, float]]) -> Iterator[str]:
    for folder, shares in limits.items():
        part = [lines for path, lines in counts.items() if path.startswith(folder + "/")]
        found = {"lines": lines_share(part), "branches": branches_share(part)}
        for what, least in shares.items():
            if not part:
                yield f"{LIMITS}: nothing was counted in {folder}/"
            elif found[what].percent < least:
                yield f"{LIMITS}: {folder}/: {found[what].percent:.2f} % of the {what} ran, less than {least} %"


def read_entries(text: str) -> Iterator[Entry | str]:
    """The entries; what is no entry comes back as a problem."""
    never = None
    for number, line in enumerate(text.splitlines(), 1):
        heading, entry = HEADING.fullmatch(line), ENTRY.fullmatch(line)
        if heading:
            never = heading[1] == "never"
        elif entry and never is not None:
            yield Entry(number, entry[1], entry[2] or "", entry[3], never)
        elif line.strip():
            yield f"{UNREACHED}:{number}: neither a heading nor an entry: {line}"


class Source:
    """The text of a file, and which function a line is in."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self._functions = [(f.line, f.line + f.lines, f.name) for f in functions(text)]

    def function(self, number: int) -> str:
        return next((name for first, end, name in self._functions if first <= number < end), "")

    def text(self, number: int) -> str:
        return self.lines[number - 1].strip()

    def numbers(self, entry: Entry) -> list[int]:
        """The lines that an entry names."""
        return [number for number, line in enumerate(self.lines, 1)
                if entry.is_of(line) and self.function(number) == entry.function]


def justified(source: Source, lines: list[Line], first: int) -> list[int]:
    """From a line on, what did not run up to the next line that did, or the end of the function."""
    found = []
    for line in lines:
        if line.number >= first:
            if line.ran or source.function(line.number) != source.function(first):
                break
            found.append(line.number)
    return found


def judge_entries(
    counts: Counts, sources: dict[str, Source], entries: Iterable[Entry]
) -> tuple[set[tuple[str, int]], list[str]]:
    """The lines that entries stand for, and what is wrong with entries."""
    covered: set[tuple[str, int]] = set()
    problems = []
    for entry in entries:
        if entry.path == "*":
            covered.update((path, line.number) for path, lines in counts.items() for line in lines
                           if not line.ran and entry.is_of(sources[path].text(line.number)))
            if not any(entry.is_of(line) for source in sources.values() for line in source.lines):
                problems.append(f"{UNREACHED}:{entry.number}: no file has such a line")
            continue
        source = sources.get(entry.path, Source(""))
        numbers = source.numbers(entry)
        found = [number for first in numbers for number in justified(source, counts.get(entry.path, []), first)]
        covered.update((entry.path, number) for number in found)
        if not numbers:
            problems.append(f"{UNREACHED}:{entry.number}: {entry.path} has no such line in {entry.function or 'it'}")
        elif not found and entry.never and entry.path in counts:
            problems.append(f"{UNREACHED}:{entry.number}: the line has run: {entry.path}: {entry.text}")
    return covered, problems


def unreached(counts: Counts, sources: dict[str, Source], known: set[tuple[str, int]]) -> Iterator[str]:
    for path, lines in sorted(counts.items()):
        source = sources[path]
        yield from (f"{path}:{line.number}: {source.function(line.number)}: {source.text(line.number)}"
                    for line in lines if not line.ran and (path, line.number) not in known)


def main(arguments: list[str], root: pathlib.Path = ROOT) -> int:
    limits = json.loads((root / LIMITS).read_text("utf-8"))[arguments[0]]
    counts = runtime_counts(json.loads(pathlib.Path(arguments[1]).read_text("utf-8")))
    for path in arguments[2:]:
        counts.update(codegen_counts(json.loads(pathlib.Path(path).read_text("utf-8"))))
    sources = {path: Source((root / path).read_text("utf-8")) for path in counts}
    read = list(read_entries((root / UNREACHED).read_text("utf-8")))
    known, problems = judge_entries(counts, sources, [entry for entry in read if isinstance(entry, Entry)])
    problems = [item for item in read if isinstance(item, str)] + problems + list(limit_problems(counts, limits))
    open_lines = list(unreached(counts, sources, known))
    for line in open_lines:
        print(line)
    print(f"{len(open_lines)} lines did not run, and {len(known)} that {UNREACHED} gives a reason for")
    for name, part in folders(counts).items():
        print(show(name, part))
    print(show("runtime", {path: lines for path, lines in counts.items() if path.startswith("runtime/")}))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What became of mutants: the file of results, the list of equal programs, and the report."""

from __future__ import annotations

import collections
import hashlib
import json
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from tests.mutants.mutant import Mutant

KILLED, SURVIVES, SAME, NO_PROGRAM = "killed", "survives", "same program", "no program"
COUNTED = (KILLED, SURVIVES)
EQUIVALENTS = pathlib.Path(__file__).with_name("equivalents.txt")


class Verdict(NamedTuple):
    outcome: str
    by: str = ""


def stamp(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Results:
    """Verdicts by the name of the mutant, each for one text of its source. They are on disk as soon as they are known."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.known: dict[tuple[str, str], Verdict] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                entry = json.loads(line)
                self.known[entry["name"], entry["stamp"]] = Verdict(entry["outcome"], entry["by"])

    def find(self, mutant: Mutant, source: str) -> Verdict | None:
        return self.known.get((mutant.name, source))

    def add(self, mutant: Mutant, source: str, verdict: Verdict) -> None:
        self.known[mutant.name, source] = verdict
        with self.path.open("a") as file:
            file.write(json.dumps({"name": mutant.name, "stamp": source, **verdict._asdict()}) + "\n")


def equivalents(text: str) -> dict[str, str]:
    """The list of mutants that are the same program although no compiler sees it: the name of each, then in the next
    line, indented, why."""
    reasons: dict[str, str] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            name = line
        elif not name:
            raise SystemExit(f"{EQUIVALENTS.name}:{number}: a reason without a mutant")
        else:
            reasons[name] = f"{reasons[name]} {line.strip()}" if name in reasons else line.strip()
    return reasons


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def table(verdicts: Iterable[tuple[str, Mutant, Verdict]], reasons: dict[str, str]) -> str:
    """One line an area. A mutant on the list of equal programs is not counted, as one that a compiler finds equal."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for area, mutant, verdict in verdicts:
        listed = verdict.outcome == SURVIVES and mutant.name in reasons
        for name in (area, "all"):
            counts[name]["listed" if listed else verdict.outcome] += 1
    lines = ["| area | mutants | killed | survive | | listed as equal | same program | not compiled |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name in [*(name for name in counts if name != "all"), "all"]:
        count = counts[name]
        whole = count[KILLED] + count[SURVIVES]
        lines.append(f"| {name} | {whole} | {count[KILLED]} | {count[SURVIVES]} | {percent(count[KILLED], whole)} |"
                     f" {count['listed']} | {count[SAME]} | {count[NO_PROGRAM]} |")
    return "\n".join(lines)

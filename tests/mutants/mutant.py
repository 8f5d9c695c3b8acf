"""A mutant: one small change of one place of a source file."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import NamedTuple

# How much of a line, and of what is changed in it, a name shows.
SHOWN_MAX = 100


class Mutant(NamedTuple):
    file: str
    function: str
    line: int
    start: int  # of what is replaced, in characters from the beginning of the file
    end: int
    after: str
    name: str  # tells it apart from all others, and stays the same while its line and its function do

    def apply(self, text: str) -> str:
        return text[: self.start] + self.after + text[self.end :]


class Change(NamedTuple):
    """What becomes a mutant: a place, and what the mutation is called."""

    function: str
    start: int
    end: int
    after: str
    called: str


def shown(text: str) -> str:
    """One line of at most SHOWN_MAX characters."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."


def replaced(function: str, start: int, end: int, before: str, after: str) -> Change:
    """A token that becomes another one."""
    return Change(function, start, end, after, f"{before} to {after}")


def named(file: str, text: str, changes: Iterable[Change]) -> list[Mutant]:
    """The mutants in the order of the file. Equal changes of equal lines of a function are numbered."""
    mutants = []
    seen: collections.Counter[str] = collections.Counter()
    for change in sorted(changes, key=lambda change: (change.start, change.end, change.after)):
        line = text.count("\n", 0, change.start) + 1
        code = shown(text.splitlines()[line - 1])
        name = f"{file} {change.function}: {code} [{change.called}]"
        seen[name] += 1
        if seen[name] > 1:
            name += f" {seen[name]}"
        mutants.append(Mutant(file, change.function, line, change.start, change.end, change.after, name))
    return mutants

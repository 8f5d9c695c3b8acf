"""Checks that includes follow the one direction of dependencies and never form a cycle.

base <- {source, encode, warehouse} <- sync <- {api, service} <- cli. Siblings never include each other. Generated code
includes the descriptor, the value types, encode/ and its own headers; only api and cli include generated/registry.h.
bqlocal, the stand-in for BigQuery, depends on runtime/base alone, and its rooms point one way too: store <- {sql,
faults, http} <- {auth, jobs} <- rest <- server. No module includes itself through others, where x.c with x.h is one
module. Prints every violation as file:line and exits 1 if there is one.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {
    "base": {"base"},
    "source": {"base", "source"},
    "encode": {"base", "encode"},
    "warehouse": {"base", "warehouse"},
    "sync": {"base", "source", "encode", "warehouse", "sync"},
    "service": {"base", "source", "encode", "warehouse", "sync", "service"},
    "api": {"base", "source", "encode", "warehouse", "sync", "api"},
    "cli": {"base", "source", "encode", "warehouse", "sync", "api", "service", "cli"},
}
BQLOCAL_ALLOWED = {
    "store": {"store"},
    "sql": {"store", "sql"},
    "faults": {"store", "faults"},
    "http": {"store", "http"},
    "auth": {"store", "http", "auth"},
    "jobs": {"store", "sql", "faults", "jobs"},
    "rest": {"store", "sql", "faults", "http", "jobs", "rest"},
}
GENERATED_MAY = {"base/table.h", "base/value.h", "base/slice.h"}
INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')

Include = tuple[int, str]


def includes(path: pathlib.Path) -> Iterator[Include]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1]


def runtime_problem(root: pathlib.Path, group: str, included: str) -> str | None:
    """Why a file of that group may not include that header, or None."""
    if included == "registry.h":
        return None if group in ("api", "cli") else "only api and cli may include registry.h"
    if (root / "generated" / included).exists():
        return f"the runtime must not know the generated {included}"
    head = included.split("/")[0]
    if "/" not in included:
        return f"write {group}/{included}"
    if head not in ALLOWED:
        return f"{head}/ is not a group of the runtime"
    return None if head in ALLOWED[group] else f"{group} must not include {head}"


def bqlocal_problem(_root: pathlib.Path, group: str, included: str) -> str | None:
    """server/, main and the tests may include every room."""
    head, _, rest = included.partition("/")
    if head == "base":
        return None
    if head != "bqlocal":
        return "bqlocal includes base/ and its own headers only"
    room = rest.split("/")[0]
    return None if room in BQLOCAL_ALLOWED.get(group, {room}) else f"bqlocal's {group} must not include its {room}"


def generated_problem(root: pathlib.Path, _group: str, included: str) -> str | None:
    own = (root / "generated" / included).exists()
    if own or included in GENERATED_MAY or included.startswith("encode/"):
        return None
    return "generated code includes table.h, value.h and slice.h of base, encode/ and its own headers only"


def sources(root: pathlib.Path, folder: str) -> list[pathlib.Path]:
    return sorted(path for path in (root / folder).rglob("*.[ch]"))


def direction_problems(root: pathlib.Path) -> Iterator[str]:
    for folder, problem_of in (
        ("runtime", runtime_problem),
        ("tests/bqlocal", bqlocal_problem),
        ("generated", generated_problem),
    ):
        for path in sources(root, folder):
            group = path.relative_to(root / folder).parts[0]
            if folder == "runtime" and group not in ALLOWED:
                yield f"{path.relative_to(root)}:1: {group}/ is not a group of the runtime"
                continue
            for line, included in includes(path):
                problem = problem_of(root, group, included)
                if problem:
                    yield f"{path.relative_to(root)}:{line}: {problem}"


def module_of(path: str) -> str:
    """A source and its header are one module: what either includes, both depend on."""
    return path.rsplit(".", 1)[0]


def module_graph(root: pathlib.Path) -> dict[str, dict[str, str]]:
    """For each module the modules that it includes, each with the file:line of the first include."""
    graph: dict[str, dict[str, str]] = {}
    for folder, prefix in (("runtime", "runtime"), ("tests/bqlocal", "tests")):
        for path in sources(root, folder):
            name = str(path.relative_to(root))
            module = module_of(name)
            for line, included in includes(path):
                for base in (prefix, "runtime"):
                    if (root / base / included).exists() and module_of(f"{base}/{included}") != module:
                        graph.setdefault(module, {}).setdefault(module_of(f"{base}/{included}"), f"{name}:{line}")
                        break
    return graph


def cycle_problems(root: pathlib.Path) -> Iterator[str]:
    """One line for each include that closes a cycle, found by a depth-first search."""
    graph = module_graph(root)
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> Iterator[str]:
        trail.append(module)
        for other, place in graph.get(module, {}).items():
            if other in trail:
                cycle = trail[trail.index(other) :] + [other]
                yield f"{place}: closes the cycle {' -> '.join(cycle)}"
            elif other not in done:
                yield from visit(other, trail)
        trail.pop()
        done.add(module)

    for module in sorted(graph):
        if module not in done:
            yield from visit(module, [])


def problems(root: pathlib.Path) -> Iterator[str]:
    yield from direction_problems(root)
    yield from cycle_problems(root)


def main(arguments: list[str]) -> int:
    found = list(problems(pathlib.Path(arguments[0]).resolve() if arguments else ROOT))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

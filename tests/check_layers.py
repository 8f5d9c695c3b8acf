"""Holds the includes to the one direction of dependencies.

base <- {source, encode, warehouse} <- sync <- {api, service} <- cli. Siblings never include each other; local, the
BigQuery stand-in, stands on base alone; generated code knows the descriptor, the value types, encode/ and its own
headers; only api and cli know generated/registry.h. Prints every violation as file:line and exits 1 if there is one.
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
    "local": {"base", "local"},
}
GENERATED_MAY = {"base/table.h", "base/value.h", "base/slice.h"}
INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')


def includes(path: pathlib.Path) -> Iterator[tuple[int, str]]:
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
        return f"{head}/ is no group of the runtime"
    return None if head in ALLOWED[group] else f"{group} must not include {head}"


def generated_problem(root: pathlib.Path, included: str) -> str | None:
    own = (root / "generated" / included).exists()
    if own or included in GENERATED_MAY or included.startswith("encode/"):
        return None
    return "generated code includes table.h, value.h and slice.h of base, encode/ and its own headers only"


def problems(root: pathlib.Path) -> Iterator[str]:
    for path in sorted((root / "runtime").glob("*/*.[ch]")):
        group = path.parent.name
        if group not in ALLOWED:
            yield f"{path.relative_to(root)}:1: {group}/ is no group of the runtime"
            continue
        for line, included in includes(path):
            problem = runtime_problem(root, group, included)
            if problem:
                yield f"{path.relative_to(root)}:{line}: {problem}"
    for path in sorted((root / "generated").glob("*.[ch]")):
        for line, included in includes(path):
            problem = generated_problem(root, included)
            if problem:
                yield f"{path.relative_to(root)}:{line}: {problem}"


def main(arguments: list[str]) -> int:
    found = list(problems(pathlib.Path(arguments[0]).resolve() if arguments else ROOT))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

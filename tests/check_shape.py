"""Checks the sizes of functions, files and folders, and how much of the headers is comment.

- A C function has at most 60 lines, from its signature to its closing brace, and at most 6 parameters. At most 2 % of
  the functions have more than 40 lines.
- At least a third of the lines in the headers of sync, source and warehouse are comments.
- A C or Python file has at most 600 lines.
- runtime/ has less than 65,000 lines of C, and tests/bqlocal without its tests less than 27,800: growth is a decision.
- No two modules of runtime/ have the same file name.
- Unit tests include support/prelude.h and not cmocka.h.

The parser relies on clang-format: the braces of a function stand alone in the first column. generated/ is not checked,
because the user's tables decide its length. Prints every violation as file:line and exits 1 if there is one.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_LINES_MAX = 60
LONG_FUNCTION_LINES = 40
LONG_FUNCTIONS_MAX_PERCENT = 2
PARAMETERS_MAX = 6
FILE_LINES_MAX = 600
FOLDER_LINES_MAX = {"runtime": 65_000, "tests/bqlocal": 27_800}
COMMENTED_GROUPS = ("sync", "source", "warehouse")
C_FOLDERS = ("runtime", "tests")
PYTHON_FOLDERS = ("codegen", "tests")
# Functions whose parameters a library dictates, with the type that it wants.
DICTATED = {
    ("runtime/service/server.c", "on_request"): "MHD_AccessHandlerCallback",
    ("tests/bqlocal/server/connection.c", "connection_serve"): "MHD_AccessHandlerCallback",
    ("tests/support/fork_server.c", "start_program"): "__libc_start_main",
    ("tests/fault/nth_shim.c", "start_program"): "__libc_start_main",
}
COMMENT_OR_LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Function(NamedTuple):
    name: str
    line: int
    lines: int
    parameters: str


def blank_comments(text: str) -> str:
    """The text with comments and literals as blanks, line for line."""
    return COMMENT_OR_LITERAL.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def functions(text: str) -> Iterator[Function]:
    """Every function that the file defines."""
    lines = blank_comments(text).splitlines()
    for opening, line in enumerate(lines):
        if line != "{":
            continue
        first = opening
        while first > 0 and lines[first - 1].strip() and lines[first - 1][0] not in "#}":
            first -= 1
        closing = lines.index("}", opening)
        signature = " ".join(part.strip() for part in lines[first:opening])
        match = re.match(r"[^()]*?(\w+)\((.*)\)$", signature)
        if match:
            yield Function(match[1], first + 1, closing - first + 1, match[2])


def parameter_count(parameters: str) -> int:
    if parameters.strip() in ("", "void"):
        return 0
    depth = 0
    count = 1
    for character in parameters:
        depth += (character == "(") - (character == ")")
        count += character == "," and depth == 0
    return count


def is_test(path: pathlib.Path) -> bool:
    """Whether the file is of the tests."""
    return path.parts[:2] == ("tests", "unit") or path.name.startswith("test_") or "tests" in path.parts[1:]


def sources(root: pathlib.Path, folders: tuple[str, ...], pattern: str) -> list[pathlib.Path]:
    """Paths below the folders, relative to the root."""
    return sorted(path.relative_to(root) for folder in folders for path in (root / folder).rglob(pattern))


def read(root: pathlib.Path, path: pathlib.Path) -> str:
    return (root / path).read_text("utf-8")


def function_problems(root: pathlib.Path) -> Iterator[str]:
    count = 0
    long = []
    for path in sources(root, C_FOLDERS, "*.[ch]"):
        for function in functions(read(root, path)):
            place = f"{path}:{function.line}: {function.name}"
            parameters = parameter_count(function.parameters)
            count += 1
            if function.lines > LONG_FUNCTION_LINES:
                long.append(f"{place} has {function.lines} lines")
            if function.lines > FUNCTION_LINES_MAX:
                yield f"{place} has {function.lines} lines, more than {FUNCTION_LINES_MAX}"
            if parameters > PARAMETERS_MAX and (str(path), function.name) not in DICTATED:
                yield f"{place} has {parameters} parameters, more than {PARAMETERS_MAX}"
    if len(long) * 100 > count * LONG_FUNCTIONS_MAX_PERCENT:
        yield from (
            f"{line}, one of {len(long)} of {count} with more than {LONG_FUNCTION_LINES},"
            f" at most {LONG_FUNCTIONS_MAX_PERCENT} % are allowed"
            for line in long
        )


def comment_lines(text: str) -> tuple[int, int]:
    """How many lines are comment alone, and how many are not blank."""
    written = [line for line in text.splitlines() if line.strip()]
    code = [line for line in blank_comments(text).splitlines() if line.strip()]
    return len(written) - len(code), len(written)


def comment_problems(root: pathlib.Path) -> Iterator[str]:
    for group in COMMENTED_GROUPS:
        counts = [comment_lines(read(root, path)) for path in sources(root, (f"runtime/{group}",), "*.h")]
        comments, written = (sum(column) for column in zip(*counts)) if counts else (0, 0)
        if comments * 3 < written:
            yield f"runtime/{group}:1: {comments} of {written} lines of its headers are comments, less than a third"


def file_problems(root: pathlib.Path) -> Iterator[str]:
    for path in sources(root, C_FOLDERS, "*.[ch]") + sources(root, PYTHON_FOLDERS, "*.py"):
        lines = read(root, path).count("\n")
        if lines > FILE_LINES_MAX:
            yield f"{path}:{FILE_LINES_MAX + 1}: the file has {lines} lines, more than {FILE_LINES_MAX}"


def folder_problems(root: pathlib.Path) -> Iterator[str]:
    for folder, most in FOLDER_LINES_MAX.items():
        paths = sources(root, (folder,), "*.[ch]")
        lines = sum(read(root, path).count("\n") for path in paths if folder == "runtime" or not is_test(path))
        if lines >= most:
            yield f"{folder}:1: the folder has {lines} lines of C, not less than {most}"


def name_problems(root: pathlib.Path) -> Iterator[str]:
    first: dict[str, pathlib.Path] = {}
    for path in sources(root, ("runtime",), "*.[ch]"):
        other = first.setdefault(path.stem, path)
        if other.with_suffix("") != path.with_suffix(""):
            yield f"{path}:1: {other} has the same name"


def prelude_problems(root: pathlib.Path) -> Iterator[str]:
    for path in sources(root, ("tests",), "*.[ch]"):
        for number, line in enumerate(read(root, path).splitlines(), 1):
            if line == "#include <cmocka.h>" and path.name != "prelude.h":
                yield f"{path}:{number}: include support/prelude.h first instead of cmocka.h"


def problems(root: pathlib.Path) -> Iterator[str]:
    yield from function_problems(root)
    yield from comment_problems(root)
    yield from file_problems(root)
    yield from folder_problems(root)
    yield from name_problems(root)
    yield from prelude_problems(root)


def main(arguments: list[str]) -> int:
    found = list(problems(pathlib.Path(arguments[0]).resolve() if arguments else ROOT))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""python3 -m codegen: arguments and exit status, nothing else.

0 success; 1 --check found differences, or files cannot be written; 2 usage; 3 a definition is
wrong.
"""

from __future__ import annotations

import argparse
import sys
from typing import List

from . import output, schema


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m codegen",
        description="Generates C, SQL and JSON from table definitions (docs/schema.md).")
    parser.add_argument("--schemas", default="schemas", metavar="DIR",
                        help="where the definitions are (default: %(default)s)")
    parser.add_argument("--output", default="generated", metavar="DIR",
                        help="where to write the generated files (default: %(default)s)")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; print a diff and exit with 1 if files would change")
    options = parser.parse_args(arguments)
    try:
        loaded = schema.load(options.schemas)
    except OSError as error:
        print("%s: cannot be read: %s" % (options.schemas, error.strerror), file=sys.stderr)
        return 3
    for message in loaded.messages:
        print(message, file=sys.stderr)
    if loaded.messages:
        return 3
    return _emit(options.output, output.render(loaded.tables), options.check)


def _emit(directory: str, files: "dict[str, str]", check: bool) -> int:
    try:
        if not check:
            output.write(directory, files)
            return 0
        lines = output.differences(directory, files)
    except OSError as error:
        print("%s: %s" % (error.filename or directory, error.strerror), file=sys.stderr)
        return 1
    sys.stdout.write("".join(lines))
    if lines:
        print("%s does not match the schemas; run python3 -m codegen" % directory, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))

"""The command generate: definitions in, generated files out. The build runs it."""

from __future__ import annotations

import argparse
import sys

from . import output, schema


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schemas", default="schemas", metavar="DIR",
                        help="where the definitions are (default: %(default)s)")
    parser.add_argument("--output", default="generated", metavar="DIR",
                        help="where to write the generated files (default: %(default)s)")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; print a diff and exit with 1 if files would change")


def run(options: argparse.Namespace) -> int:
    loaded = schema.load_right(options.schemas)
    if loaded is None:
        return 3
    return _emit(options, output.render(loaded.tables))


def _emit(options: argparse.Namespace, files: "dict[str, str]") -> int:
    directory = options.output
    try:
        if not options.check:
            output.write(directory, files)
            return 0
        lines = output.differences(directory, files)
    except OSError as error:
        print("%s: %s" % (error.filename or directory, error.strerror), file=sys.stderr)
        return 1
    sys.stdout.write("".join(lines))
    if lines:
        print("%s does not match the definitions; run %s generate" % (directory, options.program),
              file=sys.stderr)
    return 1 if lines else 0

"""The command build: definitions -> generated files -> a program in the working directory."""

from __future__ import annotations

import argparse
import errno
import os
import sys

from .. import output, place, schema
from .compiler import Builder, Failed, tools

# In each program that a build makes, and in no text.
_SIGN = b"bq_sync_tracking"
_OBJECTS = os.path.join("build", "bqsync-gen")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schemas", default="schemas", metavar="DIR",
                        help="where the definitions are (default: %(default)s)")
    parser.add_argument("--output", default="generated", metavar="DIR",
                        help="where to write the generated files (default: %(default)s)")
    parser.add_argument("--program", dest="made", default="bqsync", metavar="FILE",
                        help="the program to make (default: %(default)s)")
    parser.epilog = ("The environment's CC, CFLAGS and LDFLAGS are respected. Objects are kept in "
                     + _OBJECTS + ".")


def run(options: argparse.Namespace) -> int:
    try:
        return _build(options)
    except Failed as problem:
        sys.stderr.write(problem.said)
        print("%s build: %s" % (options.program, problem), file=sys.stderr)
    except OSError as error:
        print("%s build: %s: %s" % (options.program, error.filename, error.strerror),
              file=sys.stderr)
    return 1


def _build(options: argparse.Namespace) -> int:
    if not os.path.isdir(options.schemas):
        print("%s build: there is no folder %s; %s init DATABASE makes it" % (
            options.program, options.schemas, options.program), file=sys.stderr)
        return 3
    layout = place.layout()
    if layout is None:
        raise Failed("the libraries of this tree are not built yet; run ./dev build")
    _check_program(options.made)
    loaded = schema.load(options.schemas)
    if not schema.is_right(loaded):
        return 3
    files = output.render(loaded.tables)
    output.write(options.output, files)
    sources = [os.path.join(options.output, name) for name in sorted(files) if name.endswith(".c")]
    sys.stderr.write(Builder(layout, tools(os.environ), _OBJECTS).build(sources, options.made))
    made = options.made if os.path.dirname(options.made) else os.path.join(".", options.made)
    count = len(loaded.tables)
    print("built %s: %d %s from %s" % (
        made, count, "table" if count == 1 else "tables", os.path.join(options.schemas, "")))
    return 0


def _check_program(path: str) -> None:
    """Raises OSError if something stands there that no build has made."""
    if os.path.lexists(path) and not _is_program(path):
        what = "is a folder" if os.path.isdir(path) else "was not made by a build"
        raise FileExistsError(errno.EEXIST, what + " and is left alone: move it, or name another program with "
                              "--program", path)


def _is_program(path: str) -> bool:
    """A program has zero bytes near its beginning, a text has none. An empty file may be overwritten."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        content = file.read()
    return not content or (b"\0" in content[:1024] and _SIGN in content)

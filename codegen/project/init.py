"""The command init: lays out a repository for definitions, and has them inferred from a database.

It never changes a file that is there already.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import Dict, List, NamedTuple

from .. import commands, place

_TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
_SCHEMAS = "schemas"
_WORKFLOW = os.path.join(".github", "workflows", "bqsync.yml")


class _File(NamedTuple):
    path: str
    template: str
    # Whether a file that is there already needs the template's lines as well.
    joins: bool


_FILES = [
    _File("CMakeLists.txt", "CMakeLists.txt", False),
    _File(".env.example", "env.example", False),
    _File(".gitignore", "gitignore", True),
    _File(".gitattributes", "gitattributes", True),
    _File(_WORKFLOW, "workflow.yml", False),
]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", nargs="?", metavar="DATABASE",
                        help="a SQLite database to infer the definitions from")


def run(options: argparse.Namespace) -> int:
    database = options.database
    status = 0
    if database is not None:
        # First, so that nothing is laid out for a database that cannot be read. 1: definitions that
        # are there already differ from the database.
        status = commands.main(["infer", "--out", _SCHEMAS, "--", database], options.program, {})
        if status > 1:
            return status
    try:
        made = _lay_out(database)
    except OSError as error:
        print("%s init: %s: %s" % (options.program, error.filename, error.strerror),
              file=sys.stderr)
        return 1
    if made:
        print("made: " + ", ".join(made))
    if database is None:
        print("Next: %s infer DATABASE, or write %s/TABLE.json by hand" % (
            options.program, _SCHEMAS))
    elif status == 0:
        print("Next: %s build, then ./bqsync check (settings: .env.example)" % options.program)
    return status


def _lay_out(database: "str | None") -> List[str]:
    """Makes what is missing; the paths of what was made."""
    values = {
        "project": re.sub(r"[^A-Za-z0-9_.+-]+", "-", os.path.basename(os.getcwd())) or "mirror",
        "database": _setting(database or ""),
    }
    made = []
    editors = _SCHEMAS + "/table.schema.json"
    with open(place.table_schema(), encoding="utf-8") as file:
        if _write(editors, file.read()):
            made.append(editors)
    for wanted in _FILES:
        text = _template(wanted.template, values)
        if wanted.path == ".gitignore" and database is not None:
            text += _ignored(database)
        if _write(wanted.path, text):
            made.append(wanted.path)
        elif wanted.joins:
            _name_missing(wanted.path, text)
    if _WORKFLOW in made:
        _name_unused_workflow()
    return made


def _ignored(database: str) -> str:
    """The lines for a database in this folder, and for what SQLite and bqsync put beside it."""
    path = os.path.relpath(os.path.realpath(database))
    if path.startswith("..") or "\n" in path:
        return ""
    pattern = "/" + re.sub(r"([\\*?\[])", r"\\\1", path)
    return "".join("%s%s\n" % (pattern, suffix) for suffix in ("", "-*", ".bqsync-*"))


def _name_unused_workflow() -> None:
    here = os.path.realpath(os.getcwd())
    root = here
    while not os.path.exists(os.path.join(root, ".git")):
        if root == os.path.dirname(root):
            return
        root = os.path.dirname(root)
    if root != here:
        print("%s: GitHub runs only those in the root of the repository: move it there, and give its steps behind "
              "the checkout the working-directory %s" % (_WORKFLOW, os.path.relpath(here, root)),
              file=sys.stderr)


def _template(name: str, values: Dict[str, str]) -> str:
    with open(os.path.join(_TEMPLATES, name), encoding="utf-8") as file:
        text = file.read()
    for key, value in values.items():
        text = text.replace("@%s@" % key, value)
    return text


def _write(path: str, text: str) -> bool:
    """Writes a new file; False if there is one."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        with open(path, "x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _name_missing(path: str, text: str) -> None:
    with open(path, encoding="utf-8", errors="replace") as file:
        found = {line.strip() for line in file}
    missing = [line for line in text.splitlines() if line not in found]
    if missing:
        print("%s is there already; add to it: %s" % (path, "  ".join(missing)), file=sys.stderr)


def _setting(value: str) -> str:
    """A value as a .env file holds it."""
    if re.fullmatch(r"[\w./+@%:,~-]*", value):
        return value
    if "'" not in value:
        return "'%s'" % value
    return '"%s"' % re.sub(r'([\\"$])', r"\\\1", value)

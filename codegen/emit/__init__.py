"""The command emit: the definitions in the words of other tools, which read what bqsync keeps in
BigQuery. Each tool's module turns models into texts; this one prints or writes them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, Dict, NamedTuple, Sequence

from .. import output, schema
from ..model import Table
from . import dataform, dbt, row_schema, terraform
from .texts import MARK


class Tool(NamedTuple):
    """printed: one text for standard output; files: name -> text, for --out."""

    printed: Callable[[Sequence[Table]], str]
    files: Callable[[Sequence[Table]], Dict[str, str]]


def _one_file(name: str, text: Callable[[Sequence[Table]], str]) -> Tool:
    return Tool(text, lambda tables: {name: text(tables)})


TOOLS: Dict[str, Tool] = {
    "dbt": _one_file("bqsync_sources.yml", dbt.sources),
    "dataform": _one_file("bqsync_sources.js", dataform.sources),
    "terraform": _one_file("bqsync_tables.tf", terraform.tables),
    "jsonschema": Tool(row_schema.document, row_schema.files),
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", choices=list(TOOLS),
                        help="dbt, dataform, terraform or jsonschema")
    parser.add_argument("--schemas", default="schemas", metavar="DIR",
                        help="where the definitions are (default: %(default)s)")
    parser.add_argument("--out", metavar="DIR", help="write files there instead of printing")


def run(options: argparse.Namespace) -> int:
    loaded = schema.load_right(options.schemas)
    if loaded is None:
        return 3
    tool = TOOLS[options.tool]
    if options.out is None:
        sys.stdout.write(tool.printed(loaded.tables))
        return 0
    return _write(options.out, tool.files(loaded.tables))


def _write(directory: str, files: Dict[str, str]) -> int:
    """A file that somebody else has made is left alone, and then nothing is written."""
    try:
        for name in files:
            path = os.path.join(directory, name)
            if not _is_ours(path):
                print("%s was not made by emit and is left alone: remove it, or choose another --out"
                      % path, file=sys.stderr)
                return 1
        output.write_files(directory, files)
    except OSError as error:
        print("%s: %s" % (error.filename or directory, error.strerror), file=sys.stderr)
        return 1
    return 0


def _is_ours(path: str) -> bool:
    try:
        with open(path, "r", encoding="utf-8", errors="replace") as file:
            return MARK in file.read(1000)
    except FileNotFoundError:
        return True

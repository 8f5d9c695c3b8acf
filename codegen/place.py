"""Where the generator is, and what of bqsync is beside it: in an installed package, or in the tree
and its build folder. Paths are found relative to this file, so both may be moved.

The build writes layout.json (runtime/deploy/cmake/write.cmake). In an installed package it lies
beside this package, in the tree in build/.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional

_PARENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CMAKE = os.path.join(_PARENT, "CMakeLists.txt")
_VERSION = re.compile(r"^project\(bqsync VERSION ([\d.]+)", re.M)


class Layout(NamedTuple):
    """Everything that a compiler needs to make a program of generated code."""

    version: str
    includes: List[str]
    # The program but its tables.
    archive: str
    compile_options: List[str]
    link_options: List[str]


def is_installed() -> bool:
    return not os.path.exists(_CMAKE)


def version() -> str:
    if is_installed():
        return str(_read(os.path.join(_PARENT, "layout.json"))["version"])
    with open(_CMAKE, encoding="utf-8") as file:
        found = _VERSION.search(file.read())
    return found[1] if found else "unknown"


def table_schema() -> str:
    """The JSON Schema of definitions, for editors."""
    folder = _PARENT if is_installed() else os.path.join(_PARENT, "schemas")
    return os.path.join(folder, "table.schema.json")


def layout() -> Optional[Layout]:
    """None: this tree has not been built."""
    path = os.path.join(_PARENT, "layout.json" if is_installed() else "build/layout.json")
    if not os.path.exists(path):
        return None
    document = _read(path)
    folder = os.path.dirname(path)

    def absolute(name: str) -> str:
        return os.path.normpath(os.path.join(folder, name))

    return Layout(
        document["version"], [absolute(name) for name in document["includes"]],
        absolute(document["archive"]), document["compile"], document["link"])


def _read(path: str) -> Dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        document: Dict[str, Any] = json.load(file)
    return document

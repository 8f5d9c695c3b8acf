"""Definitions as they are, but with "history" wherever a table can have it: for tests that put a table's history to
whatever other tests put the table to.

    python3 tests/support/with_history.py FOLDER DEFINITION.json...
"""

import json
import pathlib
import sys


def can_have_history(definition):
    """Versions are told apart by a key. In mode replace a row with NULL in it would be rejected, as it is not
    without history."""
    key = definition.get("key", [])
    loose = [column["name"] for column in definition["columns"]
             if column["name"] in key and column.get("mode") != "REQUIRED"]
    return bool(key) and not (definition["sync"]["mode"] == "replace" and loose)


def with_history(definition):
    if not can_have_history(definition):
        return definition
    return {**definition, "sync": {**definition["sync"], "history": True}}


def main(folder, *paths):
    for path in map(pathlib.Path, paths):
        definition = with_history(json.loads(path.read_text(encoding="utf-8")))
        copy = pathlib.Path(folder) / path.name
        copy.write_text(json.dumps(definition, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

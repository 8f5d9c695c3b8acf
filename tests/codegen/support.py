"""What the generator's tests share: definitions from Python, checked and loaded like files."""

import json
import os
import tempfile

from codegen import schema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def definition(table, key, columns, **more):
    """A definition as JSON would hold it; columns are (name, type) pairs or whole objects."""
    return {
        "table": table,
        "key": key,
        "sync": {"mode": "upsert"},
        "columns": [
            column if isinstance(column, dict) else {"name": column[0], "type": column[1]}
            for column in columns],
        **more,
    }


def load_table(document):
    """The model of one definition; the test stops if it has problems."""
    with tempfile.TemporaryDirectory() as directory:
        name = document["table"] if document["table"].isidentifier() else "table_file"
        with open(os.path.join(directory, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(document, file)
        loaded = schema.load(directory)
    if loaded.messages:
        raise AssertionError("\n".join(loaded.messages))
    return loaded.tables[0]

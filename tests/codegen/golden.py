"""The golden cases, tests/golden/<case>/: schemas/ is what the generator reads, expected/ the whole
of what it writes, or stderr.txt what it says about definitions that it refuses."""

import os
import subprocess
import sys

from codegen.forms import markdown_formats, markdown_options
from tests.codegen.support import ROOT

GOLDEN = os.path.join(ROOT, "tests", "golden")
EXPLAINED = os.path.join(GOLDEN, "explained.md")
EMITTED = os.path.join(GOLDEN, "emitted")
TOOLS = ("dbt", "dataform", "terraform", "jsonschema")
SCHEMA_DOC = os.path.join(ROOT, "docs", "schema.md")


def cases():
    """(name, directory) of every case."""
    return [
        (name, os.path.join(GOLDEN, name)) for name in sorted(os.listdir(GOLDEN))
        if os.path.isdir(os.path.join(GOLDEN, name, "schemas"))]


def generate(directory, output, *more):
    """Runs the generator as a user in the case's directory would."""
    return subprocess.run(
        [sys.executable, "-m", "codegen", "--output", output, *more],
        cwd=directory, capture_output=True, encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1"))


def explain():
    """What explain says of each kind of change (tests/schemas/explain)."""
    schemas = os.path.join(ROOT, "tests", "schemas", "explain")
    return subprocess.run(
        [sys.executable, "-m", "codegen", "explain", "before", "--schemas", "after"],
        cwd=schemas, capture_output=True, encoding="utf-8", check=True,
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1")).stdout


def emit(tool, *more, schemas=os.path.join(EMITTED, "definitions")):
    """Runs emit of that tool."""
    return subprocess.run(
        [sys.executable, "-m", "codegen", "emit", tool, "--schemas", schemas, *more], cwd=ROOT,
        capture_output=True, encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1"))


def files(directory):
    """File name -> text."""
    result = {}
    if os.path.isdir(directory):
        for name in sorted(os.listdir(directory)):
            with open(os.path.join(directory, name), encoding="utf-8", newline="") as file:
                result[name] = file.read()
    return result


def schema_doc():
    """docs/schema.md with the tables that the generator says between their marks."""
    with open(SCHEMA_DOC, encoding="utf-8") as file:
        text = file.read()
    for name, table in (("formats", markdown_formats()), ("options", markdown_options())):
        mark = "<!-- table %s -->\n" % name
        before, rest = text.split(mark)
        text = before + mark + table + rest[rest.index("<!-- end -->"):]
    return text

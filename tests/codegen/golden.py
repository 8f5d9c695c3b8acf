"""The golden cases, tests/golden/<case>/: schemas/ is what the generator reads, expected/ the whole
of what it writes, or stderr.txt what it says about definitions that it refuses."""

import os
import subprocess
import sys

from tests.codegen.support import ROOT

GOLDEN = os.path.join(ROOT, "tests", "golden")


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


def files(directory):
    """File name -> text."""
    result = {}
    if os.path.isdir(directory):
        for name in sorted(os.listdir(directory)):
            with open(os.path.join(directory, name), encoding="utf-8", newline="") as file:
                result[name] = file.read()
    return result

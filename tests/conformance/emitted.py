"""What the judges of `emit` share: the folders of definitions, and packages of PyPI in a process of their own."""

import functools
import json
import os
import subprocess

from codegen import schema
from codegen.emit_history import with_histories
from tests.codegen.golden import EMITTED, emit
from tests.support import foreign

FOLDERS = {
    "awkward": os.path.join(EMITTED, "definitions"),
    "torture": str(foreign.CONFORMANCE / "schemas"),
    "shapes": str(foreign.SOURCE / "tests" / "schemas"),
    "samples": str(foreign.SOURCE / "schemas"),
    "partitions": str(foreign.SOURCE / "tests" / "schemas" / "explain" / "after"),
}


@functools.lru_cache(maxsize=None)
def tables(folder, views=True):
    """The models of a folder's definitions, with those of the logs and views of histories."""
    return tuple(with_histories(schema.load(FOLDERS[folder]).tables, views))


@functools.lru_cache(maxsize=None)
def text(tool, folder):
    """What emit prints."""
    done = emit(tool, schemas=FOLDERS[folder])
    done.check_returncode()
    return done.stdout


class Packages:
    """Packages of PyPI in the versions that clients/NAME/requirements.txt pins."""

    def __init__(self, name):
        self.python = foreign.python_with("pip", "python3-pip")
        self.path = foreign.installed(
            name, [foreign.CONFORMANCE / "clients" / name / "requirements.txt"],
            [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--only-binary=:all:", "--target", "packages", "--requirement", "requirements.txt"],
            foreign.absent) / "packages"

    def run(self, code, *arguments, **options):
        """Runs Python code with the packages: the finished process."""
        environment = {**os.environ, "PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": "1",
                       **options.pop("env", {})}
        return subprocess.run([self.python, "-c", code, *arguments], capture_output=True, encoding="utf-8",
                              env=environment, **options)

    def answer(self, code, question):
        """What the code prints as JSON, given a JSON document on standard input."""
        done = self.run(code, input=json.dumps(question))
        if done.returncode != 0:
            raise AssertionError(done.stderr[-4000:])
        return json.loads(done.stdout)

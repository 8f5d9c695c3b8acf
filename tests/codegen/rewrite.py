"""python3 -m tests.codegen.rewrite: makes the golden files, and the tables of docs/schema.md, what the
generator says now. Review the difference like code."""

import os
import shutil
import tempfile

from tests.codegen.golden import (
    EMITTED, EXPLAINED, SCHEMA_DOC, TOOLS, cases, emit, explain, generate, schema_doc)


def rewrite(directory):
    expected = os.path.join(directory, "expected")
    stderr = os.path.join(directory, "stderr.txt")
    shutil.rmtree(expected, ignore_errors=True)
    if os.path.exists(stderr):
        os.remove(stderr)
    with tempfile.TemporaryDirectory() as output:
        done = generate(directory, output)
        if done.returncode == 0:
            shutil.copytree(output, expected)
            return
    with open(stderr, "w", encoding="utf-8", newline="") as file:
        file.write(done.stderr)


if __name__ == "__main__":
    for _, case in cases():
        rewrite(case)
    with open(EXPLAINED, "w", encoding="utf-8", newline="") as document:
        document.write(explain())
    for tool in TOOLS:
        shutil.rmtree(os.path.join(EMITTED, tool), ignore_errors=True)
        emit(tool, "--out", os.path.join(EMITTED, tool)).check_returncode()
    renewed = schema_doc()
    with open(SCHEMA_DOC, "w", encoding="utf-8") as document:
        document.write(renewed)

"""Notes which lines of the generator each Python process runs. A copy of the sources has this file as sitecustomize.py,
which Python imports first. The name of the folder for the notes is in MUTANTS_LINES."""

import atexit
import json
import os
import sys

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "codegen", "")
lines: dict[str, set[int]] = {}


def trace(frame, event, _):
    name = frame.f_code.co_filename
    if not name.startswith(here):
        return None
    ran = lines.setdefault(name[len(here) - len("codegen/"):], set())
    ran.add(frame.f_lineno)

    def trace_line(frame, event, _):
        ran.add(frame.f_lineno)
        return trace_line

    return trace_line


def write(folder):
    sys.settrace(None)
    with open(os.path.join(folder, f"{os.getpid()}.json"), "w", encoding="utf-8") as file:
        json.dump({name: sorted(numbers) for name, numbers in lines.items()}, file)


if os.environ.get("MUTANTS_LINES"):
    atexit.register(write, os.environ["MUTANTS_LINES"])
    sys.settrace(trace)

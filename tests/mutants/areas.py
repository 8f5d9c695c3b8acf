"""Which sources are mutated, and which tests have to notice: the code that decides whether the mirror is exact."""

from __future__ import annotations

import pathlib
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Area(NamedTuple):
    name: str
    patterns: tuple[str, ...]
    # Labels of ctest: every program of these that runs a line is tried on the mutants of the line.
    labels: tuple[str, ...] = ("unit", "fuzz")
    # Files of tests/e2e that are tried, with --whole, on a mutant of C that those let live.
    whole: tuple[str, ...] = ()

    def files(self) -> list[str]:
        return sorted({str(path.relative_to(ROOT)) for pattern in self.patterns for path in ROOT.glob(pattern)})


def runtime(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"runtime/{folder}/{name}.c" for name in names)


AREAS = (
    Area("encode", runtime("encode", "*"), whole=("test_forms",)),
    Area("source",
         runtime("source", "capture*", "tracking_intents", "rejects", "shadow*", "fingerprint", "commits", "row_name",
                 "json_key", "key_conversion", "siphash"),
         whole=("test_scan", "test_rejects", "test_capture")),
    Area("pass",
         runtime("sync/pass", "plan", "batch", "extract*", "scan", "content", "rounds", "reading", "inline_rows",
                 "history_*"),
         whole=("test_sync", "test_history")),
    Area("commit", runtime("sync/commit", "*"), whole=("test_history", "test_deletes", "test_atomic")),
    Area("verify",
         runtime("sync/verify", "comparison", "drill_down", "checksum_sql", "row_hash", "source_rows", "repair"),
         whole=("test_verify", "test_verify_exceptions")),
    Area("codegen", ("codegen/**/*.py",), labels=()),
)
BY_NAME = {area.name: area for area in AREAS}

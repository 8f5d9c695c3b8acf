"""What change capture costs the application: the same writes with and without it (capture_cost.c).

    BQSYNC_BUILD=build python3 -m tests.bench.bench_capture [--rows N] [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile

from tests.bench.measure import Results, printed_by


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    results = Results("capture")
    with tempfile.TemporaryDirectory(prefix="bqsync-bench-") as folder:
        printed = printed_by("capture_cost", options.rows, options.rounds, folder)
    results.table("capture", printed.columns, printed.rows, printed.note)
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

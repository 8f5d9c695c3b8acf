"""What reading, checking, encoding and compressing a table cost next to only reading it (encode_cost.c).

    BQSYNC_BUILD=build python3 -m tests.bench.bench_encode [--rows N] [--rounds N]
"""

from __future__ import annotations

import argparse
import sys

from tests.bench.measure import Results, Spread, printed_by


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    results = Results("encode")
    printed = printed_by("encode_cost", "--rows", options.rows, "--rounds", options.rounds)
    results.table("encode", printed.columns, printed.rows, printed.note)
    column = printed.columns.index("x scan")
    results.chart("encode", "A table read, checked, encoded and compressed; only read = 1", "x",
                  {row[0]: Spread(*[float(row[column])] * 3) for row in printed.rows})
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

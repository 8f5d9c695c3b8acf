"""A whole first sync of a large table: time next to only fetching its rows with Python, and peak memory.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_sync [--rows N]... [--rounds N]

`bqsync sync chat_history` into `bqlocal --discard`, which takes the upload and forgets it. From a million rows on there
is one round.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time

from tests.bench import chat
from tests.bench.measure import Results, cost_of, in_turns, ratios, spread
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SIZES = (100_000, 1_000_000, 10_000_000)
ONE_ROUND_FROM = 1_000_000


def fetch_all(path):
    """Seconds that Python takes to step through the table."""
    began = time.monotonic()
    db = sqlite3.connect(path)
    for _ in db.execute("select * from chat_history"):
        pass
    db.close()
    return time.monotonic() - began


def measure(rows, rounds):
    """Of one size: the costs of bqsync, the seconds of Python, the database's bytes, the bytes sent."""
    with Bqlocal(datasets=["d"], args=["--discard"]) as bq, \
            Deployment(bq, program="bqsync_samples", schema="") as app:
        chat.make(app.path, rows)
        sent = app.table(app.sync("chat_history"), "chat_history")["bytes_sent"]  # warms up, and installs the triggers
        command = [app.program, "sync", "--full", "chat_history"]
        turns = in_turns({"bqsync": lambda: cost_of(command, app.environment, app.folder),
                          "python": lambda: fetch_all(app.path)}, rounds)
        return turns["bqsync"], turns["python"], app.path.stat().st_size, sent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    results = Results("sync")
    lines, times, peaks = [], {}, {}
    for rows in options.rows or SIZES:
        costs, fetched, size, sent = measure(rows, 1 if rows >= ONE_ROUND_FROM else options.rounds)
        seconds = spread(cost.seconds for cost in costs)
        peak = spread(cost.peak_mib for cost in costs)
        lines.append([f"{rows:,}", f"{size / 1e6:,.0f}", seconds.text(), f"{rows / seconds.median / 1e6:.2f}",
                      ratios([cost.seconds for cost in costs], fetched).text(),
                      f"{spread(cost.cpu for cost in costs).median:.2f}", f"{sent / 1e6:,.0f}", f"{peak.most:.1f}"])
        times[f"{rows:,} rows"], peaks[f"{rows:,} rows"] = seconds, peak
    results.table("sync", ["rows", "MB on disk", "seconds", "M rows/s", "x Python's fetch", "CPU s", "MB sent",
                           "peak MiB"], lines)
    results.chart("sync", "First sync of chat_history into bqlocal --discard", "s", times, logarithmic=True)
    results.chart("memory", "Peak resident memory of that sync", "MiB", peaks)
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

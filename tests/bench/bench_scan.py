"""What a scan costs: a table without triggers, next to SQLite that only steps through it.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_scan [--rows N] [--rounds N]

A chat_history is synced once with its state elsewhere, so that its changes are found by a scan. Then three whole
processes take turns: the bare scan of encode_cost, which reads each value of each row with SQLite's own VFS; a pass
without changes; and a pass after 100 rows all over the table were updated. Processor time is what counts: all three
read the same pages from the page cache.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

from tests.bench.measure import BUILD, Results, cost_of, in_turns, ratios, spread
from tests.support.bqlocal import Bqlocal

BARE = "bare scan"
SAME = "a pass, nothing changed"
CHANGED = "a pass, 100 rows updated"
CHANGES = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    results = Results("scan")
    with tempfile.TemporaryDirectory() as name, Bqlocal(datasets=["d"]) as bq:
        folder = pathlib.Path(name)
        database, state = folder / "app.db", folder / "state.db"
        subprocess.run([BUILD / "encode_cost", "--make", str(options.rows), database], check=True)
        environment = {"PATH": os.environ["PATH"], "BIGQUERY_EMULATOR_HOST": bq.host, "BQ_PROJECT_NAME": bq.project,
                       "BQ_DATASET_NAME": "d", "BQ_SQLITE_PATH": str(database), "BQ_STATE_PATH": str(state),
                       "BQ_LOG_LEVEL": "error"}
        sync = [BUILD / "bqsync_samples", "sync", "--quiet", "chat_history"]
        cost_of(sync, environment, folder)
        bytes_a_row = state.stat().st_size / options.rows
        numbers = iter(range(1, 1 + options.rounds))

        def changed():
            with sqlite3.connect(database) as db:
                db.execute("update chat_history set response_type = ? where id % ? = 7",
                           (f"round {next(numbers)}", options.rows // CHANGES))
            db.close()
            return cost_of(sync, environment, folder)

        costs = in_turns({BARE: lambda: cost_of([BUILD / "encode_cost", "--bare", database]),
                          SAME: lambda: cost_of(sync, environment, folder), CHANGED: changed}, options.rounds)
    cpu = {side: [cost.cpu for cost in measured] for side, measured in costs.items()}
    times = {side: ratios(values, cpu[BARE]) for side, values in cpu.items()}
    results.table("scan", ["one process", "x bare scan", "CPU s", "peak MiB"],
                  [[side, times[side].text(), spread(cpu[side]).text(),
                    spread(cost.peak_mib for cost in costs[side]).text("{:.1f}")] for side in costs],
                  f"{options.rows:,} rows; {options.rounds} rounds, median (least to most); "
                  f"the state database has {bytes_a_row:.1f} bytes a row.")
    results.chart("scan", "Processor time of a scan; only read = 1", "x", times)
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

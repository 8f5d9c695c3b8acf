"""A table of many small values: the first sync beside DuckDB, which copies the table into a Parquet file.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_plain [--rows 1000000] [--rounds 5]

Eight columns of integers and times, so that the cost is that of a row and not that of its bytes. bqsync does a whole
first sync: it reads, checks each value, encodes, compresses and uploads to `bqlocal --discard`. DuckDB reads the values
by their declared types and writes a file.
"""

from __future__ import annotations

import argparse
import pathlib
import sqlite3
import sys
import tempfile

from tests.bench.bench_peers import PEERS, Absent, Peer, pypi
from tests.bench.measure import Results, cost_of, in_turns, ratios, spread
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

TABLE = "course_tasks"


def make(path, rows):
    """The table of schemas/course_tasks.json, with rows as an application leaves them."""
    with sqlite3.connect(path) as db:
        db.execute(f"create table {TABLE}(id integer primary key autoincrement, task_id integer not null, course_id"
                   " integer not null, ordering integer not null, created_at datetime, updated_at datetime,"
                   " deleted_at datetime, milestone_id integer)")
        db.execute(
            f"with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) insert into {TABLE}"
            " select i, i * 7919 % 100003, i % 400, i % 30, datetime(1700000000 + i * 61, 'unixepoch'),"
            " datetime(1700000000 + i * 61 + i * 7919 % 500000, 'unixepoch'), null, iif(i % 9 = 0, null, i % 2000)"
            " from n", [rows])


def with_duckdb(database, folder):
    return [pypi("duckdb") / "bin" / "python", PEERS / "duckdb_parquet.py", database, TABLE, folder]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    results = Results("plain")
    with Bqlocal(datasets=["d"], args=["--discard"]) as bq, tempfile.TemporaryDirectory() as folder, \
            Deployment(bq, program="bqsync_samples", schema="") as app:
        make(app.path, options.rows)
        app.sync(TABLE)
        size = app.path.stat().st_size
        command = [app.program, "sync", "--full", TABLE]
        sides = {"bqsync, whole first sync": lambda: cost_of(command, app.environment, app.folder)}
        try:
            sides["DuckDB 1.5.5, to Parquet"] = Peer(pathlib.Path(folder) / "duckdb", with_duckdb, app.path).run
        except Absent as reason:
            print(f"*** LEFT OUT: DuckDB: {reason} ***", file=sys.stderr, flush=True)
        turns = in_turns(sides, options.rounds)
    base = next(iter(turns.values()))
    results.table(
        "plain", ["tool", "x seconds", "x CPU", "seconds", "CPU s", "peak MiB"],
        [[name, ratios([cost.seconds for cost in costs], [cost.seconds for cost in base]).text(),
          ratios([cost.cpu for cost in costs], [cost.cpu for cost in base]).text(),
          spread(cost.seconds for cost in costs).text(), spread(cost.cpu for cost in costs).text(),
          f"{spread(cost.peak_mib for cost in costs).most:.0f}"] for name, costs in turns.items()],
        f"{options.rows:,} rows of eight small columns, {size / 1e6:.0f} MB on disk; {options.rounds} rounds in turns.")
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

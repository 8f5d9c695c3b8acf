"""22 changed tables when BigQuery takes 2 s for each job: changes that travel in their MERGE beside staged ones.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_changes [--rounds N] [--latency 2s]

Also the first sync of the 22 tables under the same latency. A table's changes are staged if they are more than 5,000
rows, so one row more is the whole difference between the last two lines; what bqlocal computes meanwhile stands beside
them, because BigQuery has more processors. Billed is what bqlocal bills.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import NamedTuple

from tests.bench.measure import Results, cpu_of, cpu_of_ended, ratios, spread
from tests.support import sampledb
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.sampledb_tables import TABLES

INLINE_ROWS = 5000
EVERY_TABLE = INLINE_ROWS + 1


def other_value(table, column, template):
    """SQL for a column of the n-th copy of a row: its value, or another one where two rows must differ."""
    if any(column.name in unique for unique in table.unique):
        return f"{template}.{column.name} || '-' || n.i" if "TEXT" in column.type else "1000000 + n.i"
    return f"{template}.{column.name}"


def fill(app):
    """The sample database, in which the small tables have copies of their first row as well."""
    sampledb.make(str(app.path), rows=50_000)
    with app.connect() as db:
        db.execute("begin")
        for table in TABLES:
            columns = [column for column in table.columns if column.name != "id"]
            db.execute(
                f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {EVERY_TABLE})"
                f" insert into {table.name}({', '.join(column.name for column in columns)})"
                f" select {', '.join(other_value(table, column, 'first') for column in columns)}"
                f" from n, (select * from {table.name} order by id limit 1) as first")
        db.execute("commit")


def change(app, rows):
    """So many rows of each table are updated."""
    with app.connect() as db:
        db.execute("begin")
        for table in TABLES:
            column = next(column.name for column in table.columns if column.name != "id")
            db.execute(f"update {table.name} set {column} = {column} where id in"
                       f" (select id from {table.name} order by id limit {rows})")
        db.execute("commit")


class Pass(NamedTuple):
    seconds: float
    cpu: float  # of bqsync, in seconds
    cpu_of_bqlocal: float
    requests: int
    sent: int  # bytes
    billed: int  # bytes


def sync(app, bq):
    bq.clear_requests()
    began, cpu, cpu_of_bqlocal = time.monotonic(), cpu_of_ended(), cpu_of(bq.pid)
    run = app.sync(BQ_RETRY_BUDGET="10m")  # bqlocal answers nobody while it computes a statement
    seconds, cpu, cpu_of_bqlocal = time.monotonic() - began, cpu_of_ended() - cpu, cpu_of(bq.pid) - cpu_of_bqlocal
    synced = [table for table in run["tables"] if table["status"] == "synced"]
    if len(synced) != len(TABLES):
        sys.exit(f"{len(synced)} tables were synced, not {len(TABLES)}")
    return Pass(seconds, cpu, cpu_of_bqlocal, len(bq.requests()), sum(table["bytes_sent"] for table in synced),
                sum(table["bytes_billed"] for table in synced))


def measure(cases, rounds, latency):
    """The passes of each case, round by round; each round has a database of its own."""
    passes = {"first sync": [], **{case: [] for case in cases}}
    for number in range(rounds):
        with Bqlocal(datasets=["d"], latency=latency) as bq, \
                Deployment(bq, program="bqsync_samples", schema="") as app:
            fill(app)
            passes["first sync"].append(sync(app, bq))
            for case in list(cases)[:: 1 if number % 2 == 0 else -1]:
                change(app, cases[case])
                passes[case].append(sync(app, bq))
    return passes


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--latency", default="2s")
    options = parser.parse_args()
    results = Results("changes")
    staged = f"{INLINE_ROWS + 1:,} rows each, staged"
    cases = {**{f"{rows:,} rows each": rows for rows in (10, 1000, INLINE_ROWS)}, staged: INLINE_ROWS + 1}
    passes = measure(cases, options.rounds, options.latency)
    rows = []
    for case, turns in passes.items():
        ratio = ratios([turn.seconds for turn in turns], [turn.seconds for turn in passes[staged]])
        middle = Pass(*(spread(values).median for values in zip(*turns)))
        rows.append([case, spread(turn.seconds for turn in turns).text(), ratio.text(), f"{middle.cpu:.2f}",
                     f"{middle.cpu_of_bqlocal:.2f}", f"{middle.requests:.0f}", f"{middle.sent / 1e6:.2f}",
                     f"{middle.billed / 2**20:.0f}"])
    results.table("changes", ["22 tables", "seconds", "x staged", "CPU s", "CPU s of bqlocal", "requests", "MB sent",
                              "MiB billed"],
                  rows, f"{options.latency} per job; {options.rounds} rounds, median (least to most).")
    results.chart("changes", f"One pass over 22 tables, {options.latency} per job", "s",
                  {case: spread(turn.seconds for turn in turns) for case, turns in passes.items()})
    results.save()


if __name__ == "__main__":
    main()

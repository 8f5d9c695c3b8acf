"""What an incremental sync costs when few rows of a large table changed, and what an idle one costs.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_incremental [--rows 2000000] [--changes 100] [--rounds 7]

A table with an INTEGER PRIMARY KEY is filled and synced once; then, round by round, rows all over it are updated,
deleted and inserted, and one sync runs against bqlocal. Local work is the processor time of bqsync itself
(user and system): what BigQuery, or here bqlocal, takes is not counted. Beside it the time that the whole command
takes, and what bqlocal bills.
"""

import argparse
import os
import random
import time
from typing import NamedTuple

from tests.bench.measure import Results, cpu_of_ended, spread
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

CHUNK = 100_000


def fill(app, rows):
    with app.connect() as db:
        for first in range(1, rows + 1, CHUNK):
            last = min(first + CHUNK, rows + 1)
            db.execute("begin")
            db.executemany("insert into accounts values (?, ?, ?, ?)",
                           ((i, f"person{i}@example.org", i / 4, f"note {i} " + "x" * 40) for i in range(first, last)))
            db.execute("commit")
        db.execute("pragma wal_checkpoint(truncate)")


def change(app, rng, rows, changes):
    """A mixture, spread over the whole table: six updates to three inserts to one delete."""
    with app.connect() as db:
        db.execute("begin")
        for number in range(changes):
            key = rng.randrange(1, rows)
            if number % 10 < 6:
                db.execute("update accounts set note = ? where id = ?", (f"changed {rng.random()}", key))
            elif number % 10 < 9:
                db.execute("insert into accounts(email, balance) values (?, 1)", (f"new{rng.random()}@example.org",))
            else:
                db.execute("delete from accounts where id = ?", (key,))
        db.execute("commit")


class Pass(NamedTuple):
    cpu: float  # of bqsync, in milliseconds
    took: float  # milliseconds
    sent: int  # bytes
    billed: int  # bytes


def spent(app):
    """One sync of the table."""
    cpu, began = cpu_of_ended(), time.perf_counter()
    table = app.sync("accounts")["tables"][0]
    took = time.perf_counter() - began
    return Pass((cpu_of_ended() - cpu) * 1000, took * 1000, table["bytes_sent"], table["bytes_billed"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(1)
    results = Results("incremental")
    passes = {}
    with Bqlocal(datasets=["d"], args=["--discard"]) as bq, Deployment(bq) as app:
        fill(app, options.rows)
        passes["first sync"] = [spent(app)]
        size = os.path.getsize(app.path)
        for title, changes in ((f"{options.changes} changed rows", options.changes), ("nothing changed", 0)):
            passes[title] = []
            for _ in range(options.rounds):
                change(app, rng, options.rows, changes)
                passes[title].append(spent(app))
    rows = []
    for title, turns in passes.items():
        cpu, took, sent, billed = (spread(values) for values in zip(*turns))
        rows.append([title, cpu.text("{:.1f}"), took.text("{:.0f}"), f"{sent.median:,.0f}",
                     f"{billed.median / 2**20:.0f}"])
    results.table("incremental", ["pass", "CPU ms", "ms", "bytes sent", "MiB billed"], rows,
                  f"{options.rows:,} rows, {size / 1e6:.0f} MB; {options.rounds} rounds, median (least to most).")
    results.chart("incremental", f"Processor time of one pass over {options.rows:,} rows", "ms",
                  {title: spread(turn.cpu for turn in turns) for title, turns in passes.items()}, logarithmic=True)
    results.save()


if __name__ == "__main__":
    main()

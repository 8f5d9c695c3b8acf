"""What an incremental sync costs when few rows of a large table changed, and what an idle one costs.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_incremental [--rows 2000000] [--changes 100] [--rounds 7]

A table with an INTEGER PRIMARY KEY is filled and synced once; then, round by round, rows all over it are updated,
deleted and inserted, and one sync runs against bqlocal. Local work is the processor time of bqsync itself
(user and system): what BigQuery, or here bqlocal, takes is not counted. Beside it the time that the whole command
takes.
"""

import argparse
import os
import random
import resource
import statistics
import time

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


def spent(app):
    """One sync of the table: milliseconds of processor time, of time, and the run's document."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run = app.sync("accounts")
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return processor * 1000, took * 1000, run


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(1)
    with Bqlocal(datasets=["d"], args=["--discard"]) as bq, Deployment(bq) as app:
        fill(app, options.rows)
        _, took, _ = spent(app)
        print(f"{options.rows:,} rows, {os.path.getsize(app.path) / 1e6:.0f} MB; first sync {took / 1000:.1f} s")
        for title, changes in ((f"{options.changes} changed rows", options.changes), ("nothing changed", 0)):
            rounds = []
            for _ in range(options.rounds):
                change(app, rng, options.rows, changes)
                rounds.append(spent(app))
            processor, took = (statistics.median(round[i] for round in rounds) for i in (0, 1))
            sent = rounds[-1][2]["tables"][0]["bytes_sent"]
            print(f"{title:20} local work {processor:6.1f} ms   whole command {took:6.1f} ms   {sent} bytes sent")


if __name__ == "__main__":
    main()

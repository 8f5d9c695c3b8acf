"""`bqsync verify` of a large table against bqlocal: time, and what either side computes.

    python3 -m tests.bench.bench_verify [--rows N]

The table is `everything` of tests/schemas, with a value of every type in each row.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

INSERT = "insert into everything(id, i, f, b, s, y, n, bn, d, t, dt, ts, j, g) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"


def row(number):
    return (number, number * 7919, number / 7, number % 2, f"a text of ordinary length, number {number}",
            b"bytes %d" % number, f"{number}.25", f"{number}.5", "2024-02-29", "12:30:00", "2024-02-29 01:02:03",
            "2024-02-29 01:02:03.000004", '{"b": %d, "a": [1, 2.5, null]}' % number, "POINT(1 2)")


def cpu_of(pid):
    """Seconds that a running process has computed."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return sum(map(int, file.read().rsplit(") ", 1)[1].split()[11:13])) / 100


def cpu_of_ended():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1000000)
    arguments = parser.parse_args()

    with Bqlocal(datasets=["d"]) as bq, Deployment(bq) as app:
        with app.connect() as db:
            db.execute("begin")
            db.executemany(INSERT, map(row, range(arguments.rows)))
            db.execute("commit")
        app.sync("everything")
        server, client, began = cpu_of(bq.pid), cpu_of_ended(), time.monotonic()
        app.json("verify", "everything")
        seconds = time.monotonic() - began
        print(f"verify of {arguments.rows} rows: {seconds:.1f} s; computed by bqlocal {cpu_of(bq.pid) - server:.1f} s, "
              f"by bqsync {cpu_of_ended() - client:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Follow mode: how long after its commit a row is visible in BigQuery, at ten commits a second.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_follow [--seconds N] [--follow 1s] [--latency 1s]

An application inserts a row a commit into a table that is synced already, while `bqsync serve` follows it into a
bqlocal whose jobs take --latency. A row is visible when the table's numRows in BigQuery counts it, which is asked 50
times a second. Then the application rests, and the requests of the service are counted.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

from tests.bench.measure import Results, cpu_of, spread
from tests.e2e.serving import Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

COMMITS_A_SECOND = 10
LOOK_SECONDS = 0.02
QUIET_SECONDS = 10
VISIBLE_SECONDS = 120  # until the last row has to be visible


def commit(app, count, committed):
    """Inserts so many rows, each in a commit of its own; the time after each."""
    began = time.monotonic()
    with app.connect() as db:
        for number in range(count):
            time.sleep(max(0, began + number / COMMITS_A_SECOND - time.monotonic()))
            db.execute("insert into accounts(email) values (?)", (f"person{number}@example.org",))
            committed.append(time.monotonic())


def watch(bq, before, count):
    """When each of the rows became visible."""
    visible = []
    end = time.monotonic() + count / COMMITS_A_SECOND + VISIBLE_SECONDS
    while len(visible) < count:
        there = int(bq.table("d", "accounts")["numRows"]) - before
        now = time.monotonic()
        if now > end:
            sys.exit(f"{count - there} rows are still not visible")
        visible += [now] * (there - len(visible))
        time.sleep(LOOK_SECONDS)
    return visible


def quantile(ordered, share):
    """The least value that at least this share does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--follow", default="1s")
    parser.add_argument("--latency", default="1s")
    options = parser.parse_args()
    results = Results("follow")
    count = options.seconds * COMMITS_A_SECOND
    with Bqlocal(datasets=["d"], latency=options.latency) as bq, Deployment(bq) as app:
        app.execute("insert into accounts(email) values ('somebody@example.org')")
        with Service(app, BQ_SYNC_FOLLOW=options.follow) as service:
            service.wait_idle(1)
            jobs = len(bq.get("jobs?maxResults=10000")["jobs"])
            cpu = cpu_of(service.process.pid)
            committed = []
            writer = threading.Thread(target=commit, args=(app, count, committed))
            writer.start()
            visible = watch(bq, 1, count)
            writer.join()
            cpu = cpu_of(service.process.pid) - cpu
            jobs = len(bq.get("jobs?maxResults=10000")["jobs"]) - jobs
            service.wait_idle(1)
            bq.clear_requests()
            time.sleep(QUIET_SECONDS)
            idle_requests = len(bq.requests())
    ages = sorted(seen - done for seen, done in zip(visible, committed))
    quantiles = {"p50": quantile(ages, 0.50), "p95": quantile(ages, 0.95), "p99": quantile(ages, 0.99), "most": ages[-1]}
    results.table(
        "follow", ["commits", *quantiles, "jobs", "CPU s", f"requests in {QUIET_SECONDS} quiet s"],
        [[f"{count:,}", *(f"{age:.2f} s" for age in quantiles.values()), jobs, f"{cpu:.2f}", idle_requests]],
        f"BQ_SYNC_FOLLOW={options.follow}, {options.latency} per job, {COMMITS_A_SECOND} commits a second.")
    results.chart("follow", f"From commit to visible, {COMMITS_A_SECOND} commits a second", "s",
                  {name: spread([age]) for name, age in quantiles.items()})
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

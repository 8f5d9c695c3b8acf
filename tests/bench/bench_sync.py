"""A whole first sync of a large table: time next to only reading it, and peak memory.

    python3 -m tests.bench.bench_sync [--rows N] [--rounds N] [--database FILE]

Compares, in interleaved rounds of one run: `bqsync sync chat_history` into `bqlocal --discard` (which takes the
upload and forgets it), Python that only fetches the same rows, and what people use today: Python's sqlite3, json
and gzip. Prints medians, ratios and the peak resident memory of bqsync.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from tests.support import sampledb
from tests.support.bqlocal import Bqlocal

BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()


def timed(action):
    began = time.monotonic()
    result = action()
    return time.monotonic() - began, result


def peak_rss(pid):
    """The high-water mark of the process so far, in MiB. (What wait4 says counts the memory of the process that
    it was forked from as well.)"""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0.0


def run_sync(bq, database):
    """One first sync; returns peak RSS in MiB and the table's result."""
    db = sqlite3.connect(database)
    if db.execute("select 1 from sqlite_master where name = 'bq_sync_tracking'").fetchone():
        db.execute("delete from bq_sync_tracking")
        db.commit()
    db.close()
    environment = {**os.environ, "BIGQUERY_EMULATOR_HOST": bq.host, "BQ_PROJECT_NAME": bq.project,
                   "BQ_DATASET_NAME": "d", "BQ_SQLITE_PATH": str(database), "BQ_LOG_LEVEL": "error"}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [BUILD / "bqsync_samples", "sync", "--json", "chat_history"], env=environment, stdout=out)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_rss(process.pid))
            time.sleep(0.005)
        if process.returncode != 0:
            sys.exit(f"bqsync ended with {process.returncode}")
        out.seek(0)
        table = json.load(out)["tables"][0]
    return peak, table


def fetch_all(database):
    db = sqlite3.connect(database)
    count = sum(1 for _ in db.execute("select * from chat_history"))
    db.close()
    return count


def json_gzip(database, path):
    db = sqlite3.connect(database)
    cursor = db.execute("select * from chat_history")
    names = [column[0] for column in cursor.description]
    with gzip.open(path, "wb", compresslevel=6) as out:
        for row in cursor:
            out.write(json.dumps(dict(zip(names, row))).encode() + b"\n")
    db.close()
    return path.stat().st_size


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=300000, help="of all 22 tables; five sixths are chat_history")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", type=pathlib.Path)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="bqsync-bench-") as folder:
        database = arguments.database
        if database is None:
            database = pathlib.Path(folder) / "bench.db"
            sampledb.make(str(database), rows=arguments.rows)
        size = database.stat().st_size
        times: dict[str, list[float]] = {"bqsync": [], "python fetch": [], "python json gzip": []}
        peak = 0.0
        with Bqlocal(datasets=["d"], args=["--discard"]) as bq:
            for _ in range(arguments.rounds):
                seconds, (rss, table) = timed(lambda: run_sync(bq, database))
                times["bqsync"].append(seconds)
                peak = max(peak, rss)
                seconds, rows = timed(lambda: fetch_all(database))
                times["python fetch"].append(seconds)
            seconds, packed = timed(lambda: json_gzip(database, pathlib.Path(folder) / "rows.json.gz"))
            times["python json gzip"].append(seconds)

        floor = statistics.median(times["bqsync"])
        print(f"database {size / 1e6:.0f} MB, chat_history {rows} rows, sent {table['bytes_sent'] / 1e6:.0f} MB "
              f"(json gzip {packed / 1e6:.0f} MB)")
        for name, seconds in times.items():
            median = statistics.median(seconds)
            print(f"{name:18} {median:8.2f} s   {median / floor:6.2f} x bqsync")
        print(f"peak RSS of bqsync {peak:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

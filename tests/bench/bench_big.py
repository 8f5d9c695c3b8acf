"""A table of ten million small rows: the first sync, verify, and verify --repair of two kinds of damage.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_big [--rows N]

The table is that of bench_plain. bqlocal keeps the rows, and a verify that reads all of them back keeps them, too, for a
while: together some GB where TMPDIR says, which should be a disk.
After each repair, the number of rows and the sum of each column of integers are compared on both sides.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench.bench_plain import TABLE, make
from tests.bench.bench_verify import Run
from tests.bench.measure import Results, spread
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

FEW = 100
# Rows that are changed, gone, and there though SQLite has none.
A_FEW_ROWS = (f"update d.{TABLE} set ordering = ordering + 1 where id <= {FEW}",
              f"delete from d.{TABLE} where id > {FEW} and id <= {2 * FEW}",
              f"insert into d.{TABLE}(id, task_id, course_id, ordering) select id + 1000000000, 1, 1, 1 from d.{TABLE}"
              f" where id <= {3 * FEW}")
A_THIRD = (f"update d.{TABLE} set updated_at = null where mod(id, 3) = 0",)
SUMS = ", ".join(["count(*) as n", *(f"sum({column}) as {column}_sum" for column in (
    "id", "task_id", "course_id", "ordering", "milestone_id"))])


def check_sums(app, bq):
    here, = app.execute(f"select {SUMS} from {TABLE}")
    there = tuple(bq.query(f"select {SUMS} from d.{TABLE}")[0].values())
    if here != there:
        sys.exit(f"BigQuery is not what SQLite is: {here} in SQLite, {there} in BigQuery")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    results = Results("big")
    runs = {}
    # bqlocal answers nobody while it stores a load of this size.
    with Bqlocal(datasets=["d"]) as bq, \
            Deployment(bq, "bqsync_samples", schema="", environment={"BQ_RETRY_BUDGET": "10m"}) as app:
        make(app.path, options.rows)
        size = app.path.stat().st_size

        def repaired(damage):
            for statement in damage:
                bq.query(statement)
            run = Run(app, bq, ["verify", "--repair", TABLE])
            check_sums(app, bq)
            return run

        runs["first sync"] = Run(app, bq, ["sync", TABLE])
        runs["verify, equal"] = Run(app, bq, ["verify", TABLE])
        runs[f"verify --repair, {5 * FEW} rows differ"] = repaired(A_FEW_ROWS)
        runs["verify --repair, a third of the rows differs"] = repaired(A_THIRD)
        runs["verify, equal again"] = Run(app, bq, ["verify", TABLE])
    results.table(
        "big", ["run", "seconds", "CPU s", "CPU s of bqlocal", "peak MiB"],
        [[name, f"{run.cost.seconds:.1f}", f"{run.cost.cpu:.1f}", f"{run.cpu_of_bqlocal:.1f}",
          f"{run.cost.peak_mib:.1f}"] for name, run in runs.items()],
        f"{options.rows:,} rows of eight columns, {size / 1e6:,.0f} MB on disk; one round.")
    results.chart("memory", f"Peak resident memory, {options.rows:,} rows", "MiB",
                  {name: spread([run.cost.peak_mib]) for name, run in runs.items()})
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`bqsync verify` of a large table against bqlocal: equal, and with ten rows that differ.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_verify [--rows N] [--rounds N]

The table is `everything` of tests/schemas, with a value of every type in each row. If the sides differ, the table is
read a second time to find the keys.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench.measure import Results, cost_of, cpu_of, in_turns, ratios, spread
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

DIFFERING = 10
INSERT = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
insert into everything(id, i, f, b, s, y, n, bn, d, t, dt, ts, j, g)
select i, i * 7919, i / 7.0, i % 2, 'a text of ordinary length, number ' || i, cast('bytes ' || i as blob),
 i || '.25', i || '.5', '2024-02-29', '12:30:00', '2024-02-29 01:02:03', '2024-02-29 01:02:03.000004',
 '{{"b": ' || i || ', "a": [1, 2.5, null]}}', 'POINT(1 2)'
from n
"""


class Run:
    """One run of bqsync: what it cost, and what bqlocal computed for it."""

    def __init__(self, app, bq, arguments, status=0):
        cpu = cpu_of(bq.pid)
        self.cost = cost_of([app.program, *arguments], app.environment, app.folder, status)
        self.cpu_of_bqlocal = cpu_of(bq.pid) - cpu


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    results = Results("verify")
    # bqlocal answers nobody while it stores a load of this size.
    with Bqlocal(datasets=["d"]) as bq, Deployment(bq, environment={"BQ_RETRY_BUDGET": "10m"}) as app:
        app.execute(INSERT.format(rows=options.rows))
        cost_of([app.program, "sync", "everything"], app.environment, app.folder)

        def verification(article, status):
            bq.query(f"update d.everything set s = concat('{article} text of ordinary length, number ', cast(id as string))"
                     f" where id <= {DIFFERING}")
            return Run(app, bq, ["verify", "everything"], status)

        turns = in_turns({"equal": lambda: verification("a", 0),
                          f"{DIFFERING} rows differ": lambda: verification("the", 1)}, options.rounds)
    rows = []
    for name, runs in turns.items():
        costs = [run.cost for run in runs]
        middle = spread(cost.seconds for cost in costs).median
        rows.append([name, spread(cost.seconds for cost in costs).text("{:.1f}"),
                     ratios([cost.seconds for cost in costs], [run.cost.seconds for run in turns["equal"]]).text(),
                     f"{options.rows / middle / 1e6:.2f}", f"{spread(cost.cpu for cost in costs).median:.1f}",
                     f"{spread(run.cpu_of_bqlocal for run in runs).median:.1f}",
                     f"{spread(cost.peak_mib for cost in costs).most:.0f}"])
    results.table("verify", ["verify", "seconds", "x equal", "M rows/s", "CPU s", "CPU s of bqlocal", "peak MiB"], rows,
                  f"{options.rows:,} rows with a value of every type.")
    results.chart("verify", f"Verify of {options.rows:,} rows", "s",
                  {name: spread(run.cost.seconds for run in runs) for name, runs in turns.items()})
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

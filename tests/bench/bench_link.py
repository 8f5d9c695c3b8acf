"""What packing costs and saves by the link: a first sync over links of several speeds, with zstd and with DEFLATE.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_link [--rows N] [--rounds N]

`bqsync sync --full chat_history` into `bqlocal --discard`, through a relay that carries so many bits a second towards it.
Where bqlocal refuses zstd, bqsync packs with DEFLATE. Both have sent the table once before, so they know the link. The
messages of chat.py repeat whole sentences, those of encode_cost.c are random words.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys

from tests.bench import chat
from tests.bench.measure import BUILD, Results, cost_of, in_turns, ratios, spread
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.slow_link import SlowLink

LOOPBACK = None  # as it is
LINKS = ((10, "sentences"), (50, "sentences"), (50, "words"), (200, "sentences"), (LOOPBACK, "sentences"),
         (LOOPBACK, "words"))
SIDES = {"zstd": [], "DEFLATE": ["--avro-codecs", "deflate,null"]}


def make_words(path, rows):
    path.unlink()  # the program makes a table in a file that is not there
    subprocess.run([BUILD / "encode_cost", "--rows", str(rows), "--rounds", "1", path], check=True, capture_output=True)


MESSAGES = {"sentences": chat.make, "words": make_words}


def last_run(app):
    (document,), = app.execute("select document from bq_sync_runs order by number desc limit 1")
    return json.loads(document)


def measure(rows, rounds, mbit, messages):
    """Of one link: side by side, what it cost and what was reported."""
    with contextlib.ExitStack() as stack:
        apps = {}
        for side, args in SIDES.items():
            bq = stack.enter_context(Bqlocal(datasets=["d"], args=["--discard", *args]))
            host = bq.host if mbit is LOOPBACK else stack.enter_context(SlowLink(bq.port, mbit * 1e6)).host
            apps[side] = stack.enter_context(Deployment(
                bq, program="bqsync_samples", schema="", environment={"BIGQUERY_EMULATOR_HOST": host}))
            MESSAGES[messages](apps[side].path, rows)
            apps[side].sync("chat_history")

        def one(app):
            cost = cost_of([app.program, "sync", "--full", "chat_history"], app.environment, app.folder)
            return cost, last_run(app)

        return in_turns({side: lambda app=app: one(app) for side, app in apps.items()}, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results = Results("link")
    lines, charted = [], {}
    for mbit, messages in LINKS:
        name = f"{'loopback' if mbit is LOOPBACK else f'{mbit} Mbit/s'}, {messages}"
        turns = measure(options.rows, options.rounds, mbit, messages)
        base = [cost.seconds for cost, _ in turns["DEFLATE"]]
        deflated = turns["DEFLATE"][-1][1]["tables"][0]["bytes_sent"]
        for side, runs in turns.items():
            costs = [cost for cost, _ in runs]
            table = runs[-1][1]["tables"][0]
            slower = ratios([cost.seconds for cost in costs], base)
            lines.append([f"{name}, {side}", table["codec"], spread(cost.seconds for cost in costs).text(), slower.text(),
                          f"{table['bytes_sent'] / 1e6:.1f}", f"{table['bytes_sent'] / deflated:.2f}",
                          spread(cost.cpu for cost in costs).text(), f"{max(cost.peak_mib for cost in costs):.1f}"])
        charted[name] = ratios([cost.seconds for cost, _ in turns["zstd"]], base)
    results.table("link", ["link, messages, side", "codec", "seconds", "x DEFLATE", "MB sent", "x bytes", "CPU s", "peak MiB"], lines,
                  f"{options.rows:,} rows; {options.rounds} rounds, median (least to most).")
    results.chart("link", "A first sync with zstd allowed; with DEFLATE alone = 1", "x", charted)
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

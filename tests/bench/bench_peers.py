"""What people use instead, on the same rows: a table read, encoded and compressed by each tool.

    BQSYNC_BUILD=build python3 -m tests.bench.bench_peers [--rows N] [--rounds N]

bqsync does a whole first sync: it reads, checks each value, encodes, compresses and uploads to `bqlocal --discard`.
The others check nothing and write files, gzipped JSON lines unless the table says otherwise. Packages come from PyPI
and npm, in the versions that tests/bench/peers pins, and are installed once into ~/.cache/bqsync-conformance (or
$BQSYNC_CONFORMANCE_CACHE). A tool that cannot be had is left out, with the reason.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sys
import tempfile

from tests.bench import chat
from tests.bench.measure import Results, cost_of, in_turns, ratios, spread
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
PYTHON = [sys.executable, PEERS / "python_files.py"]


class Absent(Exception):
    """A tool cannot be had here; says why."""


def refuse(reason):
    raise Absent(reason)


def pypi(name):
    """The folder of a virtual environment with the packages of peers/NAME.txt."""
    return foreign.installed(
        f"bench-{name}", [PEERS / f"{name}.txt"],
        ["sh", "-c", f"python3 -m venv venv && venv/bin/pip install --quiet --requirement {name}.txt"], refuse) / "venv"


def program(name, package):
    return shutil.which(name) or refuse(f"there is no {name} (Debian: apt-get install {package})")


def with_node(database, folder):
    node = program("node", "nodejs")
    # With headers of Node on the machine nothing is downloaded to compile against.
    headers = pathlib.Path(node).resolve().parent.parent
    flags = f"--nodedir={headers}" if (headers / "include" / "node").is_dir() else ""
    home = foreign.installed(
        "bench-node", [PEERS / "package.json", PEERS / "package-lock.json"],
        ["sh", "-c", f"npm ci --no-audit --no-fund --loglevel=error {flags}"], refuse)
    shutil.copy(PEERS / "better_sqlite3.cjs", home)  # Node looks for packages beside the file
    return [node, home / "better_sqlite3.cjs", database, folder]


def with_sqlite(database, folder):
    return ["sh", "-c", f"{program('sqlite3', 'sqlite3')} -json '{database}' 'select * from chat_history'"
                        f" | gzip -6 > '{folder}/rows.json.gz'"]


def with_sling(database, folder):
    found = list(pypi("sling").glob("lib/*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
    if not found:
        raise Absent("the package sling-linux-amd64 holds no program for this machine")
    return ["env", "SLING_DISABLE_TELEMETRY=true", found[0], "run", "--src-conn", f"sqlite://{database}", "--src-stream",
            "main.chat_history", "--tgt-object", f"file://{folder}/rows.jsonl.gz", "--tgt-options",
            "{format: jsonlines, compression: gzip}"]


def with_ingestr(database, folder):
    return ["env", "INGESTR_DISABLE_TELEMETRY=true", pypi("ingestr") / "bin" / "ingestr", "ingest", "--yes", "--progress",
            "log", "--source-uri", f"sqlite:///{database}", "--source-table", "chat_history", "--dest-uri",
            f"csv://{folder}/rows.csv", "--dest-table", "main.rows"]


TOOLS = {
    "Python sqlite3, fetched only": lambda database, folder: [*PYTHON, database],
    "Python sqlite3 + json + gzip": lambda database, folder: [*PYTHON, database, folder],
    "sqlite3 -json | gzip": with_sqlite,
    "Node better-sqlite3 12.2 + zlib": with_node,
    "DuckDB 1.5.5, sqlite_scan": lambda database, folder: [
        pypi("duckdb") / "bin" / "python", PEERS / "duckdb_files.py", database, folder],
    "dlt 1.31, to files": lambda database, folder: [
        pypi("dlt") / "bin" / "python", PEERS / "dlt_files.py", database, folder],
    "Sling 1.4.11": with_sling,
    "ingestr 0.15.9, CSV, not compressed": with_ingestr,
}


def written(folder):
    """Bytes of the rows that a tool left in its folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "work" not in path.parts)


class Peer:
    """A tool, with a folder of its own; each run starts with an empty one."""

    def __init__(self, folder, make_command, database):
        self.folder = folder
        self.command = make_command(database, folder)
        self.bytes = 0

    def run(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        cost = cost_of(self.command, cwd=self.folder)
        self.bytes = written(self.folder)
        return cost


def peers(database, folder):
    """The tools that can be had, and what to say about the others."""
    there, absent = {}, []
    for number, (name, make_command) in enumerate(TOOLS.items()):
        try:
            there[name] = Peer(folder / str(number), make_command, database)
        except Absent as reason:
            print(f"*** LEFT OUT: {name}: {reason} ***", file=sys.stderr, flush=True)
            absent.append(f"{name.split(',')[0]} was left out: it could not be installed.")
    return there, absent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results = Results("peers")
    with Bqlocal(datasets=["d"], args=["--discard"]) as bq, tempfile.TemporaryDirectory() as folder, \
            Deployment(bq, program="bqsync_samples", schema="") as app:
        chat.make(app.path, options.rows)
        there, absent = peers(app.path, pathlib.Path(folder))
        sent = {"bqsync, whole first sync": app.table(app.sync("chat_history"), "chat_history")["bytes_sent"]}
        command = [app.program, "sync", "--full", "chat_history"]
        sides = {"bqsync, whole first sync": lambda: cost_of(command, app.environment, app.folder)}
        turns = in_turns({**sides, **{name: peer.run for name, peer in there.items()}}, options.rounds)
        sent.update((name, peer.bytes) for name, peer in there.items())
        size = app.path.stat().st_size
    base = next(iter(turns.values()))
    rows = []
    for name, costs in turns.items():
        rows.append([name, ratios([cost.seconds for cost in costs], [cost.seconds for cost in base]).text("{:.1f}"),
                     ratios([cost.cpu for cost in costs], [cost.cpu for cost in base]).text("{:.1f}"),
                     spread(cost.seconds for cost in costs).text("{:.1f}"),
                     f"{spread(cost.peak_mib for cost in costs).most:.0f}", f"{sent[name] / 1e6:.0f}"])
    results.table("peers", ["tool", "x seconds", "x CPU", "seconds", "peak MiB", "MB out"], rows,
                  " ".join([f"{options.rows:,} rows, {size / 1e6:.0f} MB on disk; {options.rounds} rounds in turns.",
                            *absent]))
    results.chart("peers", "Time for the same rows, bqsync = 1", "x", {
        name: ratios([cost.seconds for cost in costs], [cost.seconds for cost in base])
        for name, costs in turns.items()}, logarithmic=True)
    results.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the demo did, as one short table, and what to look at: python3 -m tests.support.demo_report FOLDER URL."""

from __future__ import annotations

import json
import pathlib
import sys
import urllib.request
from typing import Any

QUERIES = (
    "SELECT role, COUNT(*) AS messages FROM learning.chat_history GROUP BY role ORDER BY role",
    "SELECT id, first_name, created_at FROM learning.users WHERE first_name LIKE 'Zo%' ORDER BY id DESC LIMIT 3",
)


def load(folder: pathlib.Path, name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return result


def by_table(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {table["table"]: table for table in run["tables"]}


def print_table(folder: pathlib.Path) -> None:
    first, second = load(folder, "first.json"), load(folder, "second.json")
    verified = by_table(load(folder, "verify.json"))
    later = by_table(second)
    print()
    print(f"{'':24}{'first sync':>10}   {'incremental sync':^38}{'verify':>9}")
    print(f"{'table':24}{'rows':>10}   {'mode':10}{'inserted':>10}{'updated':>9}{'deleted':>9}{'equal':>9}")
    for name, table in by_table(first).items():
        after = later[name]
        counts = [after["rows_inserted"], after["rows_updated"], after["rows_deleted"]]
        mode = after["mode"] if after["status"] == "synced" else "-"
        shown = "".join(f"{count or '-':>{width}}" for count, width in zip(counts, (10, 9, 9)))
        equal = "yes" if verified[name]["equal"] else "NO"
        print(f"{name:24}{table['rows_inserted']:>10}   {mode:10}{shown}{equal:>9}")
    rows = sum(table["rows_inserted"] for table in first["tables"])
    sent = sum(table["bytes_sent"] for table in first["tables"])
    sent_later = sum(table["bytes_sent"] for table in second["tables"])
    print()
    print(f"first sync:       {rows} rows, {sent / 1e6:.1f} MB sent, {first['duration_ms']} ms")
    print(f"incremental sync: {sent_later / 1e3:.1f} kB sent, {second['duration_ms']} ms")
    print(f"outside check:    {(folder / 'mirror.txt').read_text('utf-8').splitlines()[-1]}")


def query(url: str, text: str, project: str = "demo") -> list[list[str | None]]:
    body = json.dumps({"query": text, "useLegacySql": False, "formatOptions": {"timestampOutputFormat": "ISO8601_STRING"}}).encode()
    request = urllib.request.Request(
        f"{url}/bigquery/v2/projects/{project}/queries", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [[cell["v"] for cell in row["f"]] for row in json.load(answer).get("rows", [])]


def main(arguments: list[str]) -> int:
    folder, url = pathlib.Path(arguments[0]), arguments[1]
    print_table(folder)
    print()
    print("In BigQuery's SQL:")
    for text in QUERIES:
        print(f"  {text}")
        for row in query(url, text):
            print("    " + "  ".join("NULL" if cell is None else cell for cell in row))
    print()
    # Without --keep, these are addresses of a bqlocal that ends with the demo.
    kept = len(arguments) > 2 and arguments[2] != ""
    print("To look around:" if kept else "To look around, with ./dev demo --keep, which leaves bqlocal running:")
    print(f"  {url}/                                                    tables, rows and a query box, for a browser")
    print(f"  {url}/bigquery/v2/projects/demo/datasets/learning/tables  the same as BigQuery answers it")
    print(f"  {url}/bqlocal/requests                                    every request that was made")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

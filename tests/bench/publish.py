"""Puts the results of benchmarks and of the soak into the pages that show them: tables between marks, and charts.

    python3 -m tests.bench.publish [--take FOLDER]

The published results are docs/figures/NAME.json. With --take, those of a folder (build/bench) take their place first.
The charts are docs/figures/NAME-CHART.svg. A table goes between `<!-- table NAME-TABLE -->` and `<!-- end -->`, and
where and when it was measured between `<!-- measured NAME -->` and `<!-- end -->`. The same results give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import shutil
import sys

from tests.bench import svg

DOCS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs"
PAGES = ("performance.md", "testing.md")
MARK = re.compile(r"(<!-- (table|measured) (\S+) -->\n).*?(<!-- end -->)", re.S)


def table_text(table: dict) -> str:
    lines = [table["columns"], ["---"] + ["---:"] * (len(table["columns"]) - 1), *table["rows"]]
    text = "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
    return text + (f"\n{table['note']}\n" if table["note"] else "")


def measured_text(document: dict) -> str:
    return (f"Measured on {document['date']}: {document['machine']}; load average {document['load_before']} before, "
            f"{document['load_after']} after.\n")


def page(name: str, text: str, results: dict[str, dict]) -> str:
    """The text of the page of that name with the results between its marks."""
    tables = {f"{name}-{table}": content for name, document in results.items()
              for table, content in document["tables"].items()}

    def filled(match: re.Match) -> str:
        kind, wanted = match[2], match[3]
        found = tables if kind == "table" else results
        if wanted not in found:
            raise SystemExit(f"docs/{name} wants {kind} {wanted}, and docs/figures has no such results")
        return match[1] + (table_text(tables[wanted]) if kind == "table" else measured_text(results[wanted])) + match[4]

    return MARK.sub(filled, text)


def chart_text(content: dict) -> str:
    if "lines" in content:
        return svg.lines(content["title"], content["unit"], content["along"], content["lines"])
    return svg.bars(content["title"], content["unit"], content["bars"], content["logarithmic"])


def charts(results: dict[str, dict]) -> dict[str, str]:
    """File names and their content."""
    return {f"{name}-{chart}.svg": chart_text(content)
            for name, document in results.items() for chart, content in document["charts"].items()}


def published(docs: pathlib.Path = DOCS) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((docs / "figures").glob("*.json"))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--take", type=pathlib.Path, help="a folder of new results")
    arguments = parser.parse_args()
    if arguments.take is not None:
        for path in sorted(arguments.take.glob("*.json")):
            shutil.copy(path, DOCS / "figures")
            print(f"docs/figures/{path.name}")
    results = published()
    for name, content in charts(results).items():
        (DOCS / "figures" / name).write_text(content, "utf-8")
    for name in PAGES:
        target = DOCS / name
        target.write_text(page(name, target.read_text("utf-8"), results), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

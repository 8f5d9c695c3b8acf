"""What README shows of ./dev demo is what the demo prints. Only the times are those of one machine."""

import contextlib
import io
import json
import pathlib
import re
import unittest

from tests.support import demo_report, sampledb, sampledb_change
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

README = pathlib.Path(__file__).resolve().parent.parent.parent / "README.md"
ROWS = 50_000
# How hard files are packed depends on the library and on what packing costs there.
NEAR = 0.3


def shown():
    """The lines of the demo's block: tables, sums."""
    [block] = re.findall(r"```\n( +first sync .*?)```", README.read_text(), re.S)
    lines = block.splitlines()
    return [line for line in lines if not re.match(r"\.\.\.|(first|incremental) sync:|outside check:|$", line)], \
        [line for line in lines if re.match(r"(first|incremental) sync:|outside check:", line)]


def sent(line):
    number, unit = re.search(r"([\d.]+) (kB|MB) sent", line).groups()
    return float(number) * (1e6 if unit == "MB" else 1e3)


class ReadmeDemoTest(unittest.TestCase):
    def printed(self):
        with Bqlocal(datasets=["learning"], project="demo") as bq, \
                Deployment(bq, "bqsync_samples", dataset="learning", schema="") as app:
            sampledb.make(str(app.path), rows=ROWS)
            documents = {"first": app.sync()}
            sampledb_change.change(str(app.path))
            documents["second"] = app.sync()
            documents["verify"] = app.json("verify")
            for name, document in documents.items():
                (app.folder / f"{name}.json").write_text(json.dumps(document))
            (app.folder / "mirror.txt").write_text("(not compared here)\n")
            with contextlib.redirect_stdout(io.StringIO()) as out:
                demo_report.print_table(app.folder)
        return out.getvalue().splitlines()

    def test_it_prints_what_readme_shows(self):
        tables, sums = shown()
        printed = self.printed()

        self.assertEqual([], [line for line in tables if line not in printed], "\n".join(printed))
        for line in sums[:2]:
            [other] = [each for each in printed if each.startswith(line.split(":")[0] + ":")]
            self.assertAlmostEqual(1, sent(other) / sent(line), delta=NEAR, msg=f"{line}\n{other}")


if __name__ == "__main__":
    unittest.main()

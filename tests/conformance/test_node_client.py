"""Google's official Node.js client drives bqlocal, unmodified."""

import datetime
import decimal
import json
import pathlib
import re
import tempfile
import unittest

from tests.support import avro_writer, foreign
from tests.support.bqlocal import Bqlocal

FIELDS = [("id", "long"), ("name", ["null", "string"]), ("born", ["null", avro_writer.DATE]),
          ("paid", ["null", avro_writer.NUMERIC])]
ROWS = [(1, "one", datetime.date(2024, 2, 29), decimal.Decimal("1.5")),
        (2, "zwei größe", None, decimal.Decimal("-0.000000001")),
        (3, None, datetime.date(1969, 12, 31), None)]


def avro_file():
    """The rows as the standard library alone writes them."""
    epoch = datetime.date(1970, 1, 1)
    return avro_writer.container(FIELDS, [
        (number, name, born and (born - epoch).days, paid and int(paid.scaleb(9)))
        for number, name, born, paid in ROWS])


class NodeClientTest(unittest.TestCase):
    def test_the_client_is_content(self):
        stage = foreign.Stage("node")
        self.addCleanup(stage.close)
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "rows.avro").write_bytes(avro_file())
        (folder / "rows.ndjson").write_text("".join(
            json.dumps({"id": number, "name": f"n{number}"}) + "\n" for number in range(100)))
        bq = self.enterContext(Bqlocal(project="node-project", datasets=[]))

        ended = stage.run("--test", "--test-reporter=tap", "client.test.js", BQLOCAL_URL=bq.url,
                          BQLOCAL_PROJECT=bq.project, AVRO_FILE=str(folder / "rows.avro"),
                          NDJSON_FILE=str(folder / "rows.ndjson"), METADATA_SERVER_DETECTION="none")

        self.assertEqual(0, ended.returncode, ended.stdout[-8000:] + ended.stderr[-2000:])
        self.assertGreaterEqual(int(re.search(r"^# pass (\d+)", ended.stdout, re.M)[1]), 16)


if __name__ == "__main__":
    unittest.main()

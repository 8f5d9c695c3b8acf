"""A disk that is full is the server's error, and it passes."""

import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from tests.bqlocal.tests.rest_case import RestCase
from tests.support.bqlocal import Bqlocal, program

# No file of bqlocal grows beyond this many blocks of 512 bytes: a write fails as on a full disk.
LIMITED = '#!/bin/sh\ntrap "" XFSZ\nulimit -f 1000\nexec {} "$@"\n'
ROW = json.dumps({"id": 1, "name": "x" * 1000}).encode() + b"\n"
FIELDS = {"fields": [{"name": "id", "type": "INT64"}, {"name": "name", "type": "STRING"}]}


class FullDisk(RestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        limited = folder / "bqlocal"
        limited.write_text(LIMITED.format(pathlib.Path(program()).resolve()))
        limited.chmod(0o755)
        self.enterContext(mock.patch.dict(os.environ, {"BQSYNC_BUILD": str(folder)}))
        self.bq = self.enterContext(Bqlocal())
        self.bq.query("create table d.t (id int64, name string)")

    def load(self, table, rows):
        return self.bq.load("d", table, rows, sourceFormat="NEWLINE_DELIMITED_JSON", schema=FIELDS)["status"]

    def test_what_does_not_fit_is_undone_and_what_fits_is_done(self):
        for table in ("t", "t", "new"):
            with self.subTest(table):
                self.assertEqual("backendError", self.load(table, ROW * 900)["errorResult"]["reason"])
        self.refuse(503, "backendError", self.bq.patch, "datasets/d", {"description": "y" * 900000})
        self.refuse(503, "backendError", self.bq.query, "insert into d.t select 1, '" + "y" * 900000 + "'")
        self.assertEqual((["t"], []), (self.bq.tables("d"), self.bq.query("select * from d.t")))

        self.assertNotIn("errorResult", self.load("t", ROW))
        self.bq.query("insert into d.t values (2, 'b')")
        self.assertEqual([1, 2], [row["id"] for row in self.bq.query("select id from d.t order by id")])


if __name__ == "__main__":
    unittest.main()

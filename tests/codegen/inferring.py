"""Databases made from SQL for the tests of infer, and the definitions that it writes for them."""

import contextlib
import io
import json
import os
import sqlite3
import tempfile
import unittest

from codegen import commands, schema


class InferTest(unittest.TestCase):
    """Each test has a folder with a database and a folder of definitions in it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = directory.name
        self.path = os.path.join(self.folder, "app.db")
        self.out = os.path.join(self.folder, "schemas")

    def write(self, sql, rows=(), path=None):
        """Runs SQL, then statements with values: (statement, list of rows)."""
        database = sqlite3.connect(path or self.path)
        database.executescript(sql)
        for statement, values in rows:
            database.executemany(statement, values)
        database.commit()
        database.close()

    def run_infer(self, *arguments):
        """Exit status, stdout, stderr."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = commands.main(["infer", self.path, "--out", self.out, *arguments], "bqsync-gen", {})
        return status, stdout.getvalue(), stderr.getvalue()

    def infer(self, *arguments):
        """Definitions by table, of a run that wrote them and that the generator takes."""
        status, stdout, self.report = self.run_infer(*arguments)
        self.assertEqual((status, stdout), (0, ""), self.report)
        self.assertEqual(schema.load(self.out).messages, ())
        return self.definitions()

    def definitions(self):
        found = {}
        for name in sorted(os.listdir(self.out)):
            if name.endswith(".json"):
                with open(os.path.join(self.out, name), encoding="utf-8") as file:
                    document = json.load(file)
                found[document["table"]] = document
        return found

    def column(self, declared, values, name="c"):
        """What is written for a column with these values, without its name; "" if it is left out."""
        path = os.path.join(self.folder, "column.db")
        for old in (path, os.path.join(self.folder, "one", ".infer"), os.path.join(self.folder, "one", "t.json")):
            if os.path.exists(old):
                os.remove(old)
        self.write('create table t(id integer primary key, "%s" %s)' % (name, declared),
                   [('insert into t("%s") values (?)' % name, [(value,) for value in values])], path)
        before = self.path, self.out
        self.path, self.out = path, os.path.join(self.folder, "one")
        try:
            columns = self.infer()["t"]["columns"]
        finally:
            self.path, self.out = before
        found = [column for column in columns if column.get("source", column["name"]) == name]
        return {key: value for key, value in found[0].items() if key not in ("name", "source")} if found else ""

    def read(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as file:
            return file.read()

    def save(self, name, document):
        os.makedirs(self.out, exist_ok=True)
        with open(os.path.join(self.out, name), "w", encoding="utf-8") as file:
            file.write(document if isinstance(document, str) else json.dumps(document, indent=1))

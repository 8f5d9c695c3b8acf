"""Google's analyzer takes the scripts by which a pass changes a table and its log."""

import pathlib
import re
import shutil
import tempfile
import unittest

from tests.conformance import statements
from tests.e2e.test_history_target import SOURCE
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

TABLES = ("users", "visits", "settings", "lines")
CHANGES = (
    "update users set name = 'x'; insert into visits values (2, 1700000001, 'there'); update settings set value = 'light';"
    "update lines set price = price + 1",
    "replace into users(id, name) values (1, 'again'); delete from visits where id = 1; insert into settings values ('a', 'b');"
    "delete from lines",
    "update users set name = hex(zeroblob(600000)) where id = 2; update visits set place = hex(zeroblob(600000))",
    "update users set age = 'unfit' where id = 1",
)


class ChangeLogTest(unittest.TestCase):
    def setUp(self):
        self.stage = foreign.Stage("googlesql")
        self.addCleanup(self.stage.close)
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-change-log-")))
        (self.folder / "ddl").mkdir()

    def collect(self):
        """The scripts, by name; the tables are written beside, staging tables too."""
        with Bqlocal(datasets=["d"]) as bq, Deployment(bq, program="bqsync_history", schema=SOURCE) as app:
            columns = {table["target"]: table["columns"] for table in app.json("tables")["tables"]}
            for table in TABLES:
                target, log, *_ = statements.split(app.run("ddl", table)[1])
                (self.folder / "ddl" / f"{table}.sql").write_text(f"{target};\n{log};\n")
            app.sync()
            for change in CHANGES:
                app.script(change)
                app.run("sync")
            backup = app.folder / "backup.db"
            with app.connect() as db:
                db.execute(f"vacuum into '{backup}'")
            app.execute("update users set name = 'lost' where id = 2")
            app.run("sync")
            for suffix in ("-wal", "-shm"):
                app.path.with_name(app.path.name + suffix).unlink(missing_ok=True)
            shutil.copyfile(backup, app.path)
            app.run("sync")
            jobs = bq.get("jobs?projection=full&maxResults=1000")["jobs"]
        scripts = [job["configuration"].get("query", {}).get("query", "") for job in jobs]
        return {f"script_{number}": self.with_types(sql, columns) for number, sql in enumerate(scripts)
                if sql.startswith("begin transaction")}

    def with_types(self, sql, columns):
        target = re.search(r"insert into `p`\.`d`\.`(\w+)_changes`", sql)[1]
        for staging in set(re.findall(r"`(bqsync_staging_\w+)`", sql)):
            added = [{"name": "_bqsync_operation", "type": "STRING", "mode": "NULLABLE"}]
            (self.folder / "ddl" / f"{staging}.sql").write_text(
                statements.staging_ddl(columns[target] + added, staging)
                .replace(f"`{statements.PROJECT}`.`{statements.DATASET}`", "`p`.`d`") + ";\n")
        return statements.with_type(sql, columns[target]).replace(
            "`_bqsync_deleted` BOOL>", "`_bqsync_deleted` BOOL, `_bqsync_operation` STRING>")

    def judge(self, named):
        """Those that the analyzer refuses, with what it says."""
        for name, sql in named.items():
            (self.folder / f"{name}.sql").write_text(sql.rstrip(";\n") + ";\n")
        ended = self.stage.run("googlesql-check.js", "--project", "p", "--ddl", self.folder / "ddl",
                               *(self.folder / f"{name}.sql" for name in named), timeout=300)
        self.assertIn(ended.returncode, (0, 1), ended.stderr)
        return {name: ended.stdout for name in named if f"{self.folder}/{name}.sql:" in ended.stdout}

    def test_every_script_is_accepted_and_its_mutant_refused(self):
        found = self.collect()
        for part in ("full join", "exists (", "unnest(", "`_bqsync_abandoned` = true", "union all", "st_astext"):
            self.assertTrue(any(part in sql for sql in found.values()), part)

        self.assertEqual({}, self.judge(found))

        mutants = {name: sql.replace("`_bqsync_operation`", "`_bqsync_operatio`", 1) for name, sql in found.items()}
        self.assertEqual(sorted(mutants), sorted(self.judge(mutants)))


if __name__ == "__main__":
    unittest.main()

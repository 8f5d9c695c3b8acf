"""A value that does not fit its column does not cost its row: it stands in `_bqsync_unfit`, in every mode, until it fits,
and both sides compare as equal meanwhile."""

import base64
import hashlib
import json
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

TABLES = ("upserted", "scanned", "appended", "replaced")
SCHEMA = "".join(f"create table {table}(id integer primary key, must, age, name, mail, born, doc);"
                 for table in TABLES) + "create table bag(age, note);"
# A value of the column age, as SQL, and what stands for it.
MISFITS = (
    ("'n/a'", {"class": "text", "value": "n/a"}),
    ("1.5", {"class": "real", "value": "1.5"}),
    ("-9e999", {"class": "real", "value": "-Inf"}),
    ("x'00ff'", {"class": "blob", "value": "AP8="}),
    ("'naïve \"quote\"\\'", {"class": "text", "value": "naïve \"quote\"\\"}),
    ("cast(x'61ff' as text)", {"class": "text", "base64": "Yf8="}),
)


class UnfitTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))

    def deploy(self, program="bqsync_unfit", **more):
        return self.enterContext(Deployment(self.bq, program=program, schema=SCHEMA, **more))

    def sync(self, app, table, *arguments, status=0, **environment):
        return app.table(app.sync(table, *arguments, status=status, **environment), table)

    def ages(self, table):
        """Each id's age and, as JSON says it, what does not fit."""
        return {row["id"]: (row["age"], row["_bqsync_unfit"] and json.loads(row["_bqsync_unfit"]))
                for row in self.bq.rows("d", table)}

    def check_equal(self, app, *tables):
        for table in app.json("verify", *tables)["tables"]:
            self.assertEqual((True, 0), (table["equal"], table["rejected"]), table)


class LifeTest(UnfitTest):
    def live(self, app, table):
        """A row that fits, rows that do not, other values that do not, and then values that do."""
        expected = {1: (30, None)}
        app.execute(f"insert into {table}(id, must, age) values (1, 1, 30)")
        for place, (sql, shown) in enumerate(MISFITS):
            app.execute(f"insert into {table}(id, must, age) values ({place + 2}, 1, {sql})")
            expected[place + 2] = (None, {"age": shown})
        run = self.sync(app, table)
        self.assertEqual(("synced", 7, 6, 0), (run["status"], run["rows_inserted"], run["rows_unfit"], run["rows_rejected"]))
        self.assertEqual(expected, self.ages(table))
        self.check_equal(app, table)
        run = self.sync(app, table)
        self.assertEqual(("unchanged", 0), (run["status"], run["rows_unfit"]))

        app.execute(f"insert into {table}(id, must, age) values (90, 1, 'new')")
        self.assertEqual(7 if table == "replaced" else 1, self.sync(app, table)["rows_unfit"])
        expected[90] = (None, {"age": {"class": "text", "value": "new"}})
        self.assertEqual(expected, self.ages(table))

        app.execute(f"update {table} set age = 'another' where id = 2")
        app.execute(f"update {table} set age = 31 where id = 3")
        app.execute(f"update {table} set age = 'old' where id = 1")
        app.execute(f"delete from {table} where id = 4")
        run = self.sync(app, table)
        self.assertEqual(6 if run["mode"] == "replace" else 2, run["rows_unfit"])
        expected.update({1: (None, {"age": {"class": "text", "value": "old"}}), 3: (31, None),
                         2: (None, {"age": {"class": "text", "value": "another"}})})
        del expected[4]
        self.assertEqual(expected, self.ages(table))
        self.check_equal(app, table)

        app.execute(f"update {table} set age = 0 where typeof(age) <> 'integer'")
        self.assertEqual(0, self.sync(app, table)["rows_unfit"])
        self.assertEqual({number: (age if age is not None else 0, None) for number, (age, _) in expected.items()},
                         self.ages(table))
        self.check_equal(app, table)

    def test_with_triggers(self):
        self.live(self.deploy(), "upserted")

    def test_by_a_scan(self):
        self.live(self.deploy(), "scanned")

    def test_by_a_scan_with_the_state_elsewhere(self):
        self.live(self.deploy(state="state.db"), "upserted")

    def test_in_mode_append(self):
        self.live(self.deploy(), "appended")

    def test_in_mode_append_by_a_scan(self):
        self.live(self.deploy(state="state.db"), "appended")

    def test_in_mode_replace(self):
        self.live(self.deploy(), "replaced")

    def test_in_one_transaction(self):
        self.live(self.deploy(environment={"BQ_SYNC_ATOMIC": "1"}), "upserted")

    def test_with_json_loaded_as_text(self):
        with Bqlocal(datasets=["d"], args=["--json-numbers", "refuse"]) as bq:
            self.bq = bq
            app = self.deploy()
            app.execute("insert into upserted(id, must, age, doc) values (1, 1, 'n/a', '[0.1, 67.174118]')")
            self.assertEqual(1, self.sync(app, "upserted")["rows_unfit"])
            app.execute("update upserted set age = 1.5")
            self.assertEqual(1, self.sync(app, "upserted", "--full")["rows_unfit"])

            self.assertEqual({1: (None, {"age": {"class": "real", "value": "1.5"}})}, self.ages("upserted"))
            self.check_equal(app, "upserted")

    def test_more_rows_than_travel_in_a_statement(self):
        app = self.deploy()
        app.execute("insert into upserted(id, must, age) with recursive n(i) as (select 1 union all select i + 1 from n"
                    " where i < 12000) select i, 1, i from n")
        app.sync("upserted")
        app.execute("update upserted set age = 'r' || id where id <= 5500")

        run = self.sync(app, "upserted")

        self.assertEqual(("merge", 5500, 5500), (run["mode"], run["rows_updated"], run["rows_unfit"]))
        self.assertEqual((None, {"age": {"class": "text", "value": "r5500"}}), self.ages("upserted")[5500])
        self.check_equal(app, "upserted")

    def test_rows_without_a_key(self):
        app = self.deploy()
        app.execute("insert into bag values ('x', x'01'), ('x', x'01'), (1, 'fits'), (99, x'02')")
        self.assertEqual(2, self.sync(app, "bag")["rows_unfit"])
        self.check_equal(app, "bag")
        app.execute("update bag set age = 'y' where rowid = 2")
        self.assertEqual(2, self.sync(app, "bag")["rows_unfit"])

        note = {"class": "blob", "value": "AQ=="}
        self.assertEqual(
            [({"age": {"class": "text", "value": "x"}, "note": note}), ({"age": {"class": "text", "value": "y"}, "note": note})],
            sorted((json.loads(row["_bqsync_unfit"]) for row in self.bq.rows("d", "bag") if row["_bqsync_unfit"]), key=str))
        self.check_equal(app, "bag")


class ValuesTest(UnfitTest):
    def test_every_type_of_column(self):
        app = self.deploy()
        app.execute("insert into upserted values (1, 1, 'a', x'01', null, 'soon', '{')")
        app.sync("upserted")

        row, = self.bq.rows("d", "upserted")
        self.assertEqual({
            "age": {"class": "text", "value": "a"}, "name": {"class": "blob", "value": "AQ=="},
            "born": {"class": "text", "value": "soon"}, "doc": {"class": "text", "value": "{"}},
            json.loads(row["_bqsync_unfit"]))
        self.assertEqual([None] * 4, [row[name] for name in ("age", "name", "born", "doc")])
        self.check_equal(app, "upserted")

    def test_a_required_value_rejects_its_row(self):
        app = self.deploy()
        app.execute("insert into upserted(id, must, age) values (1, 'no', 'n/a'), (2, null, 3), (3, 1, 'n/a')")

        run = self.sync(app, "upserted", status=1)

        self.assertEqual((2, 1), (run["rows_rejected"], run["rows_unfit"]))
        self.assertEqual([3], list(self.ages("upserted")))
        self.assertEqual([("must", "text"), ("must", "null")], [
            (one["column"], one["storage_class"]) for one in app.json("rejects", "upserted")["rejects"]])

    def test_what_a_transform_hides_is_shown_nowhere(self):
        app = self.deploy()
        secret = b"\xffhidden-mail-address"
        app.execute("insert into upserted(id, must, mail) values (1, 1, ?), (2, 1, 'fits')", [secret])

        app.sync("upserted")

        rows = {row["id"]: row for row in self.bq.rows("d", "upserted")}
        self.assertEqual((None, {"mail": {"class": "blob"}}), (rows[1]["mail"], json.loads(rows[1]["_bqsync_unfit"])))
        self.assertEqual((hashlib.sha256(b"fits").hexdigest(), None), (rows[2]["mail"], rows[2]["_bqsync_unfit"]))
        self.assertNotIn(base64.b64encode(secret).decode(), repr(rows))
        self.check_equal(app, "upserted")

    def test_a_text_of_utf16_keeps_its_units(self):
        app = self.enterContext(Deployment(self.bq, program="bqsync_unfit", schema=f"pragma encoding = 'UTF-16le'; {SCHEMA}",
                                           journal="delete"))
        with app.connect() as db:
            if db.execute("pragma encoding").fetchone() != ("UTF-16le",):
                self.skipTest("the encoding came too late")
            db.execute("insert into upserted(id, must, age, name) values"
                       " (1, 1, cast(x'00d86100' as text), cast(x'00d86100' as text))")
        app.sync("upserted")

        one = {"class": "text", "base64": base64.b64encode(b"\x00\xd8a\x00").decode(), "encoding": "UTF-16LE"}
        row, = self.bq.rows("d", "upserted")
        self.assertEqual({"age": one, "name": one}, json.loads(row["_bqsync_unfit"]))
        self.check_equal(app, "upserted")

    def test_a_row_beyond_16_mb_is_rejected(self):
        app = self.deploy()
        app.execute("insert into upserted(id, must, age) values (1, 1, zeroblob(13000000)), (2, 1, 'n/a')")

        run = self.sync(app, "upserted", status=1)

        self.assertEqual((1, 1), (run["rows_rejected"], run["rows_unfit"]))
        self.assertEqual([2], list(self.ages("upserted")))


class ReportsTest(UnfitTest):
    def test_a_difference_is_found_and_repaired(self):
        app = self.deploy()
        app.execute("insert into upserted(id, must, age) values (1, 1, 'n/a'), (2, 1, 'b'), (3, 1, 4)")
        app.sync("upserted")
        self.bq.query("update d.upserted set _bqsync_unfit = null where id = 1")
        self.bq.query("update d.upserted set _bqsync_unfit = json '{\"age\": {\"class\": \"text\", \"value\": \"c\"}}'"
                      " where id = 2")

        table, = app.json("verify", "upserted", status=1)["tables"]
        self.assertEqual([1, 2], sorted(table["different"]))
        app.json("verify", "upserted", "--repair")

        self.assertEqual((None, {"age": {"class": "text", "value": "n/a"}}), self.ages("upserted")[1])
        self.check_equal(app, "upserted")

    def test_every_report_counts_the_rows(self):
        app = self.deploy()
        app.execute("insert into upserted(id, must, age) values (1, 1, 'n/a'), (2, 1, 2)")

        self.assertEqual(1, self.sync(app, "upserted", "--dry-run")["rows_unfit"])
        status, out, err = app.run("sync", "upserted")
        self.assertEqual(0, status)
        self.assertIn("1 row was sent with a value that does not fit its column", out)
        self.assertIn("unfit=1", next(line for line in err.splitlines() if "table synced" in line))
        last = app.json("status")["last_run"]
        self.assertEqual((True, 1), (last["ok"], app.table(last, "upserted")["rows_unfit"]))

    def test_check_and_tables_know_the_column(self):
        app = self.deploy()
        app.execute("insert into upserted(id, must, age) values (1, 1, 'n/a'), (2, 1, 2)")

        checks = {one["name"]: one for one in app.json("check")["checks"]}
        self.assertEqual(("ok", "1 of the first 2 rows have values that do not fit, which _bqsync_unfit holds"),
                         (checks["table upserted"]["status"], checks["table upserted"]["message"]))
        columns = app.table(app.json("tables", "upserted"), "upserted")["columns"]
        self.assertEqual({"name": "_bqsync_unfit", "type": "JSON", "mode": "NULLABLE"}, columns[-1])

    def test_a_column_of_the_source_with_that_name_is_not_read(self):
        app = self.deploy()
        app.execute("alter table upserted add column _bqsync_unfit")
        app.execute("insert into upserted(id, must, age, _bqsync_unfit) values (1, 1, 'n/a', 'mine'), (2, 1, 2, 'mine')")

        app.sync("upserted")

        self.assertEqual({1: (None, {"age": {"class": "text", "value": "n/a"}}), 2: (2, None)}, self.ages("upserted"))


class SwitchTest(UnfitTest):
    def test_the_column_is_added_and_stays(self):
        app = self.deploy("bqsync_unfit_before")
        after = app.program.replace("bqsync_unfit_before", "bqsync_unfit")
        before = app.program
        app.execute("insert into upserted(id, must, age) values (1, 1, 'n/a'), (2, 1, 2)")
        self.assertEqual(1, self.sync(app, "upserted", status=1)["rows_rejected"])

        app.program = after
        plan = app.table(app.json("plan", "upserted"), "upserted")
        self.assertEqual(("replace", 1), (plan["mode"], len(plan["ddl"])))
        self.assertIn("add column `_bqsync_unfit` json", plan["ddl"][0].lower())
        run = self.sync(app, "upserted")
        self.assertEqual(("replace", 2, 1, 0), (run["mode"], run["rows_inserted"], run["rows_unfit"], run["rows_rejected"]))
        self.assertEqual({1: (None, {"age": {"class": "text", "value": "n/a"}}), 2: (2, None)}, self.ages("upserted"))
        self.check_equal(app, "upserted")
        self.assertEqual([], app.json("rejects")["rejects"])

        app.program = before
        run = self.sync(app, "upserted", status=1)
        self.assertEqual(("replace", 1), (run["mode"], run["rows_rejected"]))
        self.assertEqual({2: (2, None)}, self.ages("upserted"))


if __name__ == "__main__":
    unittest.main()

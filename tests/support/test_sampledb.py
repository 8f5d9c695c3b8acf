"""The sample database holds what it promises, and the same seed gives the same one."""

import pathlib
import re
import sqlite3
import tempfile
import unittest

from tests.support import mirror, sampledb, sampledb_change
from tests.support.mirror_values import Rule
from tests.support.sampledb_tables import TABLES

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent.parent / "schemas"

FORMS = {
    "no zone": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "fraction, UTC": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00",
    "whole second, UTC": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00",
    "fraction, no zone": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}",
    "another zone": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?[+-](05|03):30",
}


Dump = dict[str, list[tuple[object, ...]]]


def dump(path: str) -> Dump:
    connection = sqlite3.connect(path)
    try:
        return {
            table.name: connection.execute(f"SELECT * FROM {table.name} ORDER BY id").fetchall() for table in TABLES
        }
    finally:
        connection.close()


def current_timestamp() -> str:
    return str(sqlite3.connect(":memory:").execute("SELECT CURRENT_TIMESTAMP").fetchone()[0])


def without_defaults(rows: Dump, since: str) -> Dump:
    """The rows with every time that CURRENT_TIMESTAMP has given since then replaced by one text."""
    until = current_timestamp()

    def plain(value: object) -> object:
        return "now" if isinstance(value, str) and len(value) == len(until) and since <= value <= until else value

    return {name: [tuple(map(plain, row)) for row in found] for name, found in rows.items()}


class SampleDatabase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/app.db"
        self.other = f"{folder.name}/other.db"

    def query(self, statement: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def test_the_same_seed_gives_the_same_rows_and_changes(self) -> None:
        began = current_timestamp()
        for path in (self.path, self.other):
            sampledb.make(path, rows=600, seed=7)
            sampledb_change.change(path, seed=3)

        self.assertEqual(without_defaults(dump(self.path), began), without_defaults(dump(self.other), began))

    def test_another_seed_gives_other_rows(self) -> None:
        sampledb.make(self.path, rows=600, seed=7)
        sampledb.make(self.other, rows=600, seed=8)

        self.assertNotEqual(dump(self.path)["chat_history"], dump(self.other)["chat_history"])

    def test_every_table_has_rows_and_the_sum_is_what_was_asked_for(self) -> None:
        made = sampledb.make(self.path, rows=20_000)

        rows = dump(self.path)
        self.assertEqual({name: len(found) for name, found in rows.items()}, made)
        self.assertEqual(len(made), 22)
        self.assertGreater(min(made.values()), 0)
        self.assertEqual(sum(made.values()), 20_000)

    def test_a_time_of_a_client_comes_in_every_stored_form(self) -> None:
        sampledb.make(self.path, rows=2_000)

        stored = [str(row[0]) for row in self.query("SELECT created_at FROM chat_history")]

        for label, form in FORMS.items():
            with self.subTest(label):
                self.assertTrue(any(re.fullmatch(form, text) for text in stored))
        self.assertTrue(all(any(re.fullmatch(form, text) for form in FORMS.values()) for text in stored))

    def test_settings_hold_each_storage_class_and_the_text_null(self) -> None:
        sampledb.make(self.path, rows=3_000)

        classes = {row[0] for row in self.query("SELECT typeof(settings) FROM questions")}

        self.assertEqual(classes, {"null", "text", "integer", "real"})
        self.assertTrue(self.query("SELECT 1 FROM questions WHERE settings = 'null'"))

    def test_ids_have_gaps_and_some_references_lead_nowhere(self) -> None:
        sampledb.make(self.path, rows=20_000)

        gaps = self.query("SELECT max(id) - count(*) FROM chat_history")
        orphans = self.query("SELECT count(*) FROM chat_history WHERE user_id NOT IN (SELECT id FROM users)")

        self.assertGreater(gaps[0][0], 0)
        self.assertGreater(orphans[0][0], 0)

    def test_the_migrated_form_has_other_orders_and_triggers_that_stamp(self) -> None:
        sampledb.make(self.path, rows=600, variant="migrated")

        columns = [row[1] for row in self.query("PRAGMA table_info(tasks)")]
        stamped = self.query("SELECT count(DISTINCT tbl_name) FROM sqlite_master WHERE name LIKE 'stamp%update'")

        self.assertEqual(columns[-2:], ["scheduled_publish_at", "updated_at"])
        self.assertEqual(stamped, [(20,)])

    def test_the_definitions_describe_every_column_and_every_value_fits(self) -> None:
        sampledb.make(self.path, rows=20_000)
        sampledb_change.change(self.path)
        definitions = {definition["table"]: definition for definition in mirror.load_definitions(SCHEMAS)}
        connection = mirror.open_source(self.path)
        self.addCleanup(connection.close)

        for table in TABLES:
            with self.subTest(table.name):
                rules = [Rule.of(column) for column in definitions[table.name]["columns"]]
                self.assertEqual({rule.source for rule in rules}, {column.name for column in table.columns})
                for row in mirror.source_rows(connection, definitions[table.name]):
                    self.assertFalse(mirror.read_source_row(rules, row)[1])

    def test_a_change_can_be_repeated_and_counts_what_it_did(self) -> None:
        for variant in sampledb.VARIANTS:
            with self.subTest(variant):
                sampledb.make(self.path, rows=600, variant=variant)
                before = dump(self.path)
                counts = [sampledb_change.change(self.path, seed=1) for _ in range(3)]
                after = dump(self.path)

                for count in counts:
                    for kind in ("inserted", "updated", "deleted", "upserted", "replaced"):
                        self.assertGreater(count[kind], 0)  # type: ignore[operator]
                grown = sum(map(len, after.values())) - sum(map(len, before.values()))
                expected = sum(count["inserted"] - count["deleted"] for count in counts)  # type: ignore[operator]
                self.assertEqual(grown, expected)


if __name__ == "__main__":
    unittest.main()

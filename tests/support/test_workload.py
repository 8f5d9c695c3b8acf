"""The random application: it repeats itself with its seed, and notices what changes its statements."""

import random
import sqlite3
import unittest

from tests.support.workload import Application, Noticed, equip
from tests.support.workload_tables import TABLES, Raw


def database(*tables: str, encoding: str = "UTF-8") -> sqlite3.Connection:
    db = equip(sqlite3.connect(":memory:", isolation_level=None))
    db.executescript(";".join([f"pragma encoding = '{encoding}'", *(TABLES[table].create for table in tables)]))
    return db


class Workload(unittest.TestCase):
    def setUp(self) -> None:
        self.db = database("things", "settings", "key_moments")
        self.twin = database("things", "settings", "key_moments")
        self.log: list[str] = []

    def application(self, seed: int = 1) -> Application:
        return Application(self.db, random.Random(seed), ["things", "settings", "key_moments"], self.log, self.twin)

    def test_every_table_takes_hundreds_of_statements_with_a_twin(self) -> None:
        for name in TABLES:
            with self.subTest(name):
                needed = ["orders", name] if name == "order_lines" else [name]
                db, twin = database(*needed), database(*needed)
                application = Application(db, random.Random(3), needed, self.log, twin)
                for _ in range(300):
                    application.act()
                application.fix_values()

    def test_the_same_seed_gives_the_same_statements(self) -> None:
        application = self.application(5)
        for _ in range(50):
            application.act()
        first = list(self.log)

        self.setUp()
        application = self.application(5)
        for _ in range(50):
            application.act()

        self.assertEqual(first, self.log)

    def test_a_statement_that_fails_only_here_is_noticed(self) -> None:
        self.db.execute("create trigger t before insert on settings begin select raise(abort, 'no'); end")

        with self.assertRaisesRegex(Noticed, "without bqsync"):
            self.application().run("insert into settings values ('a', 'b')")

    def test_a_statement_that_changes_fewer_rows_is_noticed(self) -> None:
        for db in (self.db, self.twin):
            db.execute("insert into settings values ('a', 'b'), ('c', 'd')")
        self.db.execute("create trigger t before delete on settings when old.name = 'a' begin select raise(ignore); end")

        with self.assertRaises(Noticed):
            self.application().run("delete from settings")

    def test_keys_keep_their_storage_class_and_their_bytes(self) -> None:
        for encoding, raw in (("UTF-8", b"M\xfcller"), ("UTF-16le", "M\ud8fcller".encode("utf-16-le", "surrogatepass"))):
            with self.subTest(encoding):
                db = database("loose", encoding=encoding)
                application = Application(db, random.Random(1), ["loose"], [])
                application.run("insert into loose values (?, 1)", [Raw(b"M\xfcller")])

                (key,) = application.some_key("loose")

                self.assertEqual(key, Raw(raw, encoded=True))
                application.run("update loose set n = 2 where k is ?", [key])
                self.assertEqual(db.execute("select n from loose").fetchall(), [(2,)])


if __name__ == "__main__":
    unittest.main()

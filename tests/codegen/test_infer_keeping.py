"""What a second run of infer makes of secrets and personal data that have come or gone, and says about it."""

import json
import unittest

from tests.codegen.inferring import InferTest

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
BCRYPT = "$2b$12$" + "abcdefghijklmnopqrstuv" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
PLAIN = {"name": "c", "type": "STRING"}


class KeepingTest(InferTest):
    def update(self):
        """The definition of t behind an update that has nothing left to say."""
        status, stdout, self.report = self.run_infer("--update")
        self.assertEqual((status, stdout), (0, ""), self.report)
        self.assertEqual(self.run_infer()[:2], (0, ""))
        return self.definitions()["t"]

    def edit(self, change):
        document = self.definitions()["t"]
        change(document)
        self.save("t.json", document)

    def column_c(self, document):
        return next((column for column in document["columns"] if column["name"] == "c"), None)

    def make(self, *values, declared="text"):
        self.write("create table t(id integer primary key, c %s, d text)" % declared,
                   [("insert into t(c) values (?)", [(value,) for value in values])])
        return self.infer()["t"]


class ComingTest(KeepingTest):
    def test_a_column_that_becomes_a_secret_moves_to_ignore(self):
        self.make("plain")
        self.write("update t set c = '%s'; create table u(id integer primary key)" % TOKEN)

        status, stdout, stderr = self.run_infer()

        self.assertEqual(status, 1)
        self.assertIn('-    { "name": "c", "type": "STRING" },', stdout)
        self.assertIn('"ignore": ["c"]', stdout)
        self.assertIn("c: left out, because 1 of 1 values look like a token", stderr)
        self.assertIn("; so far its definition sends it\n", stderr)
        document = self.update()
        self.assertEqual((self.column_c(document), document["sync"]["ignore"]), (None, ["c"]))
        self.assertIn("u", self.definitions())

    def test_it_does_so_beside_secrets_that_were_brought_back_by_hand(self):
        self.write("create table t(id integer primary key, c text, pw text, pin text)",
                   [("insert into t(c) values (?)", [("plain",)])])
        self.assertEqual(self.infer()["t"]["sync"]["ignore"], ["pw", "pin"])

        def bring_back(document):
            document["sync"]["ignore"] = ["pin"]
            document["columns"].append({"name": "pw", "type": "STRING"})
        self.edit(bring_back)
        self.write("update t set c = '%s'" % TOKEN)

        document = self.update()

        self.assertEqual(document["sync"]["ignore"], ["pin", "c"])
        self.assertEqual([column["name"] for column in document["columns"]], ["id", "pw"])
        self.assertIn("pw: sent as it is, as its definition says, although its name speaks of a password or a secret; "
                      'infer would add "ignore"', self.report)

    def test_one_that_was_edited_by_hand_stays_and_is_named(self):
        self.make("plain")
        self.edit(lambda document: self.column_c(document).update(transform="truncate:3"))
        self.write("update t set c = '%s'" % TOKEN)

        document = self.update()

        self.assertEqual((self.column_c(document), "ignore" in document["sync"]),
                         ({**PLAIN, "transform": "truncate:3"}, False))

    def test_personal_data_that_has_come_is_hashed(self):
        self.make("plain")
        self.write("update t set c = 'ada@example.com'")

        self.assertIn("; so far its definition sends it as it is\n", self.run_infer()[2])
        self.assertEqual(self.column_c(self.update()), {**PLAIN, "transform": "sha256"})

    def test_a_key_that_becomes_a_secret_is_hashed(self):
        self.write("create table t(c text primary key)", [("insert into t values (?)", [("plain",)])])
        self.infer()
        self.write("update t set c = '%s'" % TOKEN)

        document = self.update()

        self.assertEqual((document["key"], self.column_c(document)["transform"]), (["c"], "sha256"))

    def test_a_key_by_hand_that_becomes_a_secret_stays(self):
        self.write("create table t(id integer primary key, c text)", [("insert into t(c) values (?)", [("plain",)])])
        self.infer()
        self.edit(lambda document: document.update(key=["c"]))
        self.write("update t set c = '%s'" % TOKEN)

        document = self.update()

        self.assertEqual((document["key"], self.column_c(document), "ignore" in document["sync"]),
                         (["c"], PLAIN, False))
        self.assertIn("c: sent as it is, as its definition says, although 1 of 1 values look like a token",
                      self.report)


class GoingTest(KeepingTest):
    def test_nothing_is_protected_less_because_its_values_are_gone(self):
        for sql in ("delete from t", "update t set contact = 'none', remark = 'none'"):
            with self.subTest(sql=sql):
                self.setUp()
                self.write("create table t(id integer primary key, contact text, remark text, at integer, j json)", [
                    ("insert into t(contact, remark) values (?, ?)", [("ada@example.com", BCRYPT)] * 3)])
                before = self.infer()["t"]
                self.assertEqual((before["columns"][1]["transform"], before["sync"]["ignore"]), ("sha256", ["remark"]))
                self.write(sql)

                self.assertEqual(self.update(), before)
                for line in ("contact: hashed, because it was before,", "remark: left out, because it was before,"):
                    self.assertIn(line, self.report)
                self.assertIn('add { "name": "remark", "type": "STRING" }', self.report)

    def test_what_was_brought_back_by_hand_stays_though_it_was_protected_before(self):
        self.make("ada@example.com")
        self.edit(lambda document: self.column_c(document).pop("transform"))
        self.write("update t set c = 'plain'")

        self.assertEqual(self.column_c(self.update()), PLAIN)
        self.assertNotIn("  c: ", self.report)

    def test_a_column_without_values_stays_as_it_is(self):
        for declared, value in (("datetime", 1704103200500), ("int", "n/a"),
                                ("datetime", "2024-01-01 10:00:00.1234567"),
                                ("text", '{"a": 1}'), ("text not null", "x")):
            with self.subTest(declared=declared):
                self.setUp()
                before = self.make(value, value, declared=declared)
                self.write("delete from t")

                self.assertEqual(self.update(), before)

    def test_it_follows_its_values_when_there_are_some_again(self):
        self.make(5, declared="int")
        self.write("delete from t")
        self.update()
        self.write("insert into t(c) values ('n/a')")

        self.assertEqual(self.column_c(self.update())["type"], "STRING")

    def test_a_name_that_infer_has_learned_protects_a_column_without_values(self):
        self.make(declared="text")
        for name in ("t.json", ".infer"):
            self.save(name, self.read(name).replace('"d"', '"e"').replace('"c"', '"phone"'))
        self.write("alter table t rename column c to phone; alter table t rename column d to e")

        document = self.update()

        self.assertEqual(document["columns"][1], {"name": "phone", "type": "STRING", "transform": "sha256"})

    def test_an_emptied_table_keeps_its_key_and_what_it_does_with_misfits(self):
        self.write("""create table t(a text primary key, c int unique not null);
                      insert into t values (null, 1), (null, 2)""",
                   [("insert into t values (null, ?)", [(number,) for number in range(10, 300)] + [("n/a",)])])
        before = self.infer()["t"]
        self.write("delete from t")

        self.assertEqual(self.update(), before)

    def test_a_secret_whose_column_is_gone_is_ignored_no_longer(self):
        self.make()
        self.write("alter table t add column pw text")
        self.assertEqual(self.update()["sync"]["ignore"], ["pw"])
        self.write("alter table t drop column pw")

        self.assertNotIn("ignore", self.update()["sync"])


class ReportTest(KeepingTest):
    def test_it_says_what_the_definition_does(self):
        self.make("ada@example.com")
        self.edit(lambda document: self.column_c(document).pop("transform"))

        status, _, stderr = self.run_infer()

        self.assertEqual(status, 0)
        self.assertIn("c: sent as it is, as its definition says, although 1 of 1 values look like an e-mail address; "
                      'infer would add "transform": "sha256"', stderr)
        self.assertNotIn("hashed", stderr)

    def test_it_says_so_without_a_memory_too(self):
        self.make("plain")
        self.write("update t set c = '%s'" % TOKEN)
        self.save(".infer", json.dumps({"version": 1, "tables": {}}))

        self.assertEqual(self.run_infer()[0], 0)
        self.assertIn("c: sent as it is, as its definition says, although 1 of 1 values look like a token",
                      self.run_infer()[2])

    def test_it_says_what_a_type_by_hand_is_and_what_the_values_are(self):
        self.make(1, 2, declared="int")
        self.edit(lambda document: self.column_c(document).update(type="STRING"))

        self.assertIn('c: stays { "type": "STRING" }, as its definition says; the database suggests '
                      '{ "type": "INT64" }', self.run_infer()[2])


if __name__ == "__main__":
    unittest.main()

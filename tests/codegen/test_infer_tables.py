"""Keys, modes, private columns and joins: what infer decides for tables."""

import os
import shutil
import sqlite3
import unittest
import unittest.mock

from tests.codegen.inferring import InferTest

BCRYPT = "$2b$12$" + "abcdefghijklmnopqrstuv" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"


class CaseTest(InferTest):
    """SQLite ignores the case of ASCII letters, and of no others."""

    def test_names_that_differ_in_the_case_of_other_letters_are_two(self):
        self.write("""create table "É"(id integer primary key, "Ü" text, "ü" integer);
                      create table "é"(id integer primary key, "Ü" text);
                      create table child(id integer primary key, parent integer references "é"(id));""",
                   [('insert into "É" values (?, ?, ?)', [(1, "x", 2)]), ('insert into "é" values (?, ?)', [(1, "y")])])
        found = self.infer()

        self.assertEqual({"É", "é", "child"}, set(found))
        self.assertEqual([("id", None), ("U", "Ü"), ("u_2", "ü")],
                         [(column["name"], column.get("source")) for column in found["É"]["columns"]])
        self.assertEqual(["id", "U"], [column["name"] for column in found["é"]["columns"]])
        self.assertEqual((0, "", self.report), self.run_infer())

    def test_ascii_letters_are_found_in_any_case(self):
        self.write('create table "Éa"(id integer primary key); create table "éa"(id integer primary key)')
        self.assertEqual({"éa"}, set(self.infer("éA")))

    def test_a_refusal_of_the_generator_names_the_database(self):
        self.write("create table a(id integer primary key); create table b(id integer primary key)")
        with unittest.mock.patch("codegen.infer.command.target_names", lambda names: {name: "one" for name in names}):
            status, _, told = self.run_infer()
        self.assertEqual(3, status)
        self.assertIn("%s: the generator would refuse what was inferred from it; nothing was written:\n" % self.path, told)
        self.assertRegex(told, r'\nb.json:\d+: target: "one" is the target in a.json already')
        self.assertNotIn("bqsync-infer-", told)


class KeyTest(InferTest):
    def shape(self, sql):
        """Of table t: key and mode."""
        self.write(sql)
        document = self.infer()["t"]
        return document.get("key"), document["sync"]["mode"]

    def test_the_primary_key(self):
        self.assertEqual(self.shape("create table t(id integer primary key, a text unique not null)"),
                         (["id"], "upsert"))

    def test_a_row_id_stays_a_number_though_it_is_a_time(self):
        self.assertEqual(self.shape("create table t(at integer primary key); insert into t values (1704103200)"),
                         (["at"], "upsert"))
        self.assertEqual(self.definitions()["t"]["columns"][0]["type"], "INT64")
        self.assertIn("at: INT64; numbers that would be times as unix_s", self.report)

    def test_a_composite_key_in_its_own_order(self):
        self.assertEqual(self.shape("create table t(a int, b text, primary key (b, a)) without rowid"),
                         (["b", "a"], "upsert"))

    def test_a_unique_index_whose_columns_are_not_null(self):
        self.assertEqual(self.shape("""create table t(a int, b text not null, c text not null, d int not null);
                                       create unique index one on t(a);
                                       create unique index two on t(c, b);
                                       create unique index three on t(d) where d > 0;
                                       create unique index four on t(lower(b));"""), (["c", "b"], "upsert"))

    def test_none_is_replaced(self):
        self.assertEqual(self.shape("create table t(a int unique, b text)"), (None, "replace"))
        self.assertIn('(mode "replace")', self.report)

    def test_a_key_of_too_many_columns_is_none(self):
        names = ", ".join("c%d" % number for number in range(17))
        self.assertEqual(self.shape("create table t(%s, primary key (%s))" % (names, names)), (None, "replace"))
        self.assertIn("its primary key has 17 columns, and a key in BigQuery has at most 16", self.report)

    def test_a_primary_key_with_nulls_is_none(self):
        self.assertEqual(self.shape("create table t(a text primary key); insert into t values (null), ('x')"),
                         (None, "replace"))
        self.assertIn("a cannot be the key: a has NULLs", self.report)

    def test_two_spellings_of_one_key_are_none(self):
        self.assertEqual(self.shape("create table t(a primary key); insert into t values (7), ('7')"),
                         (None, "replace"))
        self.assertIn("BigQuery could not tell 1 of the 2 keys from another one", self.report)

    def test_keys_are_compared_as_values(self):
        for values, key in (
                ("(-1), (-2), (0)", ["k"]), ("(1.5), ('1.5')", None), ("('1e1'), ('10')", ["k"]),
                ("(x'61'), ('a')", None), ("(x'61'), (x'62')", ["k"])):
            os.remove(self.path) if os.path.exists(self.path) else None
            shutil.rmtree(self.out, ignore_errors=True)
            self.assertEqual(self.shape("create table t(k unique not null); insert into t values " + values)[0], key,
                             values)

    def test_moments_that_are_rounded_or_of_several_forms_stay_texts_in_a_key(self):
        self.write("""create table t(at datetime primary key); insert into t values (1704103200), (1704103200000);
                      create table u(at datetime primary key); insert into u values (1704103200.1), (1704103200.2);
                      create table v(at datetime primary key); insert into v values (1704103200), (1704103201);""")

        found = {name: document["columns"][0]["type"] for name, document in self.infer().items()}

        self.assertEqual(found, {"t": "STRING", "u": "STRING", "v": "TIMESTAMP"})

    def test_texts_that_are_one_date_stay_texts_in_a_key(self):
        self.assertEqual(self.shape("""create table t(at datetime primary key);
            insert into t values ('2024-01-01'), ('2024-01-01 00:00:00'), ('2024-01-02 10:00:00')"""),
                         (["at"], "upsert"))
        self.assertEqual(self.definitions()["t"]["columns"], [{"name": "at", "type": "STRING", "mode": "REQUIRED"}])

    def test_a_day_can_be_a_key(self):
        self.assertEqual(self.shape("create table t(day date primary key); insert into t values ('2024-01-01')"),
                         (["day"], "upsert"))
        self.assertEqual(self.definitions()["t"]["columns"][0]["type"], "DATE")

    def test_a_real_key_is_a_text(self):
        self.assertEqual(self.shape("create table t(a real primary key); insert into t values (1.5)"),
                         (["a"], "upsert"))
        self.assertEqual(self.definitions()["t"]["columns"][0]["type"], "STRING")


class PrivacyTest(InferTest):
    def test_secrets_are_left_out_and_the_report_says_how_to_get_them_back(self):
        for name, value in (("password_hash", BCRYPT), ("note", BCRYPT), ("apiKey", "abc"), ("salt", b"\xff"),
                            ("access_token", "abc"), ("x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
                            ("x", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc"), ("x", "ssh-rsa AAAAB3NzaC1yc2E"),
                            ("encryptedPassword", "abc"), ("totp_secret", "ABC")):
            self.assertEqual(self.column("", [value, value], name), "", name)
            self.assertIn("%s: left out, because" % name, self.report)
            self.assertIn('{ "name": "%s", "type": ' % name, self.report)

    def test_some_tables_hold_secrets_under_plain_names(self):
        self.write("""create table api_keys(id integer primary key, key text, name text);
                      create table django_session(session_key text primary key, session_data text);
                      create table settings(key text primary key, value text);
                      create table twofactor(id text primary key, data text);""")

        found = {name: document["sync"].get("ignore") for name, document in self.infer().items()}

        self.assertEqual(found, {"api_keys": ["key"], "django_session": ["session_data"], "settings": None,
                                 "twofactor": ["data"]})

    def test_what_is_left_out_is_ignored_on_purpose(self):
        self.write("create table users(id integer primary key, password text, token text)")

        self.assertEqual(self.infer()["users"]["sync"], {"mode": "upsert", "ignore": ["password", "token"]})

    def test_personal_data_is_hashed(self):
        for name, value in (("email", "x"), ("contact", "ada@example.com"), ("phone_number", "0301234567"),
                            ("x", "+49 30 1234567"), ("x", "(555) 123-4567"), ("x", "4111 1111 1111 1111"),
                            ("x", "4111111111111111"), ("iban", "DE02120300000000202051"), ("workEmail", "")):
            self.assertEqual(self.column("TEXT", [value], name), {"type": "STRING", "transform": "sha256"}, name)
            self.assertIn("%s: hashed, because" % name, self.report)
            self.assertIn('take out "transform": "sha256"', self.report)

    def test_numbers_can_be_personal(self):
        self.assertEqual(self.column("INTEGER", [4111111111111111]), {"type": "STRING", "transform": "sha256"})
        self.assertEqual(self.column("INTEGER", [491701234567], "mobile"),
                         {"type": "STRING", "transform": "sha256"})

    def test_names_and_numbers_that_only_look_so(self):
        for declared, name, value, kind in (
                ("TEXT", "token_type", "bearer", "STRING"), ("INTEGER", "tokens", 5, "INT64"),
                ("INTEGER", "password_attempts", 3, "INT64"), ("BOOLEAN", "email_verified", 1, "BOOL"),
                ("DATETIME", "email_verified_at", "2024-01-01", "TIMESTAMP"), ("TEXT", "hash", "ab12", "STRING"),
                ("INTEGER", "x", 4111111111111112, "INT64"), ("TEXT", "x", "4111111111111112", "STRING"),
                ("INTEGER", "is_mobile", 1, "INT64"), ("INTEGER", "email_frequency", 1234567, "INT64"),
                ("INTEGER", "fax", 5, "INT64"), ("TEXT", "secretary", "Ada", "STRING"),
                ("TEXT", "x", "2024-01-01-123", "STRING")):
            self.assertEqual(self.column(declared, [value], name), {"type": kind}, name)

    def test_a_secret_key_is_hashed_since_rows_are_known_by_it(self):
        self.write("create table sessions(session_key text primary key); insert into sessions values ('abc')")

        document = self.infer()["sessions"]

        self.assertEqual(document["key"], ["session_key"])
        self.assertEqual(document["columns"][0]["transform"], "sha256")

    def test_the_text_that_names_a_session_is_hashed(self):
        self.write("""create table sessions(id text primary key, n int);
                      create table user_session(id integer primary key);""")

        found = {name: document["columns"][0] for name, document in self.infer().items()}

        self.assertEqual(found["sessions"].get("transform"), "sha256")
        self.assertEqual(found["user_session"]["type"], "INT64")

    def test_what_foreign_keys_join_stays_joinable(self):
        self.write("""create table users(email text primary key);
                      create table logins(id integer primary key, who text references users, n int);
                      insert into users values ('ada@example.com');
                      insert into logins(who) values ('ada@example.com');""")

        columns = self.infer()["logins"]["columns"]

        self.assertEqual(columns[1], {"name": "who", "type": "STRING", "transform": "sha256"})

    def test_a_foreign_key_is_read_as_the_key_that_it_names(self):
        self.write("""create table a(id integer primary key); create table b(a_id text references a(id));
                      insert into a values (1); insert into b values ('1');""")

        self.assertEqual(self.infer()["b"]["columns"], [{"name": "a_id", "type": "INT64"}])


class UnfitTest(InferTest):
    """Values that do not fit what all others are."""

    def definition(self, declared, values, name="c"):
        """on_reject, and the column."""
        self.write('create table t(id integer primary key, "%s" %s)' % (name, declared),
                   [('insert into t("%s") values (?)' % name, [(value,) for value in values])])
        document = self.infer()["t"]
        return document.get("on_reject"), document["columns"][1]

    def test_less_than_one_percent_of_misfits_does_not_make_a_text(self):
        self.assertEqual(self.definition("INTEGER NOT NULL", [7] * 200 + ["n/a"]),
                         ("column", {"name": "c", "type": "INT64"}))
        self.assertIn("c: INT64; 1 of 201 values do not fit and stand in _bqsync_unfit", self.report)

    def test_one_percent_does(self):
        self.assertEqual(self.definition("INTEGER", [7] * 99 + ["n/a"]), (None, {"name": "c", "type": "STRING"}))

    def test_reals_that_a_text_would_change_stay_numbers(self):
        for declared, values in (("REAL", [0.1 + 0.2] * 19 + ["n/a"]), ("", [0.1 + 0.2] * 10 + ["n/a"] * 10),
                                 ("REAL", [1.5] * 8 + [1 / 3] + ["n/a"] * 11), ("REAL", [1e15 + 0.125, "n/a"])):
            with self.subTest(declared=declared, values=values):
                self.setUp()
                self.assertEqual(self.definition(declared, values), ("column", {"name": "c", "type": "FLOAT64"}))
                self.assertIn("of %d values do not fit and stand in _bqsync_unfit" % len(values), self.report)

    def test_reals_that_a_text_keeps_may_be_one(self):
        self.assertEqual(self.definition("REAL", [0.1, 1e300, -2.5, 1e14, 2.0**40, "n/a"]),
                         (None, {"name": "c", "type": "STRING"}))
        self.assertNotIn("15", self.report)

    def test_the_report_counts_reals_that_a_text_changes(self):
        self.assertEqual(self.definition("", ["a"] * 9 + [0.1 + 0.2, 1.5]), (None, {"name": "c", "type": "STRING"}))
        self.assertIn("c: STRING; 1 of its 2 reals have more digits than the 15 of SQLite's text, so they are sent as "
                      "other numbers", self.report)

    def test_the_report_counts_texts_that_a_number_changes(self):
        self.assertEqual(self.definition("", [0.1 + 0.2] * 9 + ["007", "7"]), (None, {"name": "c", "type": "FLOAT64"}))
        self.assertIn("c: FLOAT64; 1 of its 2 texts are sent as numbers, without the zeros and signs", self.report)

    def test_a_real_key_that_a_text_changes_is_counted_too(self):
        self.write("create table t(a real primary key); insert into t values (0.1 + 0.2), (0.5)")

        document = self.infer()["t"]

        self.assertEqual((document["key"], document.get("on_reject")), (["a"], None))
        self.assertIn("a: STRING; 1 of its 2 reals have more digits", self.report)

    def test_times_with_a_few_misfits(self):
        self.assertEqual(self.definition("TEXT", ["2024-01-01 10:00:00"] * 200 + ["soon", ""], "created_at"),
                         ("column", {"name": "created_at", "type": "TIMESTAMP", "empty": "null"}))

    def test_a_text_without_a_hint_stays_one(self):
        self.assertEqual(self.definition("TEXT", ["2024-01-01"] * 200 + ["soon"]),
                         (None, {"name": "c", "type": "STRING"}))

    def test_what_no_type_reads_is_what_most_are(self):
        self.assertEqual(self.definition("INTEGER", [7, 8, b"\xff"]), ("column", {"name": "c", "type": "INT64"}))


class CatalogTest(InferTest):
    def test_descriptions_come_from_comments(self):
        self.write("create table t( -- all things\n id integer primary key, -- its number\n a text /* free */)")

        document = self.infer()["t"]

        self.assertEqual(document["description"], "all things")
        self.assertEqual([column["description"] for column in document["columns"]], ["its number", "free"])

    def test_views_and_virtual_tables_are_offered_and_their_parts_are_not(self):
        self.write("""create table t(id integer primary key, a text); insert into t values (1, 'x');
                      create view v as select a, id from t;
                      create virtual table f using fts5(body); insert into f values ('x');
                      create table bq_sync_tracking(table_name text primary key);""")

        self.assertEqual(list(self.infer()), ["t"])
        self.assertIn("v: a view, which is left out unless it is named: bqsync-gen infer", self.report)
        self.assertIn("f: a virtual table", self.report)
        self.assertIn("f_data: passed over, belongs to the virtual table f", self.report)
        self.assertNotIn("bq_sync", self.report)

        found = self.infer("v", "F")
        self.assertEqual(found["v"]["sync"], {"mode": "replace"})
        self.assertEqual([column["name"] for column in found["v"]["columns"]], ["a", "id"])
        self.assertEqual([column["name"] for column in found["f"]["columns"]], ["body"])

    def test_generated_columns_and_strict_tables(self):
        self.write("""create table t(id integer primary key, a int as (id * 2), b text as ('x') stored) strict;
                      insert into t(id) values (1);""")

        self.assertEqual([column["type"] for column in self.infer()["t"]["columns"]],
                         ["INT64", "INT64", "STRING"])

    def test_two_thousand_columns_are_one_too_many(self):
        self.write("create table t(%s)" % ", ".join("c%d int" % number for number in range(2000)))

        self.assertEqual(len(self.infer()["t"]["columns"]), 1999)
        self.assertIn("c1999: left out, because a definition has at most 1999 columns", self.report)

    def test_a_key_behind_two_thousand_columns_is_sent(self):
        self.write("create table t(%s, id integer primary key)" % ", ".join("c%d int" % n for n in range(1999)))

        found = self.infer()["t"]
        self.assertEqual((len(found["columns"]), found["key"]), (1999, ["id"]))
        self.assertIn("c1998: left out, because a definition has at most 1999 columns", self.report)

    def test_a_command_to_copy_is_quoted(self):
        self.path = os.path.join(self.folder, "my app.db")
        self.write("create table t(id integer primary key); create view \"a v\" as select id from t")

        self.infer()
        self.assertIn("bqsync-gen infer '%s' 'a v'" % self.path, self.report)

    def test_odd_names(self):
        self.write('create table "od""d tab:le" ("" int, "a b" int, "\t" int, "a\'b" int)')

        document = self.infer()['od"d tab:le']

        self.assertEqual(document["target"], "od_d_tab_le")
        self.assertEqual(document["columns"], [
            {"name": "a_b", "type": "INT64", "source": "a b"},
            {"name": "a_b_2", "type": "INT64", "source": "a'b"}])

    def test_names_that_no_definition_can_hold(self):
        self.write('create table "a\nb" (id integer primary key); create table "%s" (id int);'
                   'create table t(id int, "\x7f" int)' % ("x" * 256))
        database = sqlite3.connect(self.path)
        database.execute("pragma writable_schema = 1")
        database.execute("update sqlite_master set sql = cast(x'" + b'create table t(id int, "\xff" int)'.hex()
                         + "' as text) where name = 't'")
        database.commit()
        database.close()

        self.assertEqual(self.infer()["t"]["columns"], [{"name": "id", "type": "INT64"}])
        self.assertIn("a\\u000ab: passed over, its name cannot be written in a definition", self.report)
        self.assertIn("x" * 256 + ": passed over", self.report)
        self.assertIn("\\udcff: left out, because its name cannot be written in a definition", self.report)

    def test_names_with_characters_next_to_those_that_none_can_have(self):
        held = ["a b", "a~b", "a\u00a0b", "a\ud7ffb", "a\ue000b"]
        left_out = ["a\x1fb", "a\x7fb", "a\x9fb"]
        self.write("create table t(id integer primary key, %s)" % ", ".join(f'"{name}" int' for name in held + left_out))

        columns = self.infer()["t"]["columns"]

        self.assertEqual([column.get("source", column["name"]) for column in columns], ["id", *held])

    def test_half_of_a_surrogate_pair_in_utf16(self):
        self.write("""pragma encoding = 'UTF-16le'; create table t(id integer primary key, a text, b text);
                      insert into t values (1, 'größe', 'x'), (2, cast(x'00d8' as text), '😀')""")

        document = self.infer()["t"]

        self.assertEqual(document["on_reject"], "column")
        self.assertIn("a: STRING; 1 of 2 values do not fit", self.report)
        self.assertNotIn("b: STRING", self.report)

    def test_utf16(self):
        self.write("pragma encoding = 'UTF-16le'; create table t(a text); insert into t values ('größe')")

        self.assertEqual(self.infer()["t"]["columns"], [{"name": "a", "type": "STRING"}])


if __name__ == "__main__":
    unittest.main()

"""What each type of column may be used for, as BigQuery's documentation says it ("Data types", "Use primary and foreign
keys", "Create clustered tables"); and how wide generated C gets."""

import os
import re
import unittest

from codegen import layout, manual, naming, output, place, typemap
from tests.codegen.support import ROOT, definition, load_table

WHOLE = {"INT64", "BOOL", "STRING", "NUMERIC", "BIGNUMERIC", "DATE", "DATETIME", "TIMESTAMP"}
# Comparable, and the same value has the same bytes everywhere.
KEYS = WHOLE | {"BYTES", "TIME"}
PRIMARY_KEYS = WHOLE | {"BYTES"}
CLUSTERS = WHOLE | {"GEOGRAPHY"}


def ddl(key, **bigquery):
    table = load_table(definition("t", [key], [("id", "INT64"), ("c", bigquery.pop("type"))], bigquery=bigquery))
    return output.render((table,))["t.ddl.sql"].lower()


class TypesTest(unittest.TestCase):
    def test_the_types_that_may_be_keys_are_those(self):
        for name in typemap.BY_NAME:
            with self.subTest(name):
                if name in KEYS:
                    self.assertEqual(name in PRIMARY_KEYS, "primary key (`c`)" in ddl("c", type=name))
                else:
                    with self.assertRaisesRegex(AssertionError, name):
                        ddl("c", type=name)

    def test_the_types_that_may_cluster_a_table_are_those(self):
        for name in typemap.BY_NAME:
            with self.subTest(name):
                if name in CLUSTERS:
                    self.assertIn("cluster by `c`", ddl("id", type=name, cluster_by=["c"]))
                else:
                    with self.assertRaisesRegex(AssertionError, name):
                        ddl("id", type=name, cluster_by=["c"])

    def test_a_line_of_100_characters_is_not_broken(self):
        for width, lines in (100, 1), (101, 2):
            arguments = ["x" * (width - len("    f();"))]
            self.assertEqual(lines, layout.call("f", arguments).count("\n") + 1)
            arguments = ["x" * (width - len("    a = f();"))]
            self.assertEqual(lines, layout.assignment("a", "f", arguments).count("\n") + 1)
            self.assertEqual(lines == 2, "clang-format off" in layout.code(["x" * width]))

    def test_the_version_is_that_of_the_project(self):
        with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
            self.assertIn("project(bqsync VERSION %s " % place.version(), file.read())

    def test_completions_ask_for_a_value_where_an_option_has_one(self):
        lines = [line for line in manual.fish().splitlines() if " -l " in line]

        self.assertEqual({"check": False, "schemas": True, "output": True}, {
            name: " -r " in line for line in lines for name in re.findall(r" -l (check|schemas|output) ", line)})

    def test_the_manual_names_each_option(self):
        text = manual.man()

        for option in ("schemas", "check", "output"):
            self.assertIn("\n.B \\-\\-%s" % option, text)

    def test_two_columns_never_have_one_field(self):
        names = ["int", "int_", "__x", "__x_", "__x__", "id"]

        fields = naming.c_fields(names)

        self.assertEqual(len(names), len(set(fields.values())))
        self.assertEqual("id", fields["id"])


if __name__ == "__main__":
    unittest.main()

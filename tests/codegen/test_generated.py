"""The generated files of the project and of the golden cases: C that compilers and the formatter
accept, SQL that fits the tables, JSON that editors and BigQuery understand."""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from codegen import schema
from codegen.forms import OPTIONS, TIME_FORMATS
from codegen.naming import c_fields, c_string, googlesql_name, googlesql_string
from codegen.typemap import TYPES
from tests.codegen.golden import GOLDEN, SCHEMA_DOC, cases, schema_doc
from tests.codegen.support import ROOT

STRICT = (
    "-std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes "
    "-Wstrict-prototypes -Werror -fsyntax-only").split()


def directories():
    """Where generated C is: the project's own and that of the good golden cases."""
    yield os.path.join(ROOT, "generated")
    for _, directory in cases():
        if os.path.isdir(os.path.join(directory, "expected")):
            yield os.path.join(directory, "expected")


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class CompilerTest(unittest.TestCase):
    def test_c_compiles_without_warnings(self):
        compilers = [name for name in ("gcc", "clang") if shutil.which(name)]
        self.assertTrue(compilers, "no C compiler")
        for compiler in compilers:
            for directory in directories():
                with self.subTest(compiler=compiler, directory=directory):
                    done = subprocess.run(
                        [compiler, *STRICT, "-iquote", directory, "-I",
                         os.path.join(ROOT, "runtime")]
                        + sorted(glob.glob(os.path.join(directory, "*.c"))),
                        capture_output=True, encoding="utf-8")

                    self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_a_file_made_for_another_runtime_says_regenerate(self):
        with tempfile.TemporaryDirectory() as directory:
            shutil.copytree(os.path.join(ROOT, "runtime"), os.path.join(directory, "runtime"))
            header = os.path.join(directory, "runtime", "base", "table.h")
            with open(header, encoding="utf-8") as file:
                text = file.read()
            with open(header, "w", encoding="utf-8") as file:
                file.write(re.sub(r"(#define TABLE_DESCRIPTOR_VERSION) \d+", r"\1 9999", text))

            done = subprocess.run(
                ["cc", *STRICT, "-I", os.path.join(directory, "runtime"),
                 os.path.join(ROOT, "generated", "users.c")], capture_output=True, encoding="utf-8")

        self.assertNotEqual(0, done.returncode)
        self.assertIn("regenerate with python3 -m codegen", done.stderr)

    def test_the_formatter_changes_nothing(self):
        formatter = shutil.which("clang-format")
        if formatter is None:
            self.skipTest("clang-format is not installed: the layout of generated C is NOT checked")
        for directory in directories():
            with self.subTest(directory):
                sources = sorted(
                    glob.glob(os.path.join(directory, "*.c"))
                    + glob.glob(os.path.join(directory, "*.h")))

                done = subprocess.run(
                    [formatter, "--dry-run", "-Werror", "--style=file", *sources],
                    capture_output=True, encoding="utf-8", cwd=ROOT)

                self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_texts_in_c_are_those_of_the_files(self):
        # A C program that prints what the descriptors hold: the compiler reads the literals.
        with tempfile.TemporaryDirectory() as directory:
            generated = os.path.join(GOLDEN, "good_awkward_names", "expected")
            main = os.path.join(directory, "main.c")
            with open(main, "w", encoding="utf-8") as file:
                file.write(
                    '#include "registry.h"\n#include "encode/avro.h"\n#include "encode/column.h"\n'
                    "#include <stdio.h>\nint main(void)\n{\n"
                    "    for (size_t i = 0; i < registry_count; i++)\n"
                    '        printf("%s;\\n%s\\n", registry_tables[i]->ddl_sql,\n'
                    "               registry_tables[i]->schema_json);\n    return 0;\n}\n")
                for function in sorted({
                        name for row in TYPES for name in (
                            "%s %s(struct column_reader *in, size_t column) { (void)in; "
                            "(void)column; return (%s){0}; }" % (
                                row.c_type, row.c_reader, row.c_type),
                            "void %s(struct avro_writer *out, %s value) { (void)out; (void)value; }"
                            % (row.c_writer, row.c_type))}):
                    file.write(function + "\n")
            program = os.path.join(directory, "main")
            subprocess.run(
                ["cc", "-std=c17", "-D_GNU_SOURCE", "-iquote", generated, "-I",
                 os.path.join(ROOT, "runtime"), "-o", program, main]
                + sorted(glob.glob(os.path.join(generated, "*.c"))), check=True)

            printed = subprocess.run([program], capture_output=True, check=True).stdout.decode()

            for stem in ("int", "order_items"):
                with open(os.path.join(generated, stem + ".ddl.sql"), encoding="utf-8") as file:
                    ddl = "".join(line for line in file if not line.startswith("--"))
                with open(os.path.join(generated, stem + ".schema.json"), encoding="utf-8") as file:
                    self.assertIn(ddl + file.read(), printed)


class NamingTest(unittest.TestCase):
    def test_fields_are_distinct_and_free(self):
        self.assertEqual(
            {"int": "int__", "int_": "int_", "id": "id", "NULL": "NULL_", "_X": "_X_"},
            c_fields(["int", "int_", "id", "NULL", "_X"]))

    def test_c_strings_cannot_end_early_or_turn_into_others(self):
        for text, expected in (
                ('a"b\\c', '"a\\"b\\\\c"'), ("\n\t\r", '"\\n\\t\\r"'), ("\x01" + "1", '"\\0011"'),
                ("??)", '"?\\?)"'), ("???", '"?\\?\\?"'), ("é😀", '"é😀"'), ("\u202e1", '"\\342\\200\\2561"')):
            with self.subTest(text):
                self.assertEqual(expected, c_string(text))

    def test_googlesql_texts_cannot_end_early_or_look_like_placeholders(self):
        self.assertEqual('"a\\"b\\\\\\n\\u0001\\x24{x}"', googlesql_string('a"b\\\n\x01${x}'))
        self.assertEqual("`a\\`b`", googlesql_name("a`b"))


class EditorSchemaTest(unittest.TestCase):
    """table.schema.json says what the generator says, as far as a JSON Schema can."""

    def setUp(self):
        self.schema = read_json(os.path.join(ROOT, "schemas", schema.EDITOR_SCHEMA))

    def complaints(self, value, rule, path="$"):
        """The violations of the subset of draft-07 that the file uses."""
        if "$ref" in rule:
            rule = self.schema["definitions"][rule["$ref"].rsplit("/", 1)[1]]
        known = {
            "$schema", "title", "description", "default", "definitions", "type", "enum", "pattern",
            "not", "minLength", "maxLength", "required", "properties", "additionalProperties",
            "propertyNames", "maxProperties", "items", "minItems", "maxItems", "uniqueItems", "const",
            "if", "else", "minimum", "maximum"}
        self.assertLessEqual(set(rule), known)
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
        if "type" in rule and not isinstance(value, kinds[rule["type"]]):
            return [path + ": type"]
        found = []
        if "enum" in rule and value not in rule["enum"]:
            found.append(path + ": enum")
        if "const" in rule and value != rule["const"]:
            found.append(path + ": const")
        if "if" in rule and self.complaints(value, rule["if"], path):
            found += self.complaints(value, rule["else"], path)
        if isinstance(value, int) and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
            found.append(path + ": range")
        if isinstance(value, str):
            found += [
                path + ": " + name for name, bad in (
                    ("pattern", not re.search(rule.get("pattern", ""), value)),
                    ("not", "not" in rule and re.search(rule["not"]["pattern"], value)),
                    ("minLength", len(value) < rule.get("minLength", 0)),
                    ("maxLength", len(value) > rule.get("maxLength", len(value)))) if bad]
        if isinstance(value, list):
            found += [
                path + ": " + name for name, bad in (
                    ("minItems", len(value) < rule.get("minItems", 0)),
                    ("maxItems", len(value) > rule.get("maxItems", len(value))),
                    ("uniqueItems", rule.get("uniqueItems") and any(
                        item in value[:index] for index, item in enumerate(value)))) if bad]
            for index, item in enumerate(value):
                found += self.complaints(item, rule.get("items", {}), "%s[%d]" % (path, index))
        if isinstance(value, dict):
            found += [path + ": required " + k for k in rule.get("required", []) if k not in value]
            if len(value) > rule.get("maxProperties", len(value)):
                found.append(path + ": maxProperties")
            for key, item in value.items():
                found += self.complaints(key, rule.get("propertyNames", {}), path + " key")
                inner = rule.get("properties", {}).get(key, rule.get("additionalProperties", {}))
                found += [path + ": unknown " + key] if inner is False else self.complaints(
                    item, inner, path + "." + key)
        return found

    def test_it_accepts_what_the_generator_accepts(self):
        paths = glob.glob(os.path.join(ROOT, "schemas", "*.json"))
        paths += glob.glob(os.path.join(GOLDEN, "good_*", "schemas", "*.json"))
        for path in sorted(paths):
            if os.path.basename(path) != schema.EDITOR_SCHEMA:
                with self.subTest(path):
                    self.assertEqual([], self.complaints(read_json(path), self.schema))

    def test_it_refuses_what_needs_no_look_at_other_parts(self):
        for case in (
                "bad_types", "bad_modes", "bad_missing_keys", "bad_unknown_keys", "bad_wrong_kinds",
                "bad_empty_values", "bad_descriptions", "bad_labels", "bad_policy_tags",
                "bad_transforms", "bad_formats", "bad_forms", "bad_column_names", "bad_clustering",
                "bad_no_key"):
            with self.subTest(case):
                document = read_json(os.path.join(GOLDEN, case, "schemas", "users.json"))
                self.assertNotEqual([], self.complaints(document, self.schema))
        for name in ("days", "fractions", "many", "nothing", "weeks", "words"):
            with self.subTest(name):
                document = read_json(os.path.join(GOLDEN, "bad_history", "schemas", name + ".json"))
                self.assertNotEqual([], self.complaints(document, self.schema))

    def test_it_knows_the_same_types(self):
        column = self.schema["definitions"]["column"]["properties"]
        self.assertEqual([row.name for row in TYPES], column["type"]["enum"])

    def test_it_knows_the_same_formats_and_options(self):
        column = self.schema["definitions"]["column"]["properties"]
        self.assertEqual([row.name for row in TIME_FORMATS], self.schema["definitions"]["format"]["enum"])
        for key in {option.key for option in OPTIONS if option.value}:
            self.assertEqual([option.value for option in OPTIONS if option.key == key], column[key]["enum"])


class SchemaDocTest(unittest.TestCase):
    def test_its_tables_are_those_of_the_generator(self):
        with open(SCHEMA_DOC, encoding="utf-8") as file:
            self.assertEqual(schema_doc(), file.read(), "run python3 -m tests.codegen.rewrite")


class DefinitionsTest(unittest.TestCase):
    def setUp(self):
        loaded = schema.load(os.path.join(ROOT, "schemas"))
        self.assertEqual((), loaded.messages)
        self.tables = loaded.tables

    def test_every_table_and_column_is_described(self):
        for table in self.tables:
            self.assertTrue(table.description, table.name)
            for column in table.columns:
                self.assertTrue(column.description, "%s.%s" % (table.name, column.name))

    def test_the_bigquery_schema_can_be_read_back(self):
        for table in self.tables:
            with self.subTest(table.name):
                fields = read_json(
                    os.path.join(ROOT, "generated", table.stem + ".schema.json"))
                self.assertEqual(
                    [(column.name, column.type.name, column.required) for column in table.columns],
                    [(field["name"], field["type"], field["mode"] == "REQUIRED")
                     for field in fields])


if __name__ == "__main__":
    unittest.main()

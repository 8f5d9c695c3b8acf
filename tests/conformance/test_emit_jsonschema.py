"""The package jsonschema judges the JSON Schemas of rows, and rows as BigQuery writes them by them."""

import json
import unittest

from tests.conformance import emitted

VALIDATE = """
import json, sys
from jsonschema import Draft202012Validator
schema, rows = json.load(sys.stdin)
Draft202012Validator.check_schema(schema)
print(json.dumps([[list(error.absolute_path) for error in Draft202012Validator(schema).iter_errors(row)]
                  for row in rows]))
"""
# In the encodings of an export, and of TO_JSON_STRING.
EXPORTED = {"int64_value": "-9223372036854775808", "float64_value": 1.5, "bool_value": True, "string_value": "ä",
            "bytes_value": "AQID", "numeric_value": "1.50", "bignumeric_value": "-3", "date_value": "2024-02-29",
            "time_value": "10:00:00.5", "datetime_value": "2024-01-01T10:00:00", "json_value": {"a": [1]},
            "timestamp_value": "2024-01-01 10:00:00.5 UTC", "geography_value": "POINT(1 2)"}
PRINTED = {"int64_value": 5, "float64_value": "NaN", "bool_value": False, "string_value": "", "bytes_value": "",
           "numeric_value": 3, "bignumeric_value": 1, "date_value": None, "time_value": "10:00:00",
           "datetime_value": "2024-01-01T10:00:00.123456", "json_value": None,
           "timestamp_value": "2024-01-01T10:00:00.123456Z",
           "geography_value": {"type": "Point", "coordinates": [1, 2]}, "only_in_bigquery": 1}
WRONG = {"int64_value": 1.5, "float64_value": "1.5", "bool_value": 1, "string_value": 1, "bytes_value": "~",
         "numeric_value": "1e3", "bignumeric_value": "x", "date_value": "2024-1-1", "time_value": "10:00",
         "datetime_value": "2024-01-01", "timestamp_value": "2024-01-01T10:00:00", "geography_value": 1}


class JsonSchemaTest(unittest.TestCase):
    def setUp(self):
        self.packages = emitted.Packages("emitted")

    def wrong(self, schema, *rows):
        """The places in each row that the schema refuses."""
        return [[".".join(map(str, place)) for place in found]
                for found in self.packages.answer(VALIDATE, [schema, rows])]

    def schema(self, folder, table):
        return json.loads(emitted.text("jsonschema", folder))["$defs"][table]

    def test_every_schema_is_one(self):
        for folder in emitted.FOLDERS:
            with self.subTest(folder):
                self.wrong(json.loads(emitted.text("jsonschema", folder)))
                for table in emitted.tables(folder):
                    self.assertEqual([column.name for column in table.target_columns],
                                     list(self.schema(folder, table.stem)["properties"]))

    def test_rows_of_every_type_pass_and_wrong_ones_do_not(self):
        bag = self.schema("awkward", "bag")

        self.assertEqual([[], [], []], self.wrong(bag, EXPORTED, PRINTED, {}))
        for column, value in WRONG.items():
            self.assertEqual([[column]], self.wrong(bag, {**EXPORTED, column: value}))

    def test_what_is_required_and_what_transforms_make(self):
        odd = self.schema("awkward", "odd")
        row = {"id": "1", "yes": True, "phone": "[redacted]", "note": "12345", "born": None}
        orders = {"order": "1", "group": "a", "email": "0" * 64}

        self.assertEqual([[]], self.wrong(odd, row))
        self.assertEqual([["phone"], ["note"], ["born"], ["yes"], [""]], self.wrong(
            odd, {**row, "phone": "555"}, {**row, "note": "123456"}, {**row, "born": "2024-01-01"},
            {**row, "yes": None}, {key: value for key, value in row.items() if key != "id"}))
        self.assertEqual([[], ["email"]], self.wrong(
            self.schema("awkward", "orders"), orders, {**orders, "email": "a@x"}))


if __name__ == "__main__":
    unittest.main()

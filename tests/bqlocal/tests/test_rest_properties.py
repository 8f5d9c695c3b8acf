"""Nothing in a request is taken and not done.

bqlocal's tables say of every property of Google's discovery document (discovery_facts.json has its names and types),
of every query parameter and of the headers that clients send whether it is done, harmless for a reason, or refused.
The walk compares both and tries what is refused.
"""

import json
import pathlib
import unittest

from tests.support.bqlocal import Bqlocal, HttpError

FACTS = json.loads((pathlib.Path(__file__).parent / "discovery_facts.json").read_text())
# What Google's document does not have and its own clients for Python and Node.js send.
BESIDES = {**{f"jobs.{method}": {"projection": "TEXT"} for method in ("get", "cancel", "delete")},
           "Dataset": {"projectId": "TEXT"}, "JobConfigurationLoad": {"location": "TEXT"}}
# The bodies of requests, and where each is sent.
ROOTS = {"Dataset": ("PATCH", "datasets/d"), "Table": ("PATCH", "datasets/d/tables/t"), "Job": ("POST", "jobs"),
         "QueryRequest": ("POST", "queries")}
VALUES = {"TEXT": "x", "INT64": "1", "NUMBER": 1, "BOOL": True, "OBJECT": {"x": "y"}, "LIST": ["x"], "MAP": {"x": "y"}}
EMPTY = {"TEXT": "", "INT64": "0", "NUMBER": 0, "BOOL": False, "OBJECT": {}, "LIST": [], "MAP": {}}
# Values that a property of the type cannot have: in a body, and in a URL.
WRONG = {"TEXT": {"x": 1}, "INT64": "x", "NUMBER": "x", "COUNT": -1, "COUNT64": -1, "BOOL": "x", "OBJECT": "x",
         "LIST": "x", "MAP": "x"}
WRONG_TEXT = {"INT64": "x", "NUMBER": "x", "COUNT": "-1", "COUNT64": "-1", "BOOL": "x"}
METHODS = {
    "datasets.delete": ("DELETE", "datasets/nosuch"), "datasets.get": ("GET", "datasets/d"),
    "datasets.insert": ("POST", "datasets"), "datasets.list": ("GET", "datasets"),
    "datasets.patch": ("PATCH", "datasets/d"), "datasets.update": ("PUT", "datasets/d"),
    "jobs.cancel": ("POST", "jobs/j/cancel"), "jobs.delete": ("DELETE", "jobs/j/delete"), "jobs.get": ("GET", "jobs/j"),
    "jobs.getQueryResults": ("GET", "queries/j"), "jobs.list": ("GET", "jobs"),
    "models.list": ("GET", "datasets/d/models"), "projects.list": ("GET", "/bigquery/v2/projects"),
    "routines.list": ("GET", "datasets/d/routines"),
    "rowAccessPolicies.list": ("GET", "datasets/d/tables/t/rowAccessPolicies"),
    "tabledata.list": ("GET", "datasets/d/tables/t/data"), "tables.get": ("GET", "datasets/d/tables/t"),
    "tables.list": ("GET", "datasets/d/tables"), "tables.patch": ("PATCH", "datasets/d/tables/t"),
    "tables.update": ("PUT", "datasets/d/tables/t"), "parameters": ("GET", "datasets"),
}


class Properties(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bq = cls.enterClassContext(Bqlocal())
        cls.bq.query("create table d.t (id int64, day date)")
        cls.tables = cls.bq.get("/bqlocal/properties")

    def refuse(self, status, named, method, path, body=None, headers=None):
        with self.assertRaises(HttpError) as caught:
            self.bq.request(method, path, body, headers=headers)
        self.assertEqual(status, caught.exception.status, caught.exception.message)
        self.assertIn(named, caught.exception.message)

    def passes(self, named, method, path, body):
        """Whatever else is wrong with the request, it is not this."""
        try:
            self.bq.request(method, path, body)
        except HttpError as error:
            self.assertNotIn(named, error.message)

    def places(self):
        """Each schema, the request that has it and the path of keys to it, lists as 0."""
        found = {root: (*where, ()) for root, where in ROOTS.items()}
        todo = list(found)
        for schema in todo:
            method, path, keys = found[schema]
            for name, row in self.tables[schema].items():
                inner = row.get("schema")
                if inner in self.tables and inner not in found:
                    found[inner] = (method, path, (*keys, name) + ((0,) if row["type"] == "LIST" else ()))
                    todo.append(inner)
        return found

    def body(self, keys, name, value):
        value = {name: value}
        for key in reversed(keys):
            value = [value] if key == 0 else {key: value}
        return value

    # The tables and Google's document

    def test_the_tables_have_what_googles_document_has(self):
        for name, facts in {**FACTS["schemas"], **FACTS["methods"]}.items():
            with self.subTest(name):
                self.assertEqual({**facts, **BESIDES.get(name, {})}, {key: row["type"] for key, row in self.tables[name].items()})

    def test_every_request_is_in_a_table(self):
        self.assertEqual(set(FACTS["schemas"]), set(self.places()))
        self.assertEqual(set(FACTS["schemas"]) | set(FACTS["methods"]) | {"headers", "uploads"}, set(self.tables))

    def test_the_discovery_document_has_every_method_with_its_parameters(self):
        document = self.bq.get("/$discovery/rest?version=v2")
        for name, facts in FACTS["methods"].items():
            if name in METHODS and "." in name:
                with self.subTest(name):
                    resource, _, method = name.partition(".")
                    found = document["resources"][resource]["methods"][method]
                    parameters = {key for key, one in found["parameters"].items() if one["location"] == "query"}
                    self.assertEqual({*facts, *BESIDES.get(name, {})}, parameters)
                    self.assertEqual(found["path"].count("{"), len(found["parameters"]) - len(parameters))
        self.assertEqual("projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}",
                         document["resources"]["tables"]["methods"]["get"]["path"])
        self.assertEqual("1", self.bq.get("/bigquery/v2/projects")["projects"][0]["numericId"])

    def test_what_is_harmless_says_why(self):
        for schema, rows in self.tables.items():
            for name, row in rows.items():
                with self.subTest(f"{schema}.{name}"):
                    self.assertEqual(row["treatment"] == "harmless", len(row.get("reason", "")) > 10)

    # Bodies

    def test_what_is_refused_is_refused_by_name(self):
        for schema, (method, path, keys) in self.places().items():
            for name, row in self.tables[schema].items():
                if row["treatment"] == "refused":
                    with self.subTest(f"{schema}.{name}"):
                        self.refuse(501, name, method, path, self.body(keys, name, VALUES[row["type"]]))
                        self.passes("does not do", method, path, self.body(keys, name, EMPTY[row["type"]]))
                        self.passes("does not do", method, path, self.body(keys, name, None))

    def test_values_are_those_of_the_tables(self):
        for schema, (method, path, keys) in self.places().items():
            for name, row in self.tables[schema].items():
                if "values" not in row:
                    continue
                done, _, refused = row["values"].partition(";")
                wrap = (lambda value: [value]) if row["type"] == "LIST" else (lambda value: value)
                with self.subTest(f"{schema}.{name}"):
                    for value in done.split("|"):
                        self.passes("not a valid value", method, path, self.body(keys, name, wrap(value)))
                        self.passes("does not do", method, path, self.body(keys, name, wrap(value)))
                    for value in filter(None, refused.split("|")):
                        self.refuse(501, value, method, path, self.body(keys, name, wrap(value)))
                    bogus = "77" if row["type"] == "INT64" else "BOGUS"
                    self.refuse(400, bogus, method, path, self.body(keys, name, wrap(bogus)))

    def test_names_that_google_does_not_know_and_wrong_types_are_refused(self):
        for schema, (method, path, keys) in self.places().items():
            with self.subTest(schema):
                self.refuse(400, "nosuch", method, path, self.body(keys, "nosuch", 1))
            for name, row in self.tables[schema].items():
                if row["treatment"] != "refused" and row["type"] in WRONG:
                    with self.subTest(f"{schema}.{name}"):
                        self.refuse(400, name, method, path, self.body(keys, name, WRONG[row["type"]]))

    def test_labels_are_lower_case_and_short(self):
        for labels in ({"Key": "v"}, {"key": "V"}, {"1key": "v"}, {"": "v"}, {"k" * 64: "v"}, {"k": "v" * 64},
                       {"a b": "v"}, {"k": 1}, {f"k{n}": "" for n in range(65)}):
            with self.subTest(labels=list(labels.items())[:1]):
                self.refuse(400, "label", "PATCH", "datasets/d", {"labels": labels})
        self.bq.patch("datasets/d", {"labels": {"größe-1_x": "", "k" * 63: "é" * 63}})

    # Query parameters and headers

    def test_query_parameters_are_done_harmless_or_refused(self):
        for schema, (method, path) in METHODS.items():
            for name, row in self.tables[schema].items():
                with self.subTest(f"{schema}.{name}"):
                    if row["treatment"] == "refused":
                        self.refuse(501, name, method, f"{path}?{name}=x", {})
                    elif "values" in row:
                        self.refuse(400, name, method, f"{path}?{name}=BOGUS", {})
                    elif row["type"] in WRONG_TEXT:
                        self.refuse(400, name, method, f"{path}?{name}={WRONG_TEXT[row['type']]}", {})
                    else:
                        self.passes(name, method, f"{path}?{name}=x", {})
            with self.subTest(schema):
                self.refuse(400, "nosuch", method, path + "?nosuch=1", {})

    def test_headers_are_done_harmless_or_refused(self):
        for name, row in self.tables["headers"].items():
            with self.subTest(name):
                if row["treatment"] == "refused":
                    self.refuse(501, name, "GET", "datasets/d", headers={name: "x"})
                elif "values" in row:
                    self.refuse(400, name, "GET", "datasets/d", headers={name: "BOGUS"})
        self.refuse(501, "X-Goog-New", "GET", "datasets/d", headers={"X-Goog-New": "x"})
        self.bq.request("GET", "datasets/d", headers={"X-Cloud-Trace-Context": "x", "Cookie": "x"})


if __name__ == "__main__":
    unittest.main()

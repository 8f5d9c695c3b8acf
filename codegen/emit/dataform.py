"""Models -> Dataform: a declaration for each table, and an assertion for each key.

Sources: Dataform documentation, "Declare a data source", "Test data quality" and the reference of
@dataform/core.
"""

from __future__ import annotations

from typing import List, Sequence

from ..emit_history import with_histories
from ..emit_sql import always_true
from ..model import Table
from ..naming import googlesql_name
from .texts import MARK, Field, fields, js_string, policy_tags, rows_are_keyed

_HEAD = """\
// %s
// A file of `definitions/` in a repository of Dataform core 3. Variables of workflow_settings.yaml:
// bqsync_dataset, and bqsync_project if that is not the default project.
const {
  bqsync_project: database = dataform.projectConfig.defaultDatabase,
  bqsync_dataset: schema,
} = dataform.projectConfig.vars || {};
if (!schema) {
  throw new Error("bqsync_sources.js: set the variable bqsync_dataset in workflow_settings.yaml");
}
""" % MARK


def sources(tables: Sequence[Table]) -> str:
    return _HEAD + "".join("\n" + _declaration(table) + _assertion(table) for table in with_histories(tables))


def _declaration(table: Table) -> str:
    lines = ["declare({", "  database,", "  schema,", "  name: %s," % js_string(table.target)]
    if table.description:
        lines.append("  description: %s," % js_string(table.description))
    columns = [line for field in fields(table) for line in _column(field)]
    if columns:
        lines += ["  columns: {"] + columns + ["  },"]
    return "\n".join(lines + ["});"]) + "\n"


def _column(field: Field) -> List[str]:
    tags, description = policy_tags(field), field.get("description", "")
    name = js_string(field["name"])
    if field["name"] == "__proto__":  # in braces it would be the object's prototype
        name = "[%s]" % name
    if not tags:
        return ["    %s: %s," % (name, js_string(description))] if description else []
    members = ["description: %s" % js_string(description)] if description else []
    members.append("bigqueryPolicyTags: [%s]" % ", ".join(js_string(tag) for tag in tags))
    return ["    %s: { %s }," % (name, ", ".join(members))]


def _assertion(table: Table) -> str:
    if not rows_are_keyed(table):
        return ""
    names = [googlesql_name(column.name) for column in table.key]
    listed = ", ".join(names)
    clauses = ["select %s, count(*) as bqsync_rows from " % listed]
    condition = always_true(table)
    rest = " where %s" % condition if condition else ""
    rest += " group by %s having count(*) > 1" % listed
    rest += "".join(" or %s is null" % name for name in names)
    reference = "ctx.ref({ database, schema, name: %s })" % js_string(table.target)
    return "assert(%s).query(\n  (ctx) =>\n    %s +\n    %s +\n    %s\n);\n" % (
        js_string("bqsync_%s_key" % table.stem), js_string(clauses[0]), reference, js_string(rest))

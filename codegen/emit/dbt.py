"""Models -> a dbt source: descriptions, types, tests of the keys, freshness, policy tags.

Sources: dbt documentation, "Source properties", "freshness", "unique" (a test of an expression),
"meta". The time of the last load is BigQuery's own time of the last change of the table: the labels
of bqsync can be read neither by a test nor by a query.
"""

from __future__ import annotations

from typing import List, Sequence

from ..emit_history import with_histories
from ..emit_sql import always_true
from ..model import Table
from ..naming import googlesql_name
from .texts import (
    MARK, Field, fields, jinja_text, policy_tags, rows_are_keyed, yaml_name, yaml_string)

_HEAD = """\
# %s
# For dbt 1.10 or later. Variables: bqsync_dataset, and where they differ from what is said below,
# bqsync_project, bqsync_warn_hours, bqsync_error_hours.
version: 2

sources:
  - name: bqsync
    description: "Tables that bqsync mirrors from SQLite"
    database: "{{ var('bqsync_project', target.project) }}"
    schema: "{{ var('bqsync_dataset') }}"
    config:
      # By the time at which BigQuery has last changed a table. One whose rows do not change is
      # replaced once a day, by the full sync of BQ_SYNC_DAILY_AT.
      freshness:
        warn_after: {count: "{{ var('bqsync_warn_hours', 26) | as_number }}", period: hour}
        error_after: {count: "{{ var('bqsync_error_hours', 50) | as_number }}", period: hour}
    tables:
""" % MARK


def sources(tables: Sequence[Table]) -> str:
    return _HEAD + "\n".join("\n".join(_table(table)) + "\n" for table in with_histories(tables))


def _text(text: str) -> str:
    return yaml_string(jinja_text(text))


def _table(table: Table) -> List[str]:
    lines = ["      - name: %s" % yaml_name(table.stem)]
    if table.target != table.stem:
        lines.append("        identifier: %s" % yaml_string(table.target))
    if table.description:
        lines.append("        description: %s" % _text(table.description))
    if table.labels:
        pairs = ", ".join(
            "%s: %s" % (yaml_name(key), yaml_string(value)) for key, value in table.labels)
        lines += ["        config:", "          meta: {labels: {%s}}" % pairs]
    if rows_are_keyed(table) and len(table.key) > 1:
        lines += _key_test(table)
    lines.append("        columns:")
    for field in fields(table):
        lines += _column(table, field)
    return lines


def _key_test(table: Table) -> List[str]:
    """The texts of the values in JSON hold no comma outside of quotes, so no two keys share one."""
    parts = ["to_json_string(%s)" % googlesql_name(column.name) for column in table.key]
    return [
        "        data_tests:",
        "          - unique:",
        "              name: %s" % yaml_name("unique_bqsync_%s_key" % table.stem),
        "              arguments:",
        "                column_name: %s" % yaml_string("concat(%s)" % ", ',', ".join(parts)),
    ] + _where(table, "              ")


def _where(table: Table, indent: str) -> List[str]:
    condition = always_true(table)
    return ["%sconfig: {where: %s}" % (indent, yaml_string(condition))] if condition else []


def _column(table: Table, field: Field) -> List[str]:
    name, tags = field["name"], policy_tags(field)
    lines = ["          - name: %s" % yaml_name(name)]
    if field.get("description"):
        lines.append("            description: %s" % _text(field["description"]))
    lines.append("            data_type: %s" % field["type"].lower())
    if tags:
        lines += [
            "            config:",
            "              meta: {policy_tags: [%s]}" % ", ".join(yaml_string(tag) for tag in tags)]
    if rows_are_keyed(table) and name in [column.name for column in table.key]:
        # A name that is a word of GoogleSQL must be quoted in the tests.
        lines.append("            quote: true")
        lines += _column_tests(table)
    return lines


def _column_tests(table: Table) -> List[str]:
    tests = ["unique", "not_null"] if len(table.key) == 1 else ["not_null"]
    if not always_true(table):
        return ["            data_tests: [%s]" % ", ".join(tests)]
    lines = ["            data_tests:"]
    for test in tests:
        lines += ["              - %s:" % test] + _where(table, "                  ")
    return lines

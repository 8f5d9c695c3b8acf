"""Models -> Terraform: a google_bigquery_table for each target.

Source: documentation of the Google provider, "google_bigquery_table"; Terraform documentation,
"lifecycle meta-argument". bqsync keeps the schema of its targets in line and puts three labels on them,
so Terraform creates both and leaves them alone afterwards: else it would drop columns that bqsync
leaves in BigQuery, or that a newer definition has added. The view and the function of a history are
made by bqsync, again whenever a definition changes them.
"""

from __future__ import annotations

from typing import List, Sequence, Tuple

from ..emit_history import with_histories
from ..emit_schema import DAY_MS
from ..model import Table
from .texts import MARK, Field, fields, hcl_string, policy_tags

_HEAD = """\
# %s

variable "bqsync_project" {
  description = "Project of the tables that bqsync fills (BQ_PROJECT_NAME)"
  type        = string
}

variable "bqsync_dataset" {
  description = "Dataset of the tables that bqsync fills (BQ_DATASET_NAME)"
  type        = string
}
""" % MARK


def tables(models: Sequence[Table]) -> str:
    return _HEAD + "".join("\n" + "\n".join(_resource(table)) + "\n" for table in with_histories(models, views=False))


def _aligned(members: Sequence[Tuple[str, str]], indent: str) -> List[str]:
    """Arguments as terraform fmt lays them out."""
    width = max(len(name) for name, _ in members)
    return ["%s%s = %s" % (indent, name.ljust(width), value) for name, value in members]


def _resource(table: Table) -> List[str]:
    members = [
        ("project", "var.bqsync_project"),
        ("dataset_id", "var.bqsync_dataset"),
        ("table_id", hcl_string(table.target)),
    ]
    if table.description:
        members.append(("description", hcl_string(table.description)))
    if table.labels:
        pairs = ", ".join(
            "%s = %s" % (hcl_string(key), hcl_string(value)) for key, value in table.labels)
        members.append(("labels", "{ %s }" % pairs))
    if table.cluster_by:
        members.append(("clustering", _list([column.name for column in table.cluster_by])))
    if table.require_partition_filter:
        members.append(("require_partition_filter", "true"))
    members.append(("deletion_protection", "true"))
    lines = ['resource "google_bigquery_table" %s {' % hcl_string(table.stem)]
    lines += _aligned(members, "  ")
    lines += ["", "  schema = jsonencode(["]
    lines += ["    %s," % _field(field) for field in fields(table)] + ["  ])"]
    lines += _partitions(table) + _primary_key(table)
    return lines + [
        "",
        "  lifecycle {",
        "    # bqsync keeps both: it adds columns, and has three labels of its own.",
        "    ignore_changes = [labels, schema]",
        "  }",
        "}",
    ]


def _list(names: Sequence[str]) -> str:
    return "[%s]" % ", ".join(hcl_string(name) for name in names)


def _field(field: Field) -> str:
    members = [
        "%s = %s" % (key, hcl_string(field[key]))
        for key in ("name", "type", "mode", "description") if field.get(key)]
    tags = policy_tags(field)
    if tags:
        members.append("policyTags = { names = %s }" % _list(tags))
    return "{ %s }" % ", ".join(members)


def _partitions(table: Table) -> List[str]:
    time, numbers = table.time_partition, table.range_partition
    if time is not None:
        members = [("type", hcl_string(time.granularity)), ("field", hcl_string(time.column.name))]
        if time.keep_days:
            members.append(("expiration_ms", str(time.keep_days * DAY_MS)))
        return ["", "  time_partitioning {"] + _aligned(members, "    ") + ["  }"]
    if numbers is None:
        return []
    bounds = [("start", numbers.start), ("end", numbers.end), ("interval", numbers.interval)]
    return [
        "", "  range_partitioning {", "    field = %s" % hcl_string(numbers.column.name), "",
        "    range {",
    ] + _aligned([(name, str(value)) for name, value in bounds], "      ") + ["    }", "  }"]


def _primary_key(table: Table) -> List[str]:
    if not table.primary_key_allowed:
        return []
    return [
        "", "  table_constraints {", "    primary_key {",
        "      columns = %s" % _list([column.name for column in table.key]), "    }", "  }"]

"""Model -> JSON: BigQuery's schema array and the rest of a tables.insert body (Google Cloud
documentation, "REST Resource: tables")."""

from __future__ import annotations

import json
from typing import Any, Dict

from .model import Column, Table

DAY_MS = 24 * 60 * 60 * 1000


def schema_json(table: Table) -> str:
    """The schema array, usable by bq mk --schema. Members lie on lines of their own, so that a new
    column adds lines and changes none."""
    return _text([_field(column) for column in table.target_columns])


def resource_json(table: Table) -> str:
    body: Dict[str, Any] = {}
    if table.description:
        body["description"] = table.description
    if table.labels:
        body["labels"] = dict(table.labels)
    if table.cluster_by:
        body["clustering"] = {"fields": [column.name for column in table.cluster_by]}
    time, numbers = table.time_partition, table.range_partition
    if time is not None:
        body["timePartitioning"] = {"type": time.granularity, "field": time.column.name}
        if time.keep_days:
            body["timePartitioning"]["expirationMs"] = str(time.keep_days * DAY_MS)
    if numbers is not None:
        # The REST API carries 64-bit numbers as strings.
        body["rangePartitioning"] = {
            "field": numbers.column.name,
            "range": {
                "start": str(numbers.start),
                "end": str(numbers.end),
                "interval": str(numbers.interval),
            },
        }
    if table.require_partition_filter:
        body["requirePartitionFilter"] = True
    if table.primary_key_allowed:
        body["tableConstraints"] = {
            "primaryKey": {"columns": [column.name for column in table.key]}}
    return _text(body)


def _field(column: Column) -> Dict[str, Any]:
    field: Dict[str, Any] = {
        "name": column.name,
        "type": column.type.name,
        "mode": "REQUIRED" if column.required else "NULLABLE",
    }
    if column.description:
        field["description"] = column.description
    if column.policy_tags:
        field["policyTags"] = {"names": list(column.policy_tags)}
    return field


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

"""Models -> JSON Schema of a row as BigQuery writes it in JSON: in an export of a table, where an INT64
is a text and NULL is left out, and by TO_JSON_STRING, where it is a number if a FLOAT64 holds it.

Sources: Google Cloud documentation, "Export table data to Cloud Storage" and "JSON functions" (JSON
encodings); JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Sequence

from ..emit_history import with_histories
from ..model import Column, Table
from .texts import MARK, Field, fields, policy_tags

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"

Json = Dict[str, Any]

_TYPES: Dict[str, Json] = {
    "INT64": {"type": ["string", "integer"], "pattern": "^-?[0-9]{1,19}$",
              "minimum": -(2**63), "maximum": 2**63 - 1},
    "FLOAT64": {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
    "BOOL": {"type": "boolean"},
    "STRING": {"type": "string"},
    "BYTES": {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*={0,2}$"},
    "NUMERIC": {"type": ["string", "number"], "pattern": _DECIMAL},
    "BIGNUMERIC": {"type": ["string", "number"], "pattern": _DECIMAL},
    "DATE": {"type": "string", "pattern": "^%s$" % _DAY},
    "TIME": {"type": "string", "pattern": "^%s$" % _TIME},
    "DATETIME": {"type": "string", "pattern": "^%s[T ]%s$" % (_DAY, _TIME)},
    "TIMESTAMP": {"type": "string", "pattern": r"^%s[T ]%s(Z| UTC|[+-][0-9]{2}:[0-9]{2})$"
                  % (_DAY, _TIME)},
    "JSON": {},
    "GEOGRAPHY": {"type": ["string", "object"]},
}


def document(tables: Sequence[Table]) -> str:
    """The schema of the one table, or those of all tables as definitions."""
    tables = with_histories(tables)
    if len(tables) == 1:
        return _text(_schema(tables[0]))
    definitions = {table.stem: _row(table) for table in tables}
    return _text({"$schema": _DRAFT, "$comment": MARK, "$defs": definitions})


def files(tables: Sequence[Table]) -> Dict[str, str]:
    return {table.stem + ".row.schema.json": _text(_schema(table)) for table in with_histories(tables)}


def _text(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _schema(table: Table) -> Json:
    return {"$schema": _DRAFT, "$comment": MARK, **_row(table)}


def _row(table: Table) -> Json:
    """More columns may come: bqsync leaves those alone that only BigQuery has."""
    row: Json = {"title": table.target}
    if table.description:
        row["description"] = table.description
    row["type"] = "object"
    columns = {column.name: column for column in table.columns}
    row["properties"] = {
        field["name"]: _property(field, columns.get(field["name"])) for field in fields(table)}
    required = [field["name"] for field in fields(table) if field["mode"] == "REQUIRED"]
    if required:
        row["required"] = required
    return row


def _property(field: Field, column: "Column | None") -> Json:
    found: Json = {}
    if field.get("description"):
        found["description"] = field["description"]
    if policy_tags(field):
        found["$comment"] = "policy tag %s" % policy_tags(field)[0]
    found.update(_values(field, column))
    return found


def _values(field: Field, column: "Column | None") -> Json:
    if column is not None and column.transform.kind == "redact" and column.type.name != "STRING":
        return {"type": "null"}
    values = {**_TYPES[field["type"]], **(_transformed(column) if column is not None else {})}
    if field["mode"] == "REQUIRED" or not values:
        return values
    if isinstance(values.get("type"), str):
        return {**values, "type": [values["type"], "null"]}
    if isinstance(values.get("type"), list):
        return {**values, "type": values["type"] + ["null"]}
    return {"anyOf": values["anyOf"] + [{"type": "null"}]}


def _transformed(column: Column) -> Json:
    transform = column.transform
    if transform.kind in ("sha256", "hmac_sha256"):
        return {"pattern": "^[0-9a-f]{64}$"}
    if transform.kind == "truncate":
        return {"maxLength": transform.truncate_to}
    if transform.kind == "redact":
        return {"pattern": r"^\[redacted\]$"}
    return {}

"""The column types: one row for each type with all that the emitters and checks know about it.

Sources: Google Cloud documentation, "Data types" (what may cluster, partition, be compared),
"Create and use primary and foreign keys", "Loading Avro data".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Tuple

from .forms import TIME_FORMATS


@dataclass(frozen=True)
class ColumnType:
    name: str  # in schema files, in BigQuery's REST API and (lower case) in DDL
    c_enum: str
    c_type: str  # of the row struct's field
    c_reader: str
    c_writer: str
    key: bool  # may identify rows: comparable and exact
    primary_key: bool  # BigQuery takes it in PRIMARY KEY ... NOT ENFORCED
    cluster: bool
    formats: Tuple[str, ...]  # ways a time may be stored in SQLite, the first is the default
    truncate_function: str  # of a partitioning expression, "" if it cannot partition by time
    granularities: Tuple[str, ...]
    aliases: Tuple[str, ...]  # other databases' words for it, for suggestions

    def is_a(self, name: str) -> bool:
        """Whether the type has this name, or may have it."""
        return self.name in (name, UNKNOWN)

    @property
    def bounds(self) -> bool:
        """Whether bounds of a key of this type tell BigQuery what it need not read: the type has an
        order, sorts a clustered table, and has more than two values."""
        return self.key and self.cluster and self.name != "BOOL"


_NO: Tuple[str, ...] = ()
UNKNOWN = "?"
_DAYS = ("DAY", "MONTH", "YEAR")
_HOURS = ("HOUR", "DAY", "MONTH", "YEAR")


def _formats(kind: str) -> Tuple[str, ...]:
    return tuple(row.name for row in TIME_FORMATS if kind in row.types)


_I64 = "struct value_int64"
_DEC = "struct value_decimal"
_TEXT = "struct slice"

TYPES: Tuple[ColumnType, ...] = tuple(
    ColumnType(*row)
    for row in (
        # name, C enum, C type, reader, writer, key, primary key, cluster, formats, truncation,
        # granularities, aliases
        ("INT64", "COLUMN_INT64", _I64, "column_int64", "avro_int64", True, True, True, _NO, "",
         _NO, ("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "LONG")),
        ("FLOAT64", "COLUMN_FLOAT64", "struct value_float64", "column_float64", "avro_float64",
         False, False, False, _NO, "", _NO, ("FLOAT", "DOUBLE", "REAL")),
        ("BOOL", "COLUMN_BOOL", "struct value_bool", "column_bool", "avro_bool", True, True, True,
         _NO, "", _NO, ("BOOLEAN", "BIT")),
        ("STRING", "COLUMN_STRING", _TEXT, "column_string", "avro_string", True, True, True, _NO,
         "", _NO, ("TEXT", "VARCHAR", "CHAR", "CLOB", "UUID")),
        ("BYTES", "COLUMN_BYTES", _TEXT, "column_bytes", "avro_bytes", True, True, False, _NO, "",
         _NO, ("BLOB", "BINARY", "VARBINARY", "BYTEA")),
        ("NUMERIC", "COLUMN_NUMERIC", _DEC, "column_numeric", "avro_decimal", True, True, True,
         _NO, "", _NO, ("DECIMAL", "NUMBER", "MONEY")),
        ("BIGNUMERIC", "COLUMN_BIGNUMERIC", _DEC, "column_bignumeric", "avro_decimal", True, True,
         True, _NO, "", _NO, ("BIGDECIMAL",)),
        ("DATE", "COLUMN_DATE", _I64, "column_date", "avro_int64", True, True, True, _formats("DATE"),
         "date_trunc", _DAYS, _NO),
        ("TIME", "COLUMN_TIME", _I64, "column_time", "avro_int64", True, False, False,
         _formats("TIME"), "", _NO, _NO),
        ("DATETIME", "COLUMN_DATETIME", _I64, "column_datetime", "avro_int64", True, True, True,
         _formats("DATETIME"), "datetime_trunc", _HOURS, _NO),
        ("TIMESTAMP", "COLUMN_TIMESTAMP", _I64, "column_timestamp", "avro_int64", True, True, True,
         _formats("TIMESTAMP"), "timestamp_trunc", _HOURS, ("TIMESTAMPTZ",)),
        ("JSON", "COLUMN_JSON", _TEXT, "column_json", "avro_string", False, False, False, _NO, "",
         _NO, ("JSONB", "OBJECT", "STRUCT", "RECORD")),
        ("GEOGRAPHY", "COLUMN_GEOGRAPHY", _TEXT, "column_geography", "avro_string", False, False,
         True, _NO, "", _NO, ("GEOMETRY", "POINT", "LINESTRING", "POLYGON", "WKT")),
    )
)

BY_NAME = {row.name: row for row in TYPES}

# Of a column whose type is missing or wrong: it may do everything, so that no check of what names the
# column finds fault with it. No table with such a column is generated.
UNKNOWN_TYPE = replace(BY_NAME["TIMESTAMP"], name=UNKNOWN, aliases=_NO)

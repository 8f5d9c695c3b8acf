"""What a checked table definition says. Immutable, complete, no I/O and no checks: code that gets
a Table may rely on every rule of schema.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from .forms import Reading
from .typemap import BY_NAME, ColumnType


@dataclass(frozen=True)
class Transform:
    """kind is none, sha256, hmac_sha256, redact or truncate."""

    kind: str = "none"
    truncate_to: int = 0
    key_variable: str = ""


@dataclass(frozen=True)
class Column:
    name: str
    source: str
    type: ColumnType
    required: bool
    key: bool
    description: str
    reading: Reading
    json_rounds: bool  # of JSON: "json": "round"
    transform: Transform
    policy_tags: Tuple[str, ...]
    immutable: bool  # the table is partitioned by it, and its values are declared never to change
    unfit: bool = False  # SQLite has no such column: it takes what does not fit the others


def added_column(name: str, type_name: str, description: str, unfit: bool = False) -> Column:
    """A NULLABLE column that bqsync adds. No column of a definition can have its name: the prefix is reserved."""
    return Column(
        name=name,
        source=name,
        type=BY_NAME[type_name],
        required=False,
        key=False,
        description=description,
        reading=Reading(),
        json_rounds=False,
        transform=Transform(),
        policy_tags=(),
        immutable=False,
        unfit=unfit,
    )


# With deletes "mark".
DELETED_AT = added_column(
    "_bqsync_deleted_at", "TIMESTAMP",
    "When bqsync found the row deleted in SQLite, or outside of the filter; NULL: it is there")


@dataclass(frozen=True)
class TimePartition:
    column: Column
    granularity: str  # HOUR, DAY, MONTH or YEAR
    keep_days: int = 0  # partitions expire after so many days; 0: never


@dataclass(frozen=True)
class RangePartition:
    column: Column
    start: int
    end: int
    interval: int


@dataclass(frozen=True)
class History:
    """Every version of every row is kept, in BigQuery alone."""

    keep_days: int  # 0: for ever


@dataclass(frozen=True)
class Table:
    stem: str  # of the schema file, of the generated files, of the C names
    name: str  # in SQLite
    target: str  # in BigQuery
    description: str
    mode: str  # append, upsert or replace
    capture: str  # auto, triggers or scan
    deletes: str  # mirror, mark or keep: what becomes of a row that is deleted in SQLite
    unlisted_fails: bool  # columns_not_listed: "error"
    ignored: Tuple[str, ...]  # columns of SQLite that are left out on purpose
    reject_fails: bool
    where: Optional[str]
    columns: Tuple[Column, ...]  # with on_reject "column", the last is the one that takes misfits
    key: Tuple[Column, ...]  # empty only in mode replace
    time_partition: Optional[TimePartition]
    range_partition: Optional[RangePartition]
    require_partition_filter: bool
    cluster_by: Tuple[Column, ...]
    clusters_by_default: bool  # the definition says nothing, so cluster_by is the key
    labels: Tuple[Tuple[str, str], ...]
    content_hash: str
    shape_hash: str
    history: Optional[History] = None

    @property
    def takes_misfits(self) -> bool:
        return any(column.unfit for column in self.columns)

    @property
    def target_columns(self) -> Tuple[Column, ...]:
        """The columns of the target: with deletes "mark" one more, which no row brings along."""
        return self.columns + ((DELETED_AT,) if self.deletes == "mark" else ())

    @property
    def replaced(self) -> bool:
        """Whether all rows are sent whenever one has changed. In mode replace too, a table that keeps
        deleted rows or its history is merged: no two of its rows may share a key in BigQuery."""
        return self.mode == "replace" and self.deletes == "mirror" and self.history is None

    @property
    def on_reject(self) -> str:
        """reject, fail or column."""
        return "column" if self.takes_misfits else "fail" if self.reject_fails else "reject"

    @property
    def rest(self) -> Tuple[Column, ...]:
        """The columns outside of the key."""
        return tuple(column for column in self.columns if not column.key)

    @property
    def immutable(self) -> Optional[Column]:
        """The partitioning column, if it is declared immutable."""
        return next((column for column in self.columns if column.immutable), None)

    @property
    def single_int64_key(self) -> bool:
        return len(self.key) == 1 and self.key[0].type.name == "INT64"

    @property
    def primary_key_allowed(self) -> bool:
        """BigQuery takes primary keys of some types only. In a table that is replaced rows may share a key,
        or have none, and BigQuery trusts a primary key without checking it."""
        return not self.replaced and all(column.type.primary_key for column in self.key)

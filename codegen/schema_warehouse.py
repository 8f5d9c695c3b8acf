"""The "bigquery" part of a definition: partitioning, clustering, labels.

Sources: Google Cloud documentation, "Data definition language (DDL) statements" (partition
expressions), "Creating clustered tables", "Creating and managing labels".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

from .checking import Problems, listing
from .jsonpos import Node
from .model import Column, RangePartition, TimePartition
from .naming import fold
from .schema_columns import Columns
from .typemap import UNKNOWN

_CLUSTER_MAX = 4
_LABELS_MAX = 61  # BigQuery's 64 less the three that bqsync sets
_LABEL_KEY = re.compile(r"[^\W\dA-Z_](?:[^\WA-Z]|-)*")
_LABEL_VALUE = re.compile(r"(?:[^\WA-Z]|-)*")
_PARTITIONS_MAX = 10000
_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
_PLAIN = re.compile(_NAME)
_DATE = re.compile(r"DATE\s*\(\s*%s\s*\)" % _NAME, re.IGNORECASE)
_TRUNC = re.compile(
    r"(TIMESTAMP|DATETIME|DATE)_TRUNC\s*\(\s*%s\s*,\s*([A-Za-z]+)\s*\)" % _NAME, re.IGNORECASE)
_RANGE = re.compile(
    r"RANGE_BUCKET\s*\(\s*%s\s*,\s*GENERATE_ARRAY\s*\(\s*(-?[0-9]{1,30})\s*,\s*(-?[0-9]{1,30})"
    r"\s*,\s*(-?[0-9]{1,30})\s*\)\s*\)" % _NAME, re.IGNORECASE)


@dataclass(frozen=True)
class Warehouse:
    time_partition: Optional[TimePartition] = None
    range_partition: Optional[RangePartition] = None
    require_partition_filter: bool = False
    cluster_by: Tuple[Column, ...] = ()
    clusters_by_default: bool = True
    labels: Tuple[Tuple[str, str], ...] = ()
    partition_is_wrong: bool = False  # there is one, and it may be by any column

    @property
    def partitioned_by(self) -> str:
        """The column's name, "" if there is none."""
        partition = self.time_partition or self.range_partition
        return partition.column.name if partition else ""


def read_warehouse(
    node: Optional[Node], columns: Columns, key: Tuple[Column, ...], problems: Problems
) -> Warehouse:
    by_key = tuple(column for column in key if column.type.cluster)[:_CLUSTER_MAX]
    if node is None:
        return Warehouse(cluster_by=by_key)
    members = problems.members(
        node, (), ("partition_by", "cluster_by", "labels", "require_partition_filter"))
    if members is None:
        return Warehouse(partition_is_wrong=True)
    time, numbers = _read_partition(members.get("partition_by"), columns, problems)
    required = problems.flag(members.get("require_partition_filter"))
    if required and "partition_by" not in members:
        problems.add(members["require_partition_filter"], 'needs "partition_by"')
    by_default = "cluster_by" not in members
    return Warehouse(
        time, numbers, bool(required),
        by_key if by_default else _read_clustering(members["cluster_by"], columns, problems),
        by_default,
        _read_labels(members.get("labels"), problems),
        "partition_by" in members and time is None and numbers is None)


def _read_partition(
    node: Optional[Node], columns: Columns, problems: Problems
) -> Tuple[Optional[TimePartition], Optional[RangePartition]]:
    text = problems.text(node)
    if node is None or text is None:
        return None, None
    text = text.strip()
    match = _RANGE.fullmatch(text)
    if match:
        return None, _read_range(node, match, columns, problems)
    for pattern in (_PLAIN, _DATE, _TRUNC):
        match = pattern.fullmatch(text)
        if match:
            break
    if match is None:
        problems.add(node, "cannot be understood; write a DATE column, DATE(column), "
                     "TIMESTAMP_TRUNC(column, HOUR), DATETIME_TRUNC(column, DAY), "
                     "DATE_TRUNC(column, MONTH) or "
                     "RANGE_BUCKET(column, GENERATE_ARRAY(0, 1000000, 1000))")
        return None, None
    name = match.group(2 if pattern is _TRUNC else 1)
    column = _partition_column(node, name, columns, problems)
    if column is None:
        return None, None
    if pattern is _TRUNC:
        return _truncated(node, column, match.group(1).lower() + "_trunc", match.group(3).upper(),
                          problems), None
    return _daily(node, column, pattern is _DATE, problems), None


def _partition_column(
    node: Node, name: str, columns: Columns, problems: Problems
) -> Optional[Column]:
    # An expression as in SQL, where the case of names does not count.
    for column in columns.all:
        if fold(column.name) == fold(name):
            return column
    return columns.find(node, name, problems)


def _daily(
    node: Node, column: Column, call: bool, problems: Problems
) -> Optional[TimePartition]:
    kind = column.type.name
    if kind == UNKNOWN:
        return None
    if call and kind in ("TIMESTAMP", "DATETIME") or not call and kind == "DATE":
        return TimePartition(column, "DAY")
    if kind == "DATE":
        problems.add(node, 'is a DATE already: write "%s"' % column.name)
    elif kind in ("TIMESTAMP", "DATETIME"):
        problems.add(node, 'a %s needs a unit: write "DATE(%s)"' % (kind, column.name))
    elif kind == "INT64":
        problems.add(node, 'an INT64 needs ranges: write "RANGE_BUCKET(%s, GENERATE_ARRAY(0, '
                     '1000000, 1000))"' % column.name)
    else:
        problems.add(node, "a %s column cannot partition a table" % kind)
    return None


def _truncated(
    node: Node, column: Column, function: str, unit: str, problems: Problems
) -> Optional[TimePartition]:
    kind = column.type
    if kind.name == UNKNOWN:
        return None
    if kind.truncate_function != function:
        cure = "; write %s" % kind.truncate_function.upper() if kind.truncate_function else ""
        problems.add(node, "%s does not take %s columns%s" % (function.upper(), kind.name, cure))
        return None
    if unit not in kind.granularities:
        problems.add(node, "a %s partitions by %s, not by %s"
                     % (kind.name, listing(kind.granularities), unit))
        return None
    return TimePartition(column, unit)


def _read_range(
    node: Node, match: "re.Match[str]", columns: Columns, problems: Problems
) -> Optional[RangePartition]:
    column = _partition_column(node, match.group(1), columns, problems)
    start, end, interval = (int(match.group(index)) for index in (2, 3, 4))
    is_integer = column is None or column.type.is_a("INT64")
    if not is_integer and column is not None:
        problems.add(node, "RANGE_BUCKET needs an INT64 column, not %s" % column.type.name)
    if interval < 1 or end <= start:
        problems.add(node, "the ranges need an end above the start and a step of 1 or more")
        return None
    if not all(-(2**63) <= bound < 2**63 for bound in (start, end, interval)):
        problems.add(node, "the ranges go beyond INT64")
        return None
    count = -(-(end - start) // interval)
    if count > _PARTITIONS_MAX:
        problems.add(node, "makes %d partitions, the limit is %d" % (count, _PARTITIONS_MAX))
        return None
    return RangePartition(column, start, end, interval) if is_integer and column is not None else None


def _read_clustering(
    node: Node, columns: Columns, problems: Problems
) -> Tuple[Column, ...]:
    """An empty list says that the table is not clustered."""
    names = problems.texts(node)
    if names is None:
        return ()
    if len(node.value) > _CLUSTER_MAX:
        problems.add(node, "has %d columns, the limit is %d" % (len(node.value), _CLUSTER_MAX))
    result: List[Column] = []
    for item, name in names:
        column = columns.find(item, name, problems)
        if column is None:
            continue
        if column in result:
            problems.add(item, '"%s" is listed twice' % name)
        elif not column.type.cluster:
            problems.add(item, '"%s" is %s, which BigQuery cannot cluster by'
                         % (name, column.type.name))
        else:
            result.append(column)
    return tuple(result)


def _read_labels(node: Optional[Node], problems: Problems) -> Tuple[Tuple[str, str], ...]:
    if node is None or not problems.is_a(node, "object"):
        return ()
    if len(node.value) > _LABELS_MAX:
        problems.add(node, "has %d labels, the limit is %d" % (len(node.value), _LABELS_MAX))
    result = []
    for member in node.value:
        if not _LABEL_KEY.fullmatch(member.key) or len(member.key) > 63:
            problems.add_key(member, "a label's key has 1 to 63 lower-case letters, "
                            "digits, underscores and dashes and begins with a letter")
        elif member.key.startswith("bqsync_"):
            problems.add_key(member, 'labels beginning with "bqsync_" are reserved for '
                            "bqsync")
        if not problems.is_a(member.node, "string"):
            continue
        if not _LABEL_VALUE.fullmatch(member.node.value) or len(member.node.value) > 63:
            problems.add(member.node, "a label's value has at most 63 lower-case letters, digits, "
                         "underscores and dashes")
        result.append((member.key, str(member.node.value)))
    return tuple(result)

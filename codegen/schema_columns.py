"""The "columns" of a definition: names, types, conversions. What only BigQuery sees of the table
(partitioning, clustering, labels) is schema_warehouse.py's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Tuple

from .checking import Problems, node_of, suggestion
from .jsonpos import Node
from .model import Column, Transform, added_column
from .naming import PLAIN, fold
from .schema_reading import READING_KEYS, read_reading
from .typemap import BY_NAME, TYPES, UNKNOWN_TYPE, ColumnType

# SQLITE_MAX_COLUMN (SQLite documentation, "Limits"): the result columns of one statement. BigQuery
# would take 10,000.
_RESULT_COLUMNS_MAX = 2000

_NAME_MAX = 300
_DESCRIPTION_MAX = 1024
# Google Cloud documentation, "Specifying a schema", "Column names"; compared without case.
_FORBIDDEN_PREFIXES = (
    "_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER", "_CHANGE_TYPE", "_CHANGE_TIMESTAMP")
RESERVED_PREFIX = "_BQSYNC_"
_POLICY_TAG = re.compile(r"projects/[^/]+/locations/[^/]+/taxonomies/[^/]+/policyTags/[^/]+")
_TRANSFORMS = ("sha256", "hmac_sha256", "redact", "truncate")
_TRUNCATE_MAX = 1_000_000_000
_OPTIONAL = (
    "description", "mode", "source", "transform", "json", "policy_tags", "immutable") + READING_KEYS

# With "on_reject": "column", what runtime/encode/unfit.h makes.
UNFIT = added_column(
    "_bqsync_unfit", "JSON",
    "Values that do not fit their columns, which are NULL, each with its class in SQLite", unfit=True)


@dataclass(frozen=True)
class Columns:
    """The columns in file order. Those with problems are kept as far as they have a name, so that
    no problem is reported twice; complete says that none lacks its name, which may be any."""

    all: Tuple[Column, ...]
    complete: bool
    immutable: Tuple[Tuple[Column, Node], ...] = ()  # those that say so, and where

    @property
    def by_name(self) -> Dict[str, Column]:
        found: Dict[str, Column] = {}
        for column in self.all:
            found.setdefault(column.name, column)  # a name that is there twice was reported
        return found

    def with_key(self, key: Tuple[str, ...]) -> Columns:
        return replace(
            self, all=tuple(replace(column, key=column.name in key) for column in self.all))

    def find(self, node: Node, name: str, problems: Problems) -> Optional[Column]:
        """The column that the value at node names; a problem if there is none."""
        column = self.by_name.get(name)
        if column is None and self.complete:
            problems.add(node, 'no column "%s"%s' % (name, suggestion(name, self.by_name)))
        return column


def read_columns(node: Optional[Node], added: int, problems: Problems) -> Columns:
    """added: how many columns the table gets besides. The statement that reads changes by key has one
    more, which says that a row is deleted."""
    if node is None or not problems.is_a(node, "array"):
        return Columns((), False)
    if not node.value:
        problems.add(node, "must not be empty")
    limit = _RESULT_COLUMNS_MAX - 1 - added
    if len(node.value) > limit:
        problems.add(node, "has %d columns, the limit is %d: SQLite returns at most %d columns from a "
                     "statement" % (len(node.value), limit, _RESULT_COLUMNS_MAX))
    columns: List[Column] = []
    immutable: List[Tuple[Column, Node]] = []
    seen: Dict[str, Node] = {}
    for item in node.value:
        column = _read_column(item, seen, problems)
        if column is not None:
            columns.append(column)
            if column.immutable:
                immutable.append((column, node_of(item, "immutable")))
    objects = [item for item in node.value if item.kind == "object"]
    complete = bool(node.value) and len(columns) == len(objects)
    return Columns(tuple(columns), complete, tuple(immutable))


def _read_column(node: Node, seen: Dict[str, Node], problems: Problems) -> Optional[Column]:
    members = problems.members(node, ("name", "type"), _OPTIONAL)
    if members is None:
        return None
    name = _read_name(members.get("name"), seen, problems)
    kind = _read_type(members.get("type"), problems)
    mode = problems.choice(members.get("mode"), ("NULLABLE", "REQUIRED"), "mode")
    required = mode == "REQUIRED"
    column = Column(
        name=name or "",
        source=problems.name(members.get("source")) or name or "",
        type=kind or UNKNOWN_TYPE,
        required=required,
        key=False,
        description=problems.text(members.get("description"), _DESCRIPTION_MAX) or "",
        reading=read_reading(members, kind, problems),
        json_rounds=_read_json(members.get("json"), kind, problems),
        transform=_read_transform(members.get("transform"), kind, required, problems),
        policy_tags=_read_policy_tags(members.get("policy_tags"), problems),
        immutable=bool(problems.flag(members.get("immutable"))),
    )
    return column if name is not None else None


def forbidden_prefix(name: str) -> str:
    """What a column's name begins with that BigQuery or bqsync keeps for itself, "" if nothing."""
    upper = name.upper()
    prefixes = (RESERVED_PREFIX,) + _FORBIDDEN_PREFIXES
    return next((prefix for prefix in prefixes if upper.startswith(prefix)), "")


def _read_name(node: Optional[Node], seen: Dict[str, Node], problems: Problems) -> Optional[str]:
    name = problems.text(node)
    if name is None or node is None:
        return None
    if not PLAIN.fullmatch(name):
        problems.add(node, '"%s" is not a column name (letters, digits and underscores, not beginning '
                     'with a digit); name the SQLite column with "source"' % name)
    if len(name) > _NAME_MAX:
        problems.add(node, "is %d characters long, the limit is %d" % (len(name), _NAME_MAX))
    if forbidden_prefix(name) == RESERVED_PREFIX:
        problems.add(node, 'names beginning with "_bqsync_" are reserved for bqsync')
    elif forbidden_prefix(name):
        problems.add(node, 'BigQuery forbids names beginning with "%s"' % forbidden_prefix(name))
    if fold(name) in seen:
        problems.add(node, 'duplicate column "%s" (first on line %d; case does not count)'
                     % (name, seen[fold(name)].line))
    seen.setdefault(fold(name), node)
    return name


def _read_type(node: Optional[Node], problems: Problems) -> Optional[ColumnType]:
    if node is None or not problems.is_a(node, "string"):
        return None
    if node.value in BY_NAME:
        return BY_NAME[node.value]
    for candidate in TYPES:
        if node.value.upper() == candidate.name or node.value.upper() in candidate.aliases:
            problems.add(node, 'unknown type "%s" (did you mean %s?)'
                         % (node.value, candidate.name))
            return candidate
    problems.add(
        node, 'unknown type "%s"%s' % (node.value, suggestion(node.value, BY_NAME, "")))
    return None


def _read_json(node: Optional[Node], kind: Optional[ColumnType], problems: Problems) -> bool:
    value = problems.choice(node, ("exact", "round"), "choice")
    if node is not None and kind is not None and kind.name != "JSON":
        problems.add(node, "only JSON columns say what becomes of numbers, not %s" % kind.name)
    return value == "round"


def _read_transform(
    node: Optional[Node], kind: Optional[ColumnType], required: bool, problems: Problems
) -> Transform:
    value = problems.text(node)
    if node is None or value is None:
        return Transform()
    word, colon, argument = value.partition(":")
    if word not in _TRANSFORMS:
        problems.add(
            node, 'unknown transform "%s"%s' % (word, suggestion(word, _TRANSFORMS)))
        return Transform()
    if kind is not None:
        if word == "redact" and kind.name != "STRING" and required:
            problems.add(node, "redact makes a %s NULL, but the column is REQUIRED" % kind.name)
        elif word != "redact" and kind.name != "STRING":
            problems.add(node, "%s needs a STRING column, not %s" % (word, kind.name))
    if word == "truncate":
        return _read_truncate(node, argument, problems)
    if word == "hmac_sha256":
        if not PLAIN.fullmatch(argument):
            problems.add(node, "hmac_sha256 takes its key from an environment variable: write "
                         '"hmac_sha256:NAME_OF_VARIABLE"')
        return Transform("hmac_sha256", key_variable=argument)
    if colon:
        problems.add(node, 'write "%s" alone; it takes no argument' % word)
    return Transform(word)


def _read_truncate(node: Node, argument: str, problems: Problems) -> Transform:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", argument) or int(argument) > _TRUNCATE_MAX:
        problems.add(node, 'truncate takes the number of characters to keep, 1 or more: write '
                     '"truncate:100"')
        return Transform()
    return Transform("truncate", truncate_to=int(argument))


def _read_policy_tags(node: Optional[Node], problems: Problems) -> Tuple[str, ...]:
    tags = problems.texts(node)
    if tags is None or node is None:
        return ()
    if len(node.value) != 1:
        problems.add(node, "BigQuery takes exactly one policy tag for a column, not %d"
                     % len(node.value))
    for item, tag in tags:
        if not _POLICY_TAG.fullmatch(tag):
            problems.add(item, "a policy tag looks like projects/P/locations/L/taxonomies/T/"
                         "policyTags/N")
    return tuple(tag for _, tag in tags)

"""Table definitions: files -> model. All checking happens here and in the modules it calls; every
problem of every file is collected before the generator refuses them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Set, Tuple

from . import jsonpos, naming
from .checking import Problems, nearest
from .model import Table
from .schema_columns import UNFIT, Columns, read_columns
from .schema_filter import filter_problem
from .schema_history import claim_history, history_owner
from .schema_sync import MODES, Sync, read_sync
from .schema_warehouse import Warehouse, read_warehouse

EDITOR_SCHEMA = "table.schema.json"

_REQUIRED = ("table", "key", "sync", "columns")
_OPTIONAL = ("$schema", "description", "target", "bigquery", "on_reject", "where")
_KEY_MISSING = '; name the columns that tell rows apart, or use mode "replace", which needs no key'
_ELSEWHERE = {
    "mode": "sync.mode", "capture": "sync.capture", "ignore": "sync.ignore",
    "columns_not_listed": "sync.columns_not_listed", "history": "sync.history", "partition_by": "bigquery.partition_by",
    "cluster_by": "bigquery.cluster_by", "labels": "bigquery.labels",
    "require_partition_filter": "bigquery.require_partition_filter"}
_NAME_BYTES_MAX = 255
_TARGET_BYTES_MAX = 255
_DESCRIPTION_MAX = 16384
_KEY_COLUMNS_MAX = 16
_RESERVED_STEMS = ("registry",)


@dataclass(frozen=True)
class Loaded:
    """tables is what generates; messages are the problems, ready to print, in file order."""

    tables: Tuple[Table, ...]
    messages: Tuple[str, ...]


def is_definition(name: str) -> bool:
    """Whether a file of this name is a definition."""
    return name.endswith(".json") and name != EDITOR_SCHEMA and not name.startswith(".")


def unreadable(directory: str, error: OSError) -> str:
    """What is said when load raises OSError."""
    cure = ""
    if isinstance(error, FileNotFoundError):
        cure = "; name another directory with --schemas, or let the command init make it"
    return "%s: cannot be read: %s%s" % (directory, error.strerror, cure)


def load(directory: str, shown: str = "") -> Loaded:
    """Reads all definitions of a directory, which messages call `shown`, or as it is called. Raises
    OSError if it cannot be listed."""
    shown = shown or directory
    names = sorted(name for name in os.listdir(directory) if is_definition(name))
    if not names:
        return Loaded((), ("%s: no table definitions (*.json) in this directory; the command infer writes them "
                           "for a database" % shown,))
    tables: List[Table] = []
    messages: List[str] = []
    owners: Dict[Tuple[str, str], str] = {}
    for name in names:
        path = os.path.join(shown, name)
        problems = Problems()
        try:
            with open(os.path.join(directory, name), "rb") as file:
                table = _read_file(path, file.read(), problems, owners)
        except jsonpos.SyntaxProblem as error:
            messages.extend(_message(path, problem) for problem in error.before + [
                jsonpos.Problem(error.line, 0, "", error.message, error.column)])
            continue
        except OSError as error:
            messages.append("%s: cannot be read: %s" % (path, error.strerror))
            continue
        for problem in sorted(problems.found, key=lambda found: (found.line, found.offset)):
            messages.append(_message(path, problem))
        if table is not None and not problems.found:
            tables.append(table)
    return Loaded(tuple(tables), tuple(messages))


def _message(path: str, problem: jsonpos.Problem) -> str:
    column = ":%d" % problem.column if problem.column else ""
    where = problem.path + ": " if problem.path else ""
    return naming.visible(
        "%s:%d%s: %s%s" % (path, problem.line, column, where, problem.message))


def is_right(loaded: Loaded) -> bool:
    """Prints on stderr what is wrong in definitions that were read; whether nothing is."""
    for message in loaded.messages:
        print(message, file=sys.stderr)
    return not loaded.messages


def load_right(directory: str) -> Optional[Loaded]:
    """Reads all definitions of a directory; None if they cannot be read or are wrong, which it says on
    stderr."""
    try:
        loaded = load(directory)
    except OSError as error:
        print(unreadable(directory, error), file=sys.stderr)
        return None
    return loaded if is_right(loaded) else None


def _read_file(
    path: str, content: bytes, problems: Problems, owners: Dict[Tuple[str, str], str]
) -> Optional[Table]:
    root, duplicates = jsonpos.parse(content)
    problems.found.extend(duplicates)
    required, optional = _REQUIRED, _OPTIONAL
    if _may_be_keyless(root):
        required, optional = tuple(key for key in required if key != "key"), optional + ("key",)
    members = problems.members(root, required, optional, _ELSEWHERE, {"key": _KEY_MISSING})
    if members is None:
        return None
    if "$schema" in members:
        problems.is_a(members["$schema"], "string")
    stem = os.path.basename(path)[: -len(".json")]
    name = _read_name(members.get("table"), stem, problems)
    target = _read_target(members.get("target"), members.get("table"), name, problems)
    _claim(members, stem, name, target, path, owners, problems)
    on_reject = problems.choice(
        members.get("on_reject"), ("reject", "fail", "column"), "choice")
    added = (UNFIT,) if on_reject == "column" else ()
    beside = len(added) + (_sync_text(root, "deletes") == "mark")
    columns = read_columns(members.get("columns"), beside, problems)
    key = _read_key(members.get("key"), columns, problems)
    columns = columns.with_key(key)
    by_name = columns.by_name
    sync = read_sync(members.get("sync"), "key" in members, columns.all, problems)
    if sync.history is not None:
        claim_history(members["sync"], target, path, owners, problems)
    key_columns = tuple(by_name[column] for column in key)
    warehouse = read_warehouse(members.get("bigquery"), columns, key_columns, problems)
    _check_immutable(columns, members.get("key"), warehouse, sync, problems)
    table = Table(
        stem=stem,
        name=name or "",
        target=target or "",
        description=problems.text(members.get("description"), _DESCRIPTION_MAX) or "",
        mode=sync.mode,
        capture=sync.capture,
        deletes=sync.deletes,
        unlisted_fails=sync.unlisted_fails,
        ignored=sync.ignored,
        reject_fails=on_reject == "fail",
        where=_read_where(members.get("where"), name or "t", problems),
        columns=columns.all + added,
        key=key_columns,
        time_partition=warehouse.time_partition,
        range_partition=warehouse.range_partition,
        require_partition_filter=warehouse.require_partition_filter,
        cluster_by=warehouse.cluster_by,
        clusters_by_default=warehouse.clusters_by_default,
        labels=warehouse.labels,
        content_hash="",
        shape_hash="",
        history=sync.history,
    )
    return _with_hashes(table)


def _may_be_keyless(root: jsonpos.Node) -> bool:
    """Whether the definition says mode "replace", or means it: only such a table can do without a key."""
    mode = _sync_text(root, "mode")
    return mode is not None and nearest(mode, MODES) == "replace"


def _sync_text(root: jsonpos.Node, key: str) -> Optional[str]:
    """What the definition's "sync" says for a key, if it is a string: other parts are read by it."""
    node = root
    for name in ("sync", key):
        if node.kind != "object":
            return None
        found = [member.node for member in node.value if member.key == name]
        if not found:
            return None
        node = found[0]
    return node.value if node.kind == "string" else None


def _read_name(node: Optional[jsonpos.Node], stem: str, problems: Problems) -> Optional[str]:
    """The SQLite table. The file is named after it, unless the name cannot be a C identifier."""
    name = problems.name(node)
    stem_fits = naming.is_c_identifier(stem) and naming.fold(stem) not in _RESERVED_STEMS
    if not stem_fits:
        problems.add_file(
            'the file name "%s.json" cannot be used: it names C identifiers (letters, '
            "digits, underscores%s)" % (stem, "; registry is taken" if naming.fold(stem) in
                                         _RESERVED_STEMS else ""))
    if name is None or node is None:
        return None
    if len(name.encode("utf-8")) > _NAME_BYTES_MAX:
        problems.add(node, "is longer than %d bytes" % _NAME_BYTES_MAX)
        return None
    for prefix in ("sqlite_", "bq_sync_"):
        if naming.fold(name).startswith(prefix):
            problems.add(node, 'names beginning with "%s" are reserved' % prefix)
            return None
    name_fits = naming.is_c_identifier(name) and naming.fold(name) not in _RESERVED_STEMS
    if stem_fits and name_fits and stem != name:
        problems.add(node, 'the definition of "%s" belongs in %s.json, not in %s.json'
                     % (name, name, stem))
        return None
    return name


def _read_target(
    node: Optional[jsonpos.Node], name_node: Optional[jsonpos.Node], name: Optional[str],
    problems: Problems
) -> Optional[str]:
    target = problems.text(node) if node is not None else name
    place = node if node is not None else name_node
    if target is None or place is None:
        return None
    if not naming.is_bigquery_table_name(target):
        hint = "" if node is not None else '; choose one with "target"'
        problems.add(place, '"%s" is not a BigQuery table name (letters, digits, underscores, '
                     "dashes, spaces)%s" % (target, hint))
        return None
    if len(target.encode("utf-8")) > _TARGET_BYTES_MAX:
        problems.add(place, "is longer than %d bytes" % _TARGET_BYTES_MAX)
        return None
    if naming.fold(target).startswith("_bqsync_"):
        problems.add(place, 'names beginning with "_bqsync_" are reserved for bqsync')
        return None
    return target


def _claim(
    members: Dict[str, jsonpos.Node], stem: str, name: Optional[str], target: Optional[str],
    path: str, owners: Dict[Tuple[str, str], str], problems: Problems
) -> None:
    """One definition for each table, one table for each target. SQLite ignores the case of names."""
    claims: List[Tuple[str, Optional[str], Optional[jsonpos.Node], str]] = [
        ("table", naming.fold(name) if name else None, members.get("table"), "is defined"),
        ("target", target, members.get("target") or members.get("table"), "is the target"),
    ]
    for what, value, node, verb in claims:
        if value is None or node is None:
            continue
        owner = owners.setdefault((what, value), path)
        if owner != path:
            problems.add(node, '"%s" %s in %s already' % (node.value, verb, owner))
            if members.get("target") is None:
                break  # the target is the name, of which no more is to be said
            continue
        owner = history_owner(what, value, owners)
        if owner:
            problems.add(node, '"%s" belongs to the history of %s; choose another "target"'
                         % (node.value, owner))
    owner = owners.setdefault(("stem", naming.fold(stem)), path)
    if owner != path:
        problems.add_file("the file name differs from that of %s only in case" % owner)


def _read_key(
    node: Optional[jsonpos.Node], columns: Columns, problems: Problems
) -> Tuple[str, ...]:
    names = problems.texts(node)
    if names is None or node is None:
        return ()
    if not node.value:
        problems.add(node, 'names no column; name those that tell rows apart, or leave "key" out '
                     'in mode "replace"')
    if len(node.value) > _KEY_COLUMNS_MAX:
        problems.add(node, "has %d columns, the limit is %d" % (len(node.value), _KEY_COLUMNS_MAX))
    seen: Set[str] = set()
    for item, name in names:
        column = columns.find(item, name, problems)
        if name in seen:
            problems.add(item, '"%s" is in the key twice' % name)
        elif column is None:
            pass
        elif not column.type.key:
            problems.add(item, '"%s" is %s, which cannot be compared, so it cannot be a key'
                         % (name, column.type.name))
        elif column.transform.kind in ("redact", "truncate"):
            problems.add(item, '"%s" is changed by %s, which can make different keys equal'
                         % (name, column.transform.kind))
        seen.add(name)
    return tuple(name for _, name in names if name in columns.by_name)


def _check_immutable(
    columns: Columns, key_node: Optional[jsonpos.Node], warehouse: Warehouse, sync: Sync,
    problems: Problems
) -> None:
    """The declaration bounds a MERGE by the partitions of its rows (emit_sql.merge_within)."""
    key = [column for column in columns.all if column.key]
    key_is_right = columns.complete and not (key_node and problems.within(key_node))
    for column, node in columns.immutable:
        if warehouse.partitioned_by != column.name and not warehouse.partition_is_wrong:
            problems.add(node, '"%s" does not partition the table; "immutable" is for the column of '
                         '"partition_by"' % column.name)
        elif sync.mode == "replace":
            problems.add(node, 'has no use in mode "replace", which sends all rows; leave it out')
        elif sync.deletes != "mirror":
            problems.add(node, 'has no use with "deletes": "%s": a row that is kept may have the key of a '
                         "new one in another partition; leave one of them out" % sync.deletes)
        elif not key_is_right:
            pass
        elif len(key) != 1 or not key[0].type.is_a("INT64"):
            problems.add(node, 'needs a "key" of one INT64 column, by which bqsync tells rows that are '
                         "new from rows that have changed")
        elif key[0].name == column.name:
            problems.add(node, '"%s" is the key, whose values bound each MERGE already; leave it out'
                         % column.name)


def _read_where(
    node: Optional[jsonpos.Node], table: str, problems: Problems
) -> Optional[str]:
    where = problems.text(node)
    if where is None or node is None:
        return None
    problem = filter_problem(where, table)
    if problem:
        problems.add(node, problem)
        return None
    return where.strip()


def _with_hashes(table: Table) -> Table:
    content: Dict[str, Any] = {
        "columns": sorted(
            [column.name, column.source, column.type.name, ",".join(column.reading.formats),
             column.transform.kind, column.transform.truncate_to, column.transform.key_variable]
            + (["round"] if column.json_rounds else [])
            + ["%s=%s" % option for option in column.reading.options]
            + (["tagged"] if table.takes_misfits and column.policy_tags else [])
            for column in table.columns),
        "key": [column.name for column in table.key],
        "where": table.where,
    }
    if table.history is not None:
        # Off, the log misses changes: once it is on again, all rows are compared with the log.
        content["history"] = True
    if table.deletes != "mirror":
        content["deletes"] = table.deletes
    time, numbers = table.time_partition, table.range_partition
    shape: Dict[str, Any] = {
        "content": content,
        "columns": [
            [column.name, column.required, column.description, list(column.policy_tags)]
            for column in table.columns],
        "description": table.description,
        "target": table.target,
        "labels": table.labels,
        "cluster_by": [column.name for column in table.cluster_by],
        "time_partition": [time.column.name, time.granularity] if time else None,
        "range_partition": [numbers.column.name, numbers.start, numbers.end, numbers.interval]
        if numbers else None,
        "require_partition_filter": table.require_partition_filter,
    }
    if table.clusters_by_default:
        shape["clusters_by_default"] = True
    return replace(table, content_hash=_hash(content), shape_hash=_hash(shape))


def _hash(value: Dict[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]

"""Two models of a table -> what the next sync does in BigQuery: pure, and by the rules of the program
(runtime/sync/pass/target_diff.c for the target, plan.c for the rows). A test runs both and compares.

The target is taken to be as the older definition made it. emit_schema says what that is, so whatever
a definition shows in BigQuery is compared here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import emit_history, emit_schema, emit_sql
from .model import DELETED_AT, Table
from .naming import fold, googlesql_name, googlesql_path, googlesql_string

# "ALTER TABLE column SET DATA TYPE statement": what a column may become without losing a value.
_WIDENINGS = (
    ("INT64", "NUMERIC"), ("INT64", "BIGNUMERIC"), ("INT64", "FLOAT64"), ("NUMERIC", "BIGNUMERIC"),
    ("NUMERIC", "FLOAT64"))

CREATED, DROPPED, REFUSED = "created", "dropped", "refused"
RESENT, ALTERED, KEPT = "resent", "altered", "kept"

Json = Dict[str, Any]


@dataclass
class Change:
    """What becomes of one table. statements: DDL, as `bqsync plan` shows it. refusals: why the table
    fails, each with the statement that a person must decide on. altered: BigQuery's table changes,
    also without a statement. resent: why all rows are sent, "" if they are not. perhaps: under which condition
    they are, which a definition does not tell. notes: sentences. keeps: the target has rows that SQLite lacks."""

    table: str
    target: str
    created: bool = False
    dropped: bool = False
    statements: List[str] = field(default_factory=list)
    refusals: List[str] = field(default_factory=list)
    altered: bool = False
    resent: str = ""
    perhaps: str = ""
    notes: List[str] = field(default_factory=list)
    keeps: bool = False

    @property
    def verdict(self) -> str:
        if self.created or self.dropped:
            return CREATED if self.created else DROPPED
        if self.refusals:
            return REFUSED
        if self.resent:
            return RESENT
        return ALTERED if self.altered else KEPT


def compare(before: Sequence[Table], after: Sequence[Table]) -> Tuple[Change, ...]:
    """The tables whose definitions differ, by name; those that are gone last."""
    old = {fold(table.name): table for table in before}
    targets = {table.target: table for table in before}
    changes = []
    for table in sorted(after, key=lambda table: table.name):
        was = old.pop(fold(table.name), None)
        if was is None or was != table:
            changes.append(_compare_table(was, targets.get(table.target), table))
    kept = {table.target for table in after}
    changes += [_drop(table, kept) for table in sorted(old.values(), key=lambda table: table.name)]
    return tuple(changes)


def _drop(table: Table, kept: "set[str]") -> Change:
    change = Change(table.name, table.target, dropped=True)
    if table.target not in kept:
        change.notes.append(
            "Its table in BigQuery stays as it is, and is no longer updated. Nothing drops it but a "
            "person.")
    if table.capture != "scan" and table.key:
        change.notes.append(
            "If it has triggers in SQLite, they go on recording changed keys until `bqsync capture "
            "prune` removes them.")
    return change


def _compare_table(was: Optional[Table], live: Optional[Table], table: Table) -> Change:
    """was: the older definition of this table; live: the one that made the target, if there is one."""
    change = Change(table.name, table.target, keeps=table.deletes != "mirror")
    if live is None:
        change.created = True
        change.altered = True
        change.statements.append(emit_sql.ddl(table))
    else:
        _compare_columns(change, live, table)
        # A target is looked at when its label names another shape than the definition's.
        now = was is None or was.shape_hash != table.shape_hash
        _compare_resource(change, live, table, now)
    _compare_history(change, live, table)
    change.resent = _resent(was, live, table)
    if live is not None:
        _compare_deletes(change, live, table)
    if was is not None:
        _compare_capture(change, was, table)
        if was.target != table.target:
            change.notes.append(
                "The table `%s` in BigQuery stays as it is, and is no longer updated." % was.target)
    return change


def _resent(was: Optional[Table], live: Optional[Table], table: Table) -> str:
    if was is None:
        return "the table was never synced"
    if live is None or was.target != table.target:
        return "another target than before"
    if (was.history is None) != (table.history is None):
        return "its history is %s" % ("kept from now on" if table.history else "no longer kept")
    if was.content_hash != table.content_hash:
        return "what the rows hold has changed"
    changed = [_noted(was, scan) != _noted(table, scan) for scan in (False, True)
               if scan or table.capture != "scan"]
    return "changes are found in another way than before" if all(changed) else ""


def _noted(table: Table, scan: bool) -> str:
    """How a pass notes the way in which changes are found (set_content_hash in plan.c). scan: auto
    means a scan here."""
    if table.capture == "scan" or (scan and table.capture == "auto"):
        return "f" if table.replaced else "s"
    return "."


# ---- columns ------------------------------------------------------------------------------------


def _compare_columns(change: Change, live: Table, table: Table) -> None:
    have, want = _fields(live), _fields(table)
    for name, had in have.items():
        if name not in want:
            _lose_column(change, had)
    for name, wanted in want.items():
        if name in have:
            _compare_column(change, table, have[name], wanted)
        else:
            _add_column(change, wanted)
    if [name for name in have if name in want] != [name for name in want if name in have]:
        change.notes.append("The columns stay in their order in BigQuery; new ones come last.")


def _fields(table: Table) -> "dict[str, Json]":
    """BigQuery's columns by name; case does not count."""
    return {fold(item["name"]): item for item in json.loads(emit_schema.schema_json(table))}


def _alter(change: Change) -> str:
    return "alter table %s" % googlesql_path(change.target)


def _alter_column(change: Change, name: str, action: str) -> None:
    change.statements.append(
        "%s alter column %s %s" % (_alter(change), googlesql_name(name), action))
    change.altered = True


def _lose_column(change: Change, had: Json) -> None:
    change.notes.append(
        "`%s` is not listed any more. The column stays in BigQuery; it is NULL in rows that are sent "
        "from now on." % had["name"])
    if had["mode"] == "REQUIRED":
        change.refusals.append(
            "%s.%s exists only in BigQuery and is REQUIRED, so no row can be written. Decide to run "
            "`%s alter column %s drop not null`, or add the column to the definition"
            % (change.table, had["name"], _alter(change), had["name"]))


def _add_column(change: Change, wanted: Json) -> None:
    options = ""
    if wanted.get("description"):
        options = " options(description=%s)" % googlesql_string(wanted["description"])
    change.statements.append("%s add column %s %s%s" % (
        _alter(change), googlesql_name(wanted["name"]), wanted["type"], options))
    change.altered = True
    note = "`%s` is a new column." % wanted["name"]
    if wanted["mode"] == "REQUIRED":
        note += (" BigQuery adds columns as NULLABLE only, so it stays NULLABLE there; rows with NULL "
                 "in it are rejected.")
    change.notes.append(note)


def _compare_column(change: Change, table: Table, had: Json, wanted: Json) -> None:
    name = wanted["name"]
    key = any(column.key and column.name == name for column in table.columns)
    if had["type"] != wanted["type"]:
        if (had["type"], wanted["type"]) in _WIDENINGS and not key:
            _alter_column(change, name, "set data type %s" % wanted["type"])
        else:
            _refuse(change, name, "%sis %s in BigQuery and %s in its definition" % (
                "is a key column, " if key else "", had["type"], wanted["type"]))
    if had["mode"] == "REQUIRED" and wanted["mode"] == "NULLABLE":
        _alter_column(change, name, "drop not null")
    elif had["mode"] != wanted["mode"]:
        change.notes.append(
            "`%s` is REQUIRED now. BigQuery cannot make it so and keeps it NULLABLE; rows with NULL in "
            "it are rejected from now on, and stay in BigQuery as they were sent." % name)
    if had.get("description", "") != wanted.get("description", ""):
        change.altered = True
        change.notes.append("The description of `%s` is changed in BigQuery." % name)
    _compare_tags(change, name, had.get("policyTags"), wanted.get("policyTags"))


def _compare_tags(change: Change, name: str, had: Optional[Json], wanted: Optional[Json]) -> None:
    if had == wanted:
        return
    if wanted is None:
        change.notes.append(
            "The policy tag of `%s` is gone from the definition and stays in BigQuery, so that no "
            "column is opened by accident. A person may remove it there." % name)
        return
    change.altered = True
    change.notes.append("`%s` gets the policy tag `%s`." % (name, wanted["names"][0]))


def _refuse(change: Change, name: str, why: str) -> None:
    path = googlesql_path(change.target)
    statement = "`drop table %s` (the next sync fills it again)" % path
    if change.keeps:
        statement = (
            "`alter table %s rename to `%s_until_now`` (the next sync creates the table again; the other keeps the "
            "deleted rows)" % (path, change.target))
    change.refusals.append(
        "%s.%s %s. BigQuery cannot change that in place: put the definition back, or decide to run %s"
        % (change.table, name, why, statement))


# ---- the rest of the table ----------------------------------------------------------------------


def _compare_resource(change: Change, live: Table, table: Table, now: bool) -> None:
    had, wanted = (json.loads(emit_schema.resource_json(each)) for each in (live, table))
    _compare_partitions(change, had, wanted)
    _compare_labels(change, had.get("labels", {}), wanted.get("labels", {}))
    _compare_clustering(change, table, had, wanted)
    _compare_description(change, had.get("description"), wanted.get("description"))
    _compare_partition_filter(change, had, wanted)
    _compare_primary_key(change, table, had, wanted, now)


def _compare_partitions(change: Change, had: Json, wanted: Json) -> None:
    for kind in ("timePartitioning", "rangePartitioning"):
        old, new = had.get(kind), wanted.get(kind)
        if old == new:
            continue
        if new is None:
            if kind in had and not {"timePartitioning", "rangePartitioning"} & set(wanted):
                change.notes.append(
                    "The table stays partitioned by `%s` in BigQuery, which cannot change "
                    "that." % old["field"])
        elif old is None or (old["field"], old.get("type")) != (new["field"], new.get("type")):
            _refuse(change, new["field"], "partitions the table by its definition but not in BigQuery")
        else:
            _refuse(change, new["field"],
                    "partitions the table by other ranges in its definition than in BigQuery")


def _compare_labels(change: Change, had: Json, wanted: Json) -> None:
    for key, value in wanted.items():
        if had.get(key) != value:
            change.altered = True
            change.notes.append("The label `%s` becomes `%s`." % (key, value))
    for key in had:
        if key not in wanted:
            change.notes.append("The label `%s` stays in BigQuery." % key)


def _compare_clustering(change: Change, table: Table, had: Json, wanted: Json) -> None:
    old = had.get("clustering", {}).get("fields", [])
    new = wanted.get("clustering", {}).get("fields", [])
    if [fold(name) for name in old] == [fold(name) for name in new]:
        return
    if table.clusters_by_default and old:
        change.notes.append(
            "The table stays clustered %s, because the definition has no `cluster_by`." % _by(old))
        return
    change.altered = True
    change.notes.append(
        "The table is clustered %s instead of %s, for free; older rows are sorted when they are "
        "rewritten." % (_by(new), _by(old)))


def _by(names: Sequence[str]) -> str:
    return "by " + ", ".join("`%s`" % name for name in names) if names else "by nothing"


def _compare_description(change: Change, had: Optional[str], wanted: Optional[str]) -> None:
    if had == wanted:
        return
    if wanted is None:
        change.notes.append("The description of the table stays in BigQuery.")
        return
    change.altered = True
    change.notes.append("The description of the table is changed in BigQuery.")


def _compare_partition_filter(change: Change, had: Json, wanted: Json) -> None:
    old, new = (bool(each.get("requirePartitionFilter")) for each in (had, wanted))
    if new and not old:
        change.altered = True
        change.notes.append(
            "BigQuery refuses queries without a condition on the partitioning column from now on.")
    if old and not new:
        change.notes.append(
            "BigQuery goes on demanding a condition on the partitioning column, also of the MERGE, "
            "which has none any more. A person has to run `%s set options (require_partition_filter = "
            "false)`." % _alter(change))


def _compare_primary_key(
    change: Change, table: Table, had: Json, wanted: Json, now: bool
) -> None:
    old, new = (each.get("tableConstraints") for each in (had, wanted))
    if old == new:
        return
    when = "" if now else ", when bqsync looks at the target next: at the latest after another change "\
        "of the definition"
    if new is not None:
        names = ", ".join("`%s`" % name for name in new["primaryKey"]["columns"])
        change.notes.append("The primary key in BigQuery becomes %s%s." % (names, when))
    elif table.replaced:
        change.statements.append("%s drop primary key" % _alter(change))
        change.notes.append("The primary key in BigQuery is dropped, because rows may share a key%s."
                            % (when and ", with the next change of the rows"))
    else:
        change.notes.append("The primary key stays as it is in BigQuery.")
        return
    change.altered = change.altered or now


# ---- its history ---------------------------------------------------------------------------------


def _compare_history(change: Change, live: Optional[Table], table: Table) -> None:
    """The log has the columns of the target, so what is refused and noted of these is said already."""
    before = live if live is not None and live.history is not None else None
    if table.history is None:
        if before is not None:
            change.notes.append(
                "The log `%s`, its view and its function stay as they are in BigQuery; no version is added."
                % emit_history.log_name(before))
        return
    log = emit_history.log_table(table)
    if before is None:
        change.altered = True
        change.statements.append(emit_sql.ddl(log))
        change.notes.append("Every version of a row is kept in `%s`, from the next sync on." % log.target)
    else:
        of_log = Change(log.target, log.target)
        _compare_columns(of_log, emit_history.log_table(before), log)
        if emit_history.key_hash(before) != emit_history.key_hash(table):
            change.refusals.append(
                "%s has versions by another key, or by keys converted in another way. BigQuery "
                "cannot change that in place: put the definition back, or decide to run `%s rename to "
                "`%s_until_now`` (the next sync begins a new log)"
                % (log.target, _alter(of_log), log.target))
        if before.history != table.history:
            of_log.altered = True
            days = table.history.keep_days
            of_log.statements.append("%s set options(partition_expiration_days = %s)" % (
                _alter(of_log), days or "null"))
            change.notes.append("Versions are kept %s." % ("for %d days" % days if days else "for ever"))
        change.altered = change.altered or of_log.altered
        change.statements += of_log.statements
    if before is None or emit_history.shape_hash(before) != emit_history.shape_hash(table):
        change.altered = True
        change.statements += [emit_history.view(table), emit_history.function(table)]


# ---- rows that are deleted in SQLite --------------------------------------------------------------


def _compare_deletes(change: Change, live: Table, table: Table) -> None:
    kept = live.deletes != "mirror"
    if kept and table.deletes == "mirror":
        change.notes.append("Rows that SQLite does not have any more are deleted in BigQuery, which has kept them.")
    if live.deletes == "keep" and table.deletes == "mark":
        change.notes.append(
            "Rows that SQLite does not have any more are marked as deleted, at the time of the next sync.")
    if live.deletes == "mark" and table.deletes == "keep":
        change.notes.append(
            "Rows that are marked as deleted stay so; nothing sets or clears `%s` from now on."
            % DELETED_AT.name)
    if kept and table.deletes == live.deletes and live.content_hash != table.content_hash:
        change.notes.append(
            "Rows that SQLite does not have any more stay in BigQuery as they were sent, also where a "
            "column is hidden or changed from now on.")


# ---- the source ---------------------------------------------------------------------------------


def _compare_capture(change: Change, was: Table, table: Table) -> None:
    """What a pass does in SQLite, and what depends on how changes are found."""
    old, new = (
        emit_sql.capture_install(each) if each.key and each.capture != "scan" else []
        for each in (was, table))
    if old and not new:
        change.notes.append("The triggers in SQLite, if the table has any, are removed.")
    elif new and not old:
        change.notes.append("The next sync installs triggers in SQLite, unless the source is scanned.")
    elif old != new:
        change.notes.append("The triggers in SQLite, if the table has any, are made again.")
    if change.resent:
        return
    if any(_noted(was, scan) != _noted(table, scan) for scan in (False, True)):
        change.perhaps = "if changes were found by %s" % (
            "triggers" if _noted(was, False) != _noted(table, False) else "a scan")
    elif table.capture != "triggers" and _order(was) != _order(table):
        # A scan hashes the columns of a row one after the other.
        change.perhaps = "if changes were found by a scan"


def _order(table: Table) -> List[str]:
    return [fold(column.name) for column in table.columns]

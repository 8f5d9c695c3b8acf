"""Model -> what keeps the history of a table in BigQuery: the log as a table of its own, and GoogleSQL for
the view and the table function that read it. Which rows a pass adds to the log is the runtime's
(runtime/sync/commit)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import List, Sequence

from . import emit_schema, emit_sql
from .forms import Reading
from .model import DELETED_AT, Column, Table, TimePartition, Transform
from .naming import fold, googlesql_name, googlesql_path, googlesql_string, history_names
from .typemap import BY_NAME

_CLUSTER_MAX = 4


def _column(name: str, kind: str, description: str, required: bool = True) -> Column:
    return Column(
        name=name, source=name, type=BY_NAME[kind], required=required, key=False,
        description=description, reading=Reading(), json_rounds=False, transform=Transform(),
        policy_tags=(), immutable=False)


_AT = _column("_bqsync_at", "TIMESTAMP", "When bqsync read the version in SQLite")
_ADDED = (
    _column("_bqsync_operation", "STRING", "insert, update or delete; a delete has the key alone"),
    _AT,
    _column("_bqsync_generation", "INT64", "Of one key, the later version has the higher number"),
    _column("_bqsync_run", "STRING", "The run of bqsync that found the version"),
    _column("_bqsync_abandoned", "BOOL", "TRUE: SQLite was restored to a state before this version",
            required=False),
)
_OF_THE_VIEW = (
    _column("valid_from", "TIMESTAMP", "When bqsync read the version in SQLite", required=False),
    _column("valid_to", "TIMESTAMP", "When bqsync read the next version, or that the row was gone; NULL if there "
            "is none", required=False),
    _column("is_current", "BOOL", "Whether the table has this version", required=False),
)
_VIEW_DESCRIPTION = "The versions of the rows of %s, each from valid_from until valid_to; made by bqsync"


def log_name(table: Table) -> str:
    return history_names(table.target)[0]


def view_name(table: Table) -> str:
    return history_names(table.target)[1]


def function_name(table: Table) -> str:
    return history_names(table.target)[2]


def key_hash(table: Table) -> str:
    """Of the key's columns, in any order, and of how their values are converted. The type is not among
    it: that of a column of a log is compared by itself."""
    forms = sorted(
        [fold(column.name), list(column.reading.formats), column.reading.options,
         column.transform.kind, column.transform.truncate_to, column.transform.key_variable]
        for column in table.key)
    return hashlib.sha256(json.dumps(forms).encode("utf-8")).hexdigest()[:12]


def log_table(table: Table) -> Table:
    """The log of a table with history, as far as BigQuery sees it. It has no primary key: each key
    stands there once for each version. Its label (LABEL_KEY in history_log.h) says by which key."""
    keep_days = table.history.keep_days if table.history is not None else 0
    return replace(
        table,
        target=log_name(table),
        description="Every version of the rows of %s, since its history is kept; written by bqsync"
        % table.target,
        mode="replace",
        columns=tuple(
            replace(column, required=column.required and column.key, key=False, immutable=False)
            for column in table.columns) + _ADDED,
        key=(),
        time_partition=TimePartition(_AT, "DAY", keep_days),
        range_partition=None,
        require_partition_filter=False,
        cluster_by=tuple(
            column for column in table.key if column.type.cluster)[:_CLUSTER_MAX],
        clusters_by_default=True,
        history=None,
        deletes="mirror",
        labels=tuple(sorted(table.labels + (("bqsync_key", key_hash(table)),))),
    )


def view_table(table: Table) -> Table:
    """The view, as far as its columns go."""
    return replace(
        log_table(table),
        target=view_name(table),
        description=_VIEW_DESCRIPTION % table.target,
        columns=tuple(replace(column, required=False, key=False) for column in table.columns) + _OF_THE_VIEW,
        time_partition=None,
        cluster_by=(),
        labels=table.labels,
    )


def with_histories(tables: Sequence[Table], views: bool = True) -> List[Table]:
    """The tables, each followed by the log and the view of its history, for tools that know tables by
    their stems. views: with the views."""
    found = []
    for table in tables:
        found.append(table)
        if table.history is not None:
            log, view_of, _ = history_names(table.stem)
            found.append(replace(log_table(table), stem=log))
            if views:
                found.append(replace(view_table(table), stem=view_of))
    return found


def shape_hash(table: Table) -> str:
    """Of all that BigQuery shows of the history."""
    log = log_table(table)
    texts = (
        emit_schema.schema_json(log), emit_schema.resource_json(log), view(table), function(table))
    return hashlib.sha256("\0".join(texts).encode("utf-8")).hexdigest()[:12]


def view(table: Table) -> str:
    """The versions, each with the time until which it was valid. A deletion only ends a version."""
    names = _names(table.columns)
    parts = [
        "create or replace view %s" % googlesql_path(view_name(table)),
        _options(_VIEW_DESCRIPTION % table.target),
        "as",
        "select",
        _list(names + ["`valid_from`", "`valid_to`", "`valid_to` is null as `is_current`"], "  "),
        "from (",
        "  select",
        _list(names + [
            "`_bqsync_operation`",
            "`_bqsync_at` as `valid_from`",
            "lead(`_bqsync_at`) over (\n      partition by %s order by `_bqsync_generation`) as "
            "`valid_to`" % ", ".join(_names(table.key))], "    "),
        "  from %s" % googlesql_path(log_name(table)),
        "  where `_bqsync_abandoned` is not true",
        ")",
        'where `_bqsync_operation` <> "delete"',
    ]
    return "\n".join(parts + _unlogged(table, ["null", "null", "true"]))


def function(table: Table) -> str:
    """The table as it was: of each key the last version until then, unless that is a deletion."""
    names = _names(table.columns)
    parts = [
        "create or replace table function %s(`at` timestamp)" % googlesql_path(function_name(table)),
        _options("%s as it was at a time; made by bqsync" % table.target),
        "as",
        "select",
        _list(names, "  "),
        "from (",
        "  select",
        _list(names + [
            "`_bqsync_operation`",
            "row_number() over (\n      partition by %s order by `_bqsync_generation` desc) as "
            "`_bqsync_rank`" % ", ".join(_names(table.key))], "    "),
        _as_of(table),
        ")",
        "where `_bqsync_rank` = 1",
        '  and `_bqsync_operation` <> "delete"',
    ]
    return "\n".join(parts + _unlogged(table, []))


def _as_of(table: Table) -> str:
    """The log until the argument. Where the table has a column of its name, GoogleSQL takes the name for
    the column ("Table functions", "Parameter names"), so the argument is renamed out of its sight."""
    if all(fold(column.name) != "at" for column in table.columns):
        asked, argument = "", "`at`"
    else:
        asked, argument = "\n  cross join (select `at` as `_bqsync_asked`)", "`_bqsync_asked`"
    return (
        "  from %s%s\n  where `_bqsync_abandoned` is not true\n    and `_bqsync_at` <= %s"
        % (googlesql_path(log_name(table)), asked, argument))


def _unlogged(table: Table, added: List[str]) -> List[str]:
    """With keep_days, a row that has not changed for so long is in no partition of the log that is
    left. The table still has it."""
    if table.history is None or not table.history.keep_days:
        return []
    # No column has names like these, whatever the table's are.
    target, logged = "`_bqsync_row`", "`_bqsync_log`"
    keys = _names(table.key)
    conditions = ["%s.%s is null" % (logged, keys[0]), emit_sql.always_true(table, target + ".")]
    if table.deletes == "mark":
        conditions.append("%s.%s is null" % (target, googlesql_name(DELETED_AT.name)))
    return [
        "union all",
        "select",
        _list(["%s.%s" % (target, name) for name in _names(table.columns)] + added, "  "),
        "from %s as %s" % (googlesql_path(table.target), target),
        "left join (",
        "  select distinct %s" % ", ".join(keys),
        "  from %s" % googlesql_path(log_name(table)),
        "  where `_bqsync_abandoned` is not true",
        ") as %s" % logged,
        "on " + "\n  and ".join("%s.%s = %s.%s" % (target, key, logged, key) for key in keys),
        "where " + "\n  and ".join(condition for condition in conditions if condition),
    ]


def _names(columns: Sequence[Column]) -> List[str]:
    return [googlesql_name(column.name) for column in columns]


def _list(items: Sequence[str], indent: str) -> str:
    return indent + ("\n%s, " % indent).join(items)


def _options(description: str) -> str:
    return "options (description = %s)" % googlesql_string(description)


def history_file(table: Table) -> str:
    kept = ""
    if table.history is not None and table.history.keep_days:
        kept = " Versions older than %d days expire." % table.history.keep_days
    texts = (
        ("-- The log: a row for each version of each row.%s" % kept, emit_sql.ddl(log_table(table))),
        ("-- The versions, with the times between which each was valid.", view(table)),
        ("-- The table as it was at a time.", function(table)),
    )
    return "\n".join("%s\n%s;\n" % pair for pair in texts)

"""Model -> SQL: GoogleSQL for BigQuery, SQLite for the source. Each statement is made once; the
.sql files and the C sources both hold what these functions return, without the last semicolon.

Lists carry their commas in front, so that a new column adds lines and changes none.
"""

from __future__ import annotations

from typing import Iterable, List, Sequence

from .model import DELETED_AT, Column, Table
from .naming import (
    GOOGLESQL_STAGING, capture_trigger, dirty_table, fold, googlesql_name, googlesql_path,
    googlesql_string, sqlite_name, sqlite_string)


def _lines(items: Iterable[str], indent: str = "  ") -> str:
    """One item a line, the commas in front."""
    return "\n".join(
        indent + (", " if index else "") + item for index, item in enumerate(items))


# ---- BigQuery -----------------------------------------------------------------------------------


def ddl(table: Table) -> str:
    """Creates the target if it does not exist."""
    items = [_column_definition(column) for column in table.target_columns]
    if table.primary_key_allowed:
        keys = ", ".join(googlesql_name(column.name) for column in table.key)
        items.append("primary key (%s) not enforced" % keys)
    parts = [
        "create table if not exists %s (" % googlesql_path(table.target),
        _lines(items),
        ")",
    ]
    partition = _partition(table)
    if partition:
        parts.append("partition by " + partition)
    if table.cluster_by:
        parts.append(
            "cluster by " + ", ".join(googlesql_name(column.name) for column in table.cluster_by))
    options = _table_options(table)
    if options:
        parts += ["options (", _lines(options), ")"]
    return "\n".join(parts)


def _column_definition(column: Column) -> str:
    words = [googlesql_name(column.name), column.type.name.lower()]
    if column.required:
        words.append("not null")
    if column.description:
        words.append("options (description = %s)" % googlesql_string(column.description))
    return " ".join(words)


def _partition(table: Table) -> str:
    time, numbers = table.time_partition, table.range_partition
    if numbers is not None:
        return "range_bucket(%s, generate_array(%d, %d, %d))" % (
            googlesql_name(numbers.column.name), numbers.start, numbers.end, numbers.interval)
    if time is None:
        return ""
    name = googlesql_name(time.column.name)
    if time.column.type.name == "DATE" and time.granularity == "DAY":
        return name
    return "%s(%s, %s)" % (time.column.type.truncate_function, name, time.granularity.lower())


def _table_options(table: Table) -> List[str]:
    options = []
    if table.description:
        options.append("description = %s" % googlesql_string(table.description))
    if table.labels:
        pairs = ", ".join(
            "(%s, %s)" % (googlesql_string(key), googlesql_string(value))
            for key, value in table.labels)
        options.append("labels = [%s]" % pairs)
    if table.require_partition_filter:
        options.append("require_partition_filter = true")
    if table.time_partition is not None and table.time_partition.keep_days:
        options.append("partition_expiration_days = %d" % table.time_partition.keep_days)
    return options


def merge(table: Table) -> str:
    """Brings the target in line with a staging table of changed rows and tombstones."""
    staged = _alias(table, "s")
    parts = [_merge_head(table)] + _merge_deleted(table)
    updates = ["%s = %s.%s" % (name, staged, name)
               for name in (googlesql_name(column.name) for column in table.rest)]
    if table.deletes == "mark":
        updates.append("%s = null" % googlesql_name(DELETED_AT.name))
    if updates:
        present = "" if table.deletes == "mirror" else " and not %s.`_bqsync_deleted`" % staged
        parts += ["when matched%s then" % present, "  update set", _lines(updates, "    ")]
    parts.append(
        _merge_insert(table, "when not matched and not %s.`_bqsync_deleted` then" % staged))
    return "\n".join(parts)


def _merge_deleted(table: Table) -> List[str]:
    """What a tombstone does to its row. The first time at which the row was found deleted stays."""
    target, staged = _alias(table, "t"), _alias(table, "s")
    when = "when matched and %s.`_bqsync_deleted`" % staged
    name = googlesql_name(DELETED_AT.name)
    return {
        "mirror": [when + " then", "  delete"],
        "mark": ["%s and %s.%s is null then" % (when, target, name),
                 "  update set %s = @snapshot_at" % name],
        "keep": [],
    }[table.deletes]


def merge_within(table: Table) -> str:
    """The MERGE of rows none of which is deleted, bounded by the values of the immutable column that
    partitions the table, too; "" without one. A changed row whose value has changed after all has its
    older version outside of these bounds, and would be inserted beside it: instead the statement fails
    for a key up to @known, the highest that was sent before, and changes nothing."""
    column = table.immutable
    if column is None:
        return ""
    target, staged = _alias(table, "t"), _alias(table, "s")
    key = googlesql_name(table.key[0].name)
    names = [googlesql_name(column.name) for column in table.rest]
    checked = "if(%s.%s > @known, %s.%s, error(%s))" % (
        staged, key, staged, key, googlesql_string(
            "bqsync: %s is declared immutable, but a changed row is not where it was" % column.name))
    return "\n".join([
        "merge into %s as %s" % (googlesql_path(table.target), target),
        "using %s as %s" % (GOOGLESQL_STAGING, staged),
        "on %s.%s = %s.%s%s" % (target, key, staged, key, bounds(table)),
        "  and %s.%s between @low_2 and @high_2" % (target, googlesql_name(column.name)),
        "when matched then",
        "  update set",
        _lines(["%s = %s.%s" % (name, staged, name) for name in names], "    "),
        _merge_insert(table, "when not matched then").replace(
            "%s.%s" % (staged, key), checked, 1),
    ])


def add(table: Table) -> str:
    """Adds rows none of which is in the target yet. In mode append that is known of them as it is of
    rows that a load job adds; elsewhere the keys are compared, and BigQuery reads no other column. ""
    where the target keeps deleted rows: a row that is new in SQLite may have the key of one of them."""
    if table.deletes != "mirror":
        return ""
    if table.mode == "append":
        return _insert(table)
    return "\n".join([_merge_head(table), _merge_insert(table, "when not matched then")])


def _insert(table: Table) -> str:
    names = [googlesql_name(column.name) for column in table.columns]
    staged = _alias(table, "s")
    return "\n".join([
        "insert into %s (" % googlesql_path(table.target),
        _lines(names),
        ")",
        "select",
        _lines(["%s.%s" % (staged, name) for name in names]),
        "from %s as %s" % (GOOGLESQL_STAGING, staged),
    ])


def _alias(table: Table, letter: str) -> str:
    """What a statement calls the target (t) or the staging table (s). Where a column has that name,
    GoogleSQL would take the column in UPDATE SET for the whole row of the table."""
    taken = {fold(column.name) for column in table.columns}
    while letter in taken:
        letter += "_"
    return letter


def bounds(table: Table) -> str:
    """The part of a MERGE's ON clause that says between which values the keys of its rows lie; ""
    if no key column has bounds. It is true for every row that has a partner, so it changes nothing
    but what BigQuery reads."""
    target = _alias(table, "t")
    return "".join(
        "\n  and %s.%s between @low_%d and @high_%d"
        % (target, googlesql_name(column.name), number, number)
        for number, column in enumerate(table.key, start=1) if column.type.bounds)


def always_true(table: Table, prefix: str = "") -> str:
    """A condition that lets every row pass, for targets that BigQuery reads with a condition on the
    partitioning column only; "" for others. prefix: the table's alias and a dot."""
    partition = table.time_partition or table.range_partition
    if not table.require_partition_filter or partition is None:
        return ""
    name = prefix + googlesql_name(partition.column.name)
    return "(%s is null or %s is not null)" % (name, name)


def _merge_head(table: Table) -> str:
    names = [googlesql_name(column.name) for column in table.key]
    target, staged = _alias(table, "t"), _alias(table, "s")
    conditions = ["%s.%s = %s.%s" % (target, name, staged, name) for name in names]
    conditions[-1] += bounds(table)
    # A narrower one would miss the old version of a row that moves to another partition.
    every_row = always_true(table, target + ".")
    if every_row:
        conditions.append(every_row)
    return "\n".join([
        "merge into %s as %s" % (googlesql_path(table.target), target),
        "using %s as %s" % (GOOGLESQL_STAGING, staged),
        "on " + "\n  and ".join(conditions),
    ])


def _merge_insert(table: Table, when: str) -> str:
    names = [googlesql_name(column.name) for column in table.columns]
    staged = _alias(table, "s")
    return "\n".join([
        when,
        "  insert (",
        _lines(names, "    "),
        "  )",
        "  values (",
        _lines(["%s.%s" % (staged, name) for name in names], "    "),
        "  )",
    ])


# ---- SQLite: reading ----------------------------------------------------------------------------
# Columns are always qualified: an unqualified "name" that does not exist would be read as a string.


def scan(table: Table) -> str:
    """Every row that passes the filter."""
    return "\n".join([_select(table)] + _where(_filter(table)))


def new_rows(table: Table) -> str:
    """The rows above a key, ?1; for a key of one INT64 column only."""
    condition = "%s > ?1" % _source(table, table.key[0])
    return "\n".join([_select(table)] + _where([condition] + _filter(table)))


def changes(table: Table) -> str:
    """The rows of the dirty keys newer than ?1; the column behind the others says that the row is
    deleted, and with history one more that it was there when ?1 was sealed, as far as that is known. A
    deleted row has its key as it was noted; a present one as it is stored, which may differ, since 1
    and 1.0 are one key. Keys above ?2 (one INT64 key) are left to new_rows.

    1 stands for true, because a column of the application that is called "true" hides the word. In a
    trigger the word is safe: columns of its table need "new." or "old." there."""
    noted = {
        column.name: "d.bq_sync_key_%d" % number
        for number, column in enumerate(table.key, start=1)}
    columns = [
        "coalesce(%s, %s)" % (_source(table, column), noted[column.name])
        if column.name in noted else _source(table, column) for column in table.columns]
    # The first comparison finds the row by its index, the second tells apart what the column's
    # collation does not.
    matches = ["%s = %s" % (_source(table, column), noted[column.name]) for column in table.key]
    matches += [
        "%s collate binary = %s" % (_source(table, column), noted[column.name])
        for column in table.key]
    told = ["%s is null" % _source(table, table.key[0])]
    if table.history is not None:
        # The first event since ?1 found the row there.
        told.append(
            "(d.bq_sync_held_in = d.bq_sync_sequence and d.bq_sync_held_after <= ?1) is 1")
    since = ["d.bq_sync_sequence > ?1"]
    if table.single_int64_key:
        since.append("(d.bq_sync_key_1 > ?2) is not 1")
    return "\n".join([
        "select",
        _lines(columns + told),
        "from %s as d" % dirty_table(table.name),
        "left join %s" % sqlite_name(table.name),
        "  on " + "\n  and ".join(matches + _filter(table)),
    ] + _where(since))


def _select(table: Table) -> str:
    columns = _lines([_source(table, column) for column in table.columns])
    return "select\n%s\nfrom %s" % (columns, sqlite_name(table.name))


def _source(table: Table, column: Column) -> str:
    if column.unfit:
        return "null"
    return "%s.%s" % (sqlite_name(table.name), sqlite_name(column.source))


def _filter(table: Table) -> List[str]:
    # On lines of its own: the filter may end in a comment.
    return ["(\n%s\n)" % table.where] if table.where is not None else []


def _where(conditions: Sequence[str]) -> List[str]:
    return ["where " + "\n  and ".join(conditions)] if conditions else []


# ---- SQLite: change capture ---------------------------------------------------------------------
# What must hold whatever the application does: a trigger never makes its statement fail. Hence
# - an upsert: inside a trigger the outer statement's conflict policy is in force, and would fail an
#   INSERT that meets its own row, also an INSERT OR IGNORE; an upsert clause is not overridden;
# - rows with a NULL in the key are skipped: the dirty set's primary key takes none;
# - keys have no declared type, so every value is stored as it is.
#
# What keeps them cheap:
# - one look at the counter, one at the key: the upsert finds the entry, and leaves it alone if it
#   has the current number. Conditions in WHEN would look twice;
# - no constraint of the dirty set can abort, or SQLite would keep a copy of each page for undoing
#   the statement within its transaction. That is why the keys are NOT NULL ON CONFLICT IGNORE, and
#   the sequence, which comes from a NOT NULL column, is not NOT NULL at all;
# - WHEN where rows are nearly always left alone: an INSERT above the watermark, an UPDATE that does
#   not move the key;
# - a trigger that does nothing costs as well: SQLite sets up registers for its whole program. UPDATE OF
#   leaves it out of statements that cannot concern it.
#
# The dirty set of a table with history also says whether the row was there when a pass was sealed: it was,
# if the first event after that is an update or a delete. An insert does not tell, because REPLACE fires no
# trigger for the row that it removes. bq_sync_held_in is the sequence of such an event, and
# bq_sync_held_after the one that the entry had before: they tell of the pass with the sequence W if
# bq_sync_held_in is the entry's sequence still, and bq_sync_held_after <= W.


def capture_install(table: Table) -> List[str]:
    """The dirty set and the triggers that feed it."""
    above = [_not_above_watermark(table, "new")] if table.single_int64_key else []
    return [
        _dirty_table(table),
        _trigger(table, "insert", "insert", "new", above),
        _trigger(table, "update", "update", "old", []),
        _trigger(table, "rekey", _key_update(table), "new", [_key_moved(table)]),
        _trigger(table, "delete", "delete", "old", []),
    ]


def _key_names(table: Table) -> List[str]:
    return ["bq_sync_key_%d" % number for number in range(1, len(table.key) + 1)]


def _dirty_table(table: Table) -> str:
    names = _key_names(table)
    items = ["%s not null on conflict ignore" % name for name in names]
    items.append("bq_sync_sequence integer")
    if table.history is not None:
        items += ["bq_sync_held_in integer", "bq_sync_held_after integer"]
    items += ["primary key (%s)" % ", ".join(names)]
    return "create table if not exists %s (\n%s\n) without rowid" % (
        dirty_table(table.name), _lines(items))


def _key_values(table: Table, row: str) -> List[str]:
    return ["%s.%s" % (row, sqlite_name(column.source)) for column in table.key]


def _key_update(table: Table) -> str:
    """The event of an UPDATE that may change the key. SQLite compares the names in SET with these, and takes any name
    for one of a column's; an INTEGER PRIMARY KEY can also be set by a name of the rowid."""
    names = [sqlite_name(column.source) for column in table.key]
    return "update of " + ", ".join(names + ["rowid", "oid", "_rowid_"])


def _key_moved(table: Table) -> str:
    return "\n  or ".join(
        "%s collate binary is not %s" % pair
        for pair in zip(_key_values(table, "new"), _key_values(table, "old")))


def _not_above_watermark(table: Table, row: str) -> str:
    """Rows above the watermark are found by their id alone."""
    return "exists (\n  select 1 from bq_sync_capture\n  where %s\n)" % "\n    and ".join(
        [_of_table(table), "(%s > watermark) is not true" % _key_values(table, row)[0]])


def _of_table(table: Table) -> str:
    return "table_name = %s" % sqlite_string(table.name)


def _trigger(table: Table, name: str, event: str, row: str, when: List[str]) -> str:
    names, values = _key_names(table), _key_values(table, row)
    conditions = [_of_table(table)] + ["%s is not null" % value for value in values]
    if table.single_int64_key and event != "insert":
        conditions.append("(%s > watermark) is not true" % values[0])
    written, noted, renewed = names + ["bq_sync_sequence"], values + ["sequence"], []
    if table.history is not None and row == "old":
        written += ["bq_sync_held_in", "bq_sync_held_after"]
        noted += ["sequence", "0"]
        renewed = [
            "    , bq_sync_held_in = excluded.bq_sync_sequence",
            "    , bq_sync_held_after = bq_sync_sequence"]
    return "\n".join([
        "create trigger if not exists %s" % capture_trigger(table.name, name),
        "after %s on %s" % (event, sqlite_name(table.name)),
    ] + ["when " + condition for condition in when] + [
        "begin",
        "  insert into %s (%s)" % (dirty_table(table.name), ", ".join(written)),
        "  select %s from bq_sync_capture" % ", ".join(noted),
        "  where " + "\n    and ".join(conditions),
        "  on conflict (%s) do update" % ", ".join(names),
        "  set bq_sync_sequence = excluded.bq_sync_sequence",
    ] + renewed + [
        "  where bq_sync_sequence <> excluded.bq_sync_sequence;",
        "end",
    ])


# ---- files --------------------------------------------------------------------------------------


def ddl_file(table: Table) -> str:
    return "-- The target table.\n%s;\n" % ddl(table)


_NO_KEY = "-- None: the table has no key and is replaced as a whole.\n"


def merge_file(table: Table) -> str:
    if not table.key:
        return _NO_KEY
    text = (
        "-- Changed, new and deleted rows from a staging table. Few rows are a parameter of the\n"
        "-- statement, which then reads unnest(@rows) in the place of the staging table. Further\n"
        "-- parameters are the lowest and the highest key of these rows%s.\n%s;\n" % (
            ", and when they were\n-- read" if table.deletes == "mark" else "", merge(table)))
    if add(table):
        text += "\n-- Only new rows, from the same.\n%s;\n" % add(table)
    return text + _within_file(table)


def _within_file(table: Table) -> str:
    if table.immutable is None:
        return ""
    return (
        "\n-- Without deleted rows, bounded by the immutable column. @known is the highest key that was\n"
        "-- sent before.\n%s;\n" % merge_within(table))


def capture_file(table: Table) -> str:
    if not table.key:
        return _NO_KEY
    comments = (
        "-- The keys of rows that changed since they were last synced, each with the sequence "
        "number of the next pass.",
        "-- A row was inserted, perhaps in place of another one.",
        "-- A row was updated: its key before the update.",
        "-- The update changed the key: the key after it.",
        "-- A row was deleted.",
    )
    return "\n".join(
        "%s\n%s;\n" % pair for pair in zip(comments, capture_install(table)))

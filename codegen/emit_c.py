"""Model -> C: the row struct, the reader, the encoder and the descriptor of one table. Straight
lines and data; whatever decides or repeats is in runtime/. Only the descriptor is public: the
runtime reads and encodes rows through it."""

from __future__ import annotations

from typing import Dict, List

from . import emit_history, emit_schema, emit_sql
from .layout import assignment, banner, call, code, text_member
from .model import Column, Table
from .naming import c_fields, c_string

# The layout of struct table in base/table.h that the emitted initializers are made for.
DESCRIPTOR_VERSION = 5

_MODES = {"append": "SEND_APPEND", "upsert": "SEND_MERGE", "replace": "SEND_REPLACE"}
_DELETES = {"mark": "DELETES_MARK", "keep": "DELETES_KEEP"}
_CAPTURES = {"auto": "CAPTURE_AUTO", "triggers": "CAPTURE_TRIGGERS", "scan": "CAPTURE_SCAN"}


def header(table: Table) -> str:
    guard = "BQSYNC_GENERATED_%s_H" % table.stem.upper()
    return banner(table.stem, table.shape_hash) + "\n".join([
        "#ifndef %s" % guard,
        "#define %s" % guard,
        "",
        '#include "base/table.h"',
        "",
        code(["extern const struct table %s_table;" % table.stem]),
        "",
        "#endif",
    ]) + "\n"


def source(table: Table) -> str:
    sections = [
        "\n".join(_includes(table)),
        code(_column_indexes(table)),
        code(_row(table)),
        code(_read(table)),
        code(_encode(table)),
        "\n".join(_descriptor(table)),
    ]
    return banner(table.stem, table.shape_hash) + "\n\n".join(sections) + "\n"


def _index(table: Table, column: Column) -> str:
    return "%s_COLUMN_%s" % (table.stem.upper(), column.name.upper())


def _includes(table: Table) -> List[str]:
    return [
        '#include "%s.h"' % table.stem,
        "",
        '#include "base/slice.h"',
        '#include "base/value.h"',
        '#include "encode/avro.h"',
        '#include "encode/column.h"',
        "",
        "#include <stddef.h>",
        "",
        "_Static_assert(",
        "    TABLE_DESCRIPTOR_VERSION == %d," % DESCRIPTOR_VERSION,
        '    "generated for another runtime: regenerate with python3 -m codegen");',
    ]


def _column_indexes(table: Table) -> List[str]:
    lines = ["enum {"]
    lines += ["    %s," % _index(table, column) for column in table.columns]
    return lines + ["};"]


def _row(table: Table) -> List[str]:
    fields = c_fields(column.name for column in table.columns)
    lines = ["struct %s_row {" % table.stem]
    lines += [
        "    %s %s;" % (column.type.c_type, fields[column.name]) for column in table.columns]
    return lines + ["};"]


def _read(table: Table) -> List[str]:
    fields = c_fields(column.name for column in table.columns)
    lines = [
        "static void read_row(struct column_reader *in, void *data)",
        "{",
        "    struct %s_row *row = data;" % table.stem,
        "",
    ]
    lines += [
        assignment("row->" + fields[column.name],
                   "column_unfit" if column.unfit else column.type.c_reader,
                   ["in", _index(table, column)])
        for column in table.columns]
    return lines + ["}"]


def _encode(table: Table) -> List[str]:
    fields = c_fields(column.name for column in table.columns)
    lines = [
        "static void encode_row(struct avro_writer *out, const void *data)",
        "{",
        "    const struct %s_row *row = data;" % table.stem,
        "",
    ]
    lines += [
        call(column.type.c_writer, ["out", "row->" + fields[column.name]])
        for column in table.columns]
    return lines + ["}"]


def _reading(column: Column) -> Dict[str, str]:
    reading = column.reading
    members: Dict[str, str] = {}
    if column.type.formats and reading.formats != ("iso8601",):
        names = ["TIME_FORMAT_" + name.upper() for name in reading.formats]
        members["format_count"] = str(len(names))
        members["formats"] = "{%s}" % ", ".join(names)
    if reading.zone:
        members["zone"] = c_string(reading.zone)
    flags = {
        "fraction_truncates": reading.fraction, "date_drops": reading.date,
        "empty_is_null": reading.empty, "bool_words": reading.bool}
    members.update({name: "true" for name, value in flags.items() if value})
    if reading.text:
        members["blob"] = "BLOB_" + reading.text.upper()
    return members


def _column(table: Table, column: Column) -> str:
    members: Dict[str, str] = {
        "name": c_string(column.name),
        "source": c_string(column.source),
        "type": column.type.c_enum,
    }
    if column.required:
        members["required"] = "true"
    if column.key:
        members["key"] = "true"
    if column.key and column.type.bounds:
        members["bounded"] = "true"
    if column.immutable:
        members["immutable"] = "true"
    if column.unfit:
        members["unfit"] = "true"
    members.update(_reading(column))
    if column.json_rounds:
        members["json_rounds"] = "true"
    if column.policy_tags:
        members["tagged"] = "true"
    if column.transform.kind != "none":
        members["transform"] = "TRANSFORM_" + column.transform.kind.upper()
    if column.transform.kind == "truncate":
        members["truncate_to"] = str(column.transform.truncate_to)
    if column.transform.kind == "hmac_sha256":
        members["transform_key"] = c_string(column.transform.key_variable)
    body = ", ".join(".%s = %s" % member for member in members.items())
    return "    [%s] = {%s}," % (_index(table, column), body)


def _descriptor(table: Table) -> List[str]:
    lines = [
        "// Data: one column, or one line of a text, on each line, however long. ISO C only",
        "// guarantees string literals of 4095 bytes; GCC and Clang accept any length.",
        "// clang-format off",
        '#pragma GCC diagnostic ignored "-Woverlength-strings"',
        "",
        "static const struct column columns[] = {",
    ]
    lines += [_column(table, column) for column in table.columns]
    lines += ["};", ""]
    if table.key:
        lines.append("static const size_t key[] = {")
        lines += ["    %s," % _index(table, column) for column in table.key]
        lines += ["};", ""]
    if table.ignored:
        lines.append("static const char *const ignored[] = {")
        lines += ["    %s," % c_string(name) for name in table.ignored]
        lines += ["};", ""]
    lines += _history(table)
    lines += [
        "const struct table %s_table = {" % table.stem,
        "    .name = %s," % c_string(table.name),
        "    .target = %s," % c_string(table.target),
        "    .definition = %s," % c_string(table.stem),
        "    .mode = %s," % _mode(table),
        "    .capture = %s," % _CAPTURES[table.capture],
        "    .reject_fails = %s," % ("true" if table.reject_fails else "false"),
    ] + _options(table) + (["    .history = &history,"] if table.history else []) + [
        "    .columns = columns,",
        "    .column_count = sizeof columns / sizeof columns[0],",
        "    .key = %s," % ("key" if table.key else "NULL"),
        "    .key_count = %s," % ("sizeof key / sizeof key[0]" if table.key else "0"),
        "    .clusters_by_default = %s," % ("true" if table.clusters_by_default else "false"),
    ]
    lines += text_member("where", table.where) if table.where else ["    .where = NULL,"]
    lines += [
        "    .content_hash = %s," % c_string(table.content_hash),
        "    .shape_hash = %s," % c_string(table.shape_hash),
    ]
    lines += _texts(table)
    return lines + [
        "    .row_size = sizeof(struct %s_row)," % table.stem,
        "    .read = read_row,",
        "    .encode = encode_row,",
        "};",
        "// clang-format on",
    ]


def _history(table: Table) -> List[str]:
    if table.history is None:
        return []
    log = emit_history.log_table(table)
    lines = [
        "static const struct table_history history = {",
        "    .log = %s," % c_string(log.target),
        "    .view = %s," % c_string(emit_history.view_name(table)),
        "    .function = %s," % c_string(emit_history.function_name(table)),
        "    .keep_days = %d," % table.history.keep_days,
        "    .shape_hash = %s," % c_string(emit_history.shape_hash(table)),
    ]
    texts = (
        ("log_ddl_sql", emit_sql.ddl(log)),
        ("log_schema_json", emit_schema.schema_json(log)),
        ("log_resource_json", emit_schema.resource_json(log)),
        ("view_sql", emit_history.view(table)),
        ("function_sql", emit_history.function(table)),
    )
    for name, text in texts:
        lines += text_member(name, text)
    return lines + ["};", ""]


def _mode(table: Table) -> str:
    return "SEND_MERGE" if table.mode == "replace" and not table.replaced else _MODES[table.mode]


def _options(table: Table) -> List[str]:
    lines = ["    .deletes = %s," % _DELETES[table.deletes]] if table.deletes in _DELETES else []
    lines += ["    .unlisted_fails = true,"] if table.unlisted_fails else []
    if table.ignored:
        lines += [
            "    .ignored = ignored,",
            "    .ignored_count = sizeof ignored / sizeof ignored[0],",
        ]
    return lines


def _texts(table: Table) -> List[str]:
    keyed = bool(table.key)
    install = ";\n".join(emit_sql.capture_install(table) + [""]) if keyed else None
    texts = (
        ("scan_sql", emit_sql.scan(table)),
        ("new_rows_sql", emit_sql.new_rows(table) if table.single_int64_key else None),
        ("changes_sql", emit_sql.changes(table) if keyed else None),
        ("capture_install_sql", install),
        ("ddl_sql", emit_sql.ddl(table)),
        ("merge_sql", emit_sql.merge(table) if keyed else None),
        ("merge_within_sql", emit_sql.merge_within(table) or None),
        ("add_sql", keyed and emit_sql.add(table) or None),
        ("bounds_sql", emit_sql.bounds(table) or None),
        ("schema_json", emit_schema.schema_json(table)),
        ("resource_json", emit_schema.resource_json(table)),
    )
    lines: List[str] = []
    for name, text in texts:
        lines += text_member(name, text) if text is not None else ["    .%s = NULL," % name]
    return lines

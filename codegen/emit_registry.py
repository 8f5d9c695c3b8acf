"""Model -> C: the list of all tables, sorted by name."""

from __future__ import annotations

from typing import Sequence

from .layout import MARK
from .model import Table

_BANNER = "/* %s */\n" % MARK


def header() -> str:
    return _BANNER + "\n".join([
        "#ifndef BQSYNC_GENERATED_REGISTRY_H",
        "#define BQSYNC_GENERATED_REGISTRY_H",
        "",
        '#include "base/table.h"',
        "",
        "#include <stddef.h>",
        "",
        "/* Every table that is compiled in, sorted by name. */",
        "extern const struct table *const registry_tables[];",
        "extern const size_t registry_count;",
        "",
        "#endif",
    ]) + "\n"


def source(tables: Sequence[Table]) -> str:
    by_name = sorted(tables, key=lambda table: table.name.encode("utf-8"))
    # Names may differ from stems; the formatter sorts includes by stem.
    stems = sorted(table.stem for table in tables)
    return _BANNER + "\n".join(
        ['#include "registry.h"', ""]
        + ['#include "%s.h"' % stem for stem in stems]
        + ["", "// One table on each line.", "// clang-format off"]
        + ["const struct table *const registry_tables[] = {"]
        + ["    &%s_table," % table.stem for table in by_name]
        + [
            "};",
            "// clang-format on",
            "",
            "const size_t registry_count = sizeof registry_tables / sizeof registry_tables[0];",
        ]) + "\n"

"""Statements that BigQuery must refuse, made from good ones by one deliberate mistake each.

They show that a judge of SQL looks: one that accepted everything would accept these too. Every mistake is the
kind a generator could make. Deterministic; a mistake that a statement has no place for is left out.
"""

import re

# Types between which BigQuery assigns without a cast; anything across groups is an error.
KINDS = {"INT64": "number", "NUMERIC": "number", "BIGNUMERIC": "number", "FLOAT64": "number",
         "DATE": "moment", "DATETIME": "moment", "TIMESTAMP": "moment"}

INSERT_LIST = r"insert \(\n(.*?)\n  \)"
VALUES_LIST = r"values \(\n(.*?)\n  \)"


def kind(column):
    return KINDS.get(column["type"], column["type"])


def other_kind(columns, name):
    """A column whose values cannot be assigned to the named one; None if there is none."""
    wanted = next(kind(column) for column in columns if column["name"] == name)
    return next((column["name"] for column in columns if kind(column) != wanted), None)


def edited_list(sql, pattern, edit):
    """The statement with one of its lists, one name a line, changed by edit."""
    found = re.search(pattern, sql, re.S)
    if not found:
        return sql
    lines = edit(found[1].split("\n"))
    return sql[:found.start(1)] + "\n".join(lines) + sql[found.end(1):]


def merge(sql, columns):
    """{mistake: statement} for a MERGE of the given target columns."""
    t, s = re.search(r" as (\w+)\nusing .* as (\w+)\n", sql).groups()
    first = columns[0]["name"]
    key = re.search(rf"on {t}\.`([^`]+)`", sql)
    set_line = re.search(rf"update set\n    `([^`]+)` = {s}\.`[^`]+`", sql)
    not_bool = next(column["name"] for column in columns if column["type"] != "BOOL")
    out = {
        "no_on": re.sub(r"\non [^\n]*(\n  and [^\n]*)*", "", sql, count=1),
        "unknown_target": re.sub(r"^(merge into `[^`]+`\.`[^`]+`\.)`[^`]+`", r"\1`nosuch`", sql),
        "unknown_staging": re.sub(r"(using `[^`]+`\.`[^`]+`\.)`[^`]+`", r"\1`nosuch`", sql),
        "unknown_key": sql.replace(key[0], f"on {t}.`nosuch`", 1),
        "condition_type": sql.replace(f"and {s}.`_bqsync_deleted` then", f"and {s}.`{not_bool}` then", 1),
        "unknown_condition": sql.replace(f"not {s}.`_bqsync_deleted`", f"not {s}.`_deleted`"),
        "insert_when_only_target": sql.replace("when not matched", "when not matched by source", 1),
        "update_when_missing": sql.replace("when matched then", "when not matched then", 1),
        "no_then": sql.replace(" then\n", "\n", 1),
        "set_no_comma": re.sub(r"\n    , (`[^`]+` = )", r"\n    \1", sql, count=1),
        "insert_one_less": edited_list(sql, INSERT_LIST, lambda lines: lines[:-1]),
        "insert_twice": edited_list(sql, INSERT_LIST, lambda lines: lines[:-1] + [", " + lines[0].strip(" ,")]),
        "insert_unknown": edited_list(sql, INSERT_LIST, lambda lines: lines[:-1] + [", `nosuch`"]),
        "values_one_less": edited_list(sql, VALUES_LIST, lambda lines: lines[:-1]),
        "values_unknown": edited_list(sql, VALUES_LIST, lambda lines: lines[:-1] + [f", {s}.`nosuch`"]),
        "unquoted_project": re.sub(r"^merge into `([^`]+)`", r"merge into \1", sql),
    }
    alien = other_kind(columns, first)
    if alien:
        out["values_type"] = edited_list(sql, VALUES_LIST, lambda lines: [f"{s}.`{alien}`"] + lines[1:])
        out["key_type"] = sql.replace(key[0], f"on {t}.`{other_kind(columns, key[1])}`", 1)
    if set_line:
        name = set_line[1]
        sets = {"set_unknown": f"`nosuch` = {s}.`{first}`", "set_from_unknown": f"`{name}` = {s}.`nosuch`",
                "set_whole_row": f"{t} = {s}", "set_type": f"`{name}` = {s}.`{other_kind(columns, name)}`",
                "set_twice": f"`{name}` = {s}.`{name}`\n    , `{name}` = {s}.`{name}`"}
        for mistake, text in sets.items():
            if "`None`" not in text:
                out[mistake] = sql.replace(set_line[0], "update set\n    " + text, 1)
    return without_unchanged(sql, out)


def insert(sql, columns):
    """{mistake: statement} for an INSERT of staged rows into the given target columns."""
    names, values = r"insert into [^\n]* \(\n(.*?)\n\)", r"\nselect\n(.*?)\nfrom "
    alias = re.search(r" as (\w+)$", sql)[1]
    alien = other_kind(columns, columns[0]["name"])
    out = {
        "unknown_target": re.sub(r"^(insert into `[^`]+`\.`[^`]+`\.)`[^`]+`", r"\1`nosuch`", sql),
        "unknown_staging": re.sub(r"(\nfrom `[^`]+`\.`[^`]+`\.)`[^`]+`", r"\1`nosuch`", sql),
        "unknown_alias": sql.replace(f"{alias}.`", f"{alias}x.`", 1),
        "insert_one_less": edited_list(sql, names, lambda lines: lines[:-1]),
        "insert_twice": edited_list(sql, names, lambda lines: lines[:-1] + [", " + lines[0].strip(" ,")]),
        "insert_unknown": edited_list(sql, names, lambda lines: lines[:-1] + [", `nosuch`"]),
        "select_one_less": edited_list(sql, values, lambda lines: lines[:-1]),
        "select_unknown": edited_list(sql, values, lambda lines: lines[:-1] + [f", {alias}.`nosuch`"]),
        "no_comma": sql.replace("\n  , `", "\n  `", 1),
        "unquoted_project": re.sub(r"^insert into `([^`]+)`", r"insert into \1", sql),
    }
    if alien:
        out["select_type"] = edited_list(sql, values, lambda lines: [f"  {alias}.`{alien}`"] + lines[1:])
    return without_unchanged(sql, out)


def create(sql, columns):
    """{mistake: statement} for a CREATE TABLE."""
    first = f"`{columns[0]['name']}`"
    column = re.search(r"\(\n  (`[^\n]*)", sql)
    out = {
        "column_twice": sql.replace(column[0], column[0] + "\n  , " + column[1], 1),
        "unknown_type": re.sub(r"\(\n  (`[^`]+`) \w+", r"(\n  \1 text", sql, count=1),
        "no_comma": sql.replace("\n  , ", "\n  ", 1),
        "key_enforced": sql.replace(" not enforced", "", 1),
        "unknown_key": re.sub(r"primary key \(`[^`]+`", "primary key (`nosuch`", sql),
        "unknown_cluster": re.sub(r"cluster by `[^`]+`", "cluster by `nosuch`", sql),
        "constant_partition": re.sub(r"partition by [^\n]*[^\n;]", "partition by 1", sql),
        "unknown_option": sql.replace("description =", "desciption =", 1),
        "option_type": re.sub(r'description = "(?:\\.|[^"\\])*"', "description = 1", sql, count=1),
        "labels_type": sql.replace('labels = [("', 'labels = [(1, "', 1),
        "unclosed": sql.replace("\n)", "\n", 1),
        "unquoted_project": re.sub(r"`([^`]+-[^`]*)`", r"\1", sql, count=1),
        "five_clusters": re.sub(r"cluster by [^\n;]*", "cluster by " + ", ".join([first] * 5), sql),
    }
    return without_unchanged(sql, out)


def alter(sql):
    """{mistake: statement} for an ALTER TABLE."""
    return without_unchanged(sql, {
        "unknown_table": re.sub(r"^(alter table `[^`]+`\.`[^`]+`\.)`[^`]+`", r"\1`nosuch`", sql),
        "unknown_type": re.sub(r"(add column `[^`]+`) \w+", r"\1 TEXT", sql),
        "added_not_null": re.sub(r"(add column `[^`]+` \w+)", r"\1 NOT NULL", sql),
        "unknown_column": re.sub(r"alter column `[^`]+`", "alter column `nosuch`", sql),
        "narrowed": re.sub(r"set data type \w+", "set data type DATE", sql),
        "unquoted_name": re.sub(r"^alter table `([^`]+)`", r"alter table \1", sql),
    })


def select(sql):
    """{mistake: statement} for a SELECT of verify."""
    return without_unchanged(sql, {
        "unknown_column": re.sub(r"t\.`[^`]+`", "t.`nosuch`", sql, count=1),
        "unknown_function": sql.replace("to_hex(", "tohex(", 1),
        "hash_of_number": re.sub(r"sha256\(concat\(", "sha256(length(", sql, count=1),
        "unknown_table": re.sub(r"from (`[^`]+`\.`[^`]+`\.)`[^`]+`", r"from \1`nosuch`", sql, count=1),
        "no_group": re.sub(r" group by .*", "", sql),
        "sum_of_text": re.sub(r"sum\(cast\((.*?) as int64\)\)", r"sum(\1)", sql, count=1),
        "unclosed": sql.replace(")", "", 1),
    })


def without_unchanged(sql, mutants):
    return {name: text for name, text in mutants.items() if text != sql}

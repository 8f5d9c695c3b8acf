"""The bounds that a MERGE has for the keys of its rows, made here from the rows: a second opinion on bqsync's own."""

import decimal
import re

from tests.conformance import edges

KNOWN = re.compile(r"if\((\w+\.`([^`]+)`) > @known, \1, error\(\"[^\"]*\"\)\)")
CONDITION = re.compile(r"\n  and \w+\.`([^`]+)` between @(\w+) and @(\w+)")


def place(kind, value):
    """Sorts as BigQuery sorts the values of a type; value is one of edges.values()."""
    if kind in edges.DECIMALS:
        return decimal.Decimal(value)
    if kind == "STRING":
        return value.encode()
    return value.removesuffix("Z") if kind == "TIMESTAMP" else value


def named(name, kind, value):
    """A parameter as the REST API has it."""
    return {"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": edges.parameter(kind, value)}}


def of_rows(sql, columns, rows):
    """What a MERGE's bounds are if it is given these rows, whose values are in the order of the columns."""
    names, kinds = [column["name"] for column in columns], {column["name"]: column["type"] for column in columns}
    found = []
    for column, low, high in CONDITION.findall(sql):
        kind = kinds[column]
        values = sorted((row[names.index(column)] for row in rows if row[names.index(column)] is not None),
                        key=lambda value: place(kind, value))
        found += [named(low, kind, values[0] if values else None), named(high, kind, values[-1] if values else None)]
    for _, key in KNOWN.findall(sql):
        found.append(named("known", "INT64", min(row[names.index(key)] for row in rows)))
    return found


def without(sql):
    """The same MERGE without bounds: it has to do the same."""
    return KNOWN.sub(r"\1", CONDITION.sub("", sql))

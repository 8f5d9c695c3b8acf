"""Expressions over values at the limits of their types: what bqlocal and Google's engine are both asked."""

from tests.conformance import edges

KINDS = ["INT64", "FLOAT64", "BOOL", "STRING", "BYTES", "NUMERIC", "BIGNUMERIC", "DATE", "TIME", "DATETIME",
         "TIMESTAMP", "JSON"]
NUMBERS = ["INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC"]
DAY_PARTS = ["YEAR", "QUARTER", "MONTH", "WEEK", "ISOWEEK", "DAY", "ISOYEAR"]
CLOCK_PARTS = ["HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"]
PARTS = {"DATE": DAY_PARTS, "TIME": CLOCK_PARTS, "DATETIME": DAY_PARTS + CLOCK_PARTS,
         "TIMESTAMP": DAY_PARTS + CLOCK_PARTS}

# Texts that are a value of some type, or almost.
SPELLINGS = [
    "1", " 1 ", "+1", "-1", "01", "0x1F", "-0x1", "1e3", "1E-3", ".5", "5.", "1.5", "inf", "-inf", "infinity", "nan", "NaN",
    "1_0", "", "true", "TRUE", "t", "false", "1.5e400", "1e-400", "9223372036854775808", "1e29", "0.0000000005",
    "0.0000000004", "123456789012345678901234567890.123456789", "2020-01-02", "2020-1-2", "2020-01-02 ", "2020-13-01",
    "2020-02-30", "0000-01-01", "10000-01-01", "20200102", "12:34:56", "1:2:3", "12:34", "12:34:56.1234567", "24:00:00",
    "12:60:00", "12:34:60", "2020-01-02 03:04:05", "2020-01-02T03:04:05", "2020-01-02t03:04:05", "2020-01-02 3:4:5",
    "2020-01-02 03:04:05.123456789", "2020-01-02 03:04:05Z", "2020-01-02 03:04:05+00", "2020-01-02 03:04:05+05:30",
    "2020-01-02 03:04:05-08", "2020-01-02 03:04:05 UTC", "2020-01-02T03:04:05.5Z", "2020-01-02+01", "2020-01-02 24:00:00",
    "é", "null"]
JSON_TEXTS = edges.JSONS + [
    "0.0", "1.50", "1e5", "1E+2", "1.0", "18446744073709551615", "9007199254740993", '{"a":1,"a":2}', "[1,]", "nan", "01",
    "'a'", " 1 ", '{"b":1.50,"a":"x"}', '{"é":[1,"é"]}', "100000000000000000000"]
JSON_PATHS = ["$", "$.a", "$.b", "$.a[0]", "$[0]", '$."a b"', "$.é"]


def literals(kind):
    """The limits of a type and NULL, in GoogleSQL."""
    values = edges.values(kind)
    if kind in ("DATETIME", "TIMESTAMP"):
        values = values[::3] + values[-1:]
    nan = ['cast("nan" as float64)'] if kind == "FLOAT64" else []
    return [edges.literal(kind, value) for value in values] + nan + [f"cast(null as {kind})"]


def conversions():
    for kind in KINDS:
        for value in literals(kind):
            yield from (f"safe_cast({value} as {to})" if {kind, to} == {"STRING", "BYTES"} else f"cast({value} as {to})"
                        for to in KINDS)
            yield from (f"to_json_string({value})", f"{value} is null", f"concat({value}, 'x')")
    for text in SPELLINGS:
        yield from (f"safe_cast({edges.quoted(text)} as {to})" for to in KINDS)


def json():
    for text in map(edges.quoted, JSON_TEXTS):
        yield f"to_json_string(parse_json({text}))"
        for path in map(edges.quoted, JSON_PATHS):
            yield from (f"json_value({text}, {path})", f"json_query({text}, {path})",
                        f"json_value(parse_json({text}), {path})",
                        f"to_json_string(json_query(parse_json({text}), {path}))")


def texts():
    for text in literals("STRING"):
        yield from (f"{name}({text})" for name in (
            "upper", "lower", "length", "char_length", "byte_length", "trim", "ltrim", "rtrim"))
        yield from (f"to_hex({name}({text}))" for name in ("sha256", "md5"))
        for at in (1, 0, -1, 2, -3, 2**63 - 1, -2**63):
            yield from (f"substr({text}, {at})", f"substr({text}, 1, {at})")
        for other in ("'a'", "'é'", "''", "'\\u0301'"):
            yield from (f"{name}({text}, {other})" for name in ("starts_with", "ends_with", "strpos", "trim", "rtrim"))
            yield f"replace({text}, {other}, 'zz')"
            yield from (f"{text} {operator} {other}" for operator in ("like", "=", "<", "||"))
    for value in literals("BYTES"):
        yield from (f"{name}({value})" for name in ("length", "byte_length", "to_hex", "to_base64"))
        yield from (f"to_hex(substr({value}, {at}))" for at in (1, 0, -1, 2))
    yield from (f"from_hex('{digits}')" for digits in ("00", "0", "FF", "fF", "zz", "", "0 1"))


def numbers():
    for kind in NUMBERS:
        for value in literals(kind):
            yield from (f"round({value}{places})"
                        for places in ("", ", 0", ", 1", ", 2", ", -1", ", 9", ", 38", ", -20"))
            yield from (f"abs({value})", f"-{value}")
            if kind == "FLOAT64":
                yield f"format('%.16e', {value})"
            if kind == "INT64":
                yield from (f"timestamp_{unit}({value})" for unit in ("micros", "millis", "seconds"))
            for other_kind in NUMBERS:
                for other in literals(other_kind)[::4]:
                    yield from (f"{value} {operator} {other}" for operator in "+-*/=<")
                    if kind == other_kind == "INT64":
                        yield f"mod({value}, {other})"


def times():
    for kind, parts in PARTS.items():
        for value in literals(kind):
            for part in parts:
                yield from (f"extract({part} from {value})", f"{kind}_trunc({value}, {part})")
                yield from (f"{kind}_diff({value}, {other}, {part})" for other in literals(kind)[::2])
                yield from (f"{kind}_{name}({value}, interval {number} {part})"
                            for number in (1, -13, 100000000) for name in ("add", "sub"))
            if kind != "TIME":
                yield from (f"{name}({value})" for name in ("date", "datetime", "timestamp"))
                yield f"extract(dayofweek from {value})"
    yield from (f"unix_date({value})" for value in literals("DATE"))
    for value in literals("TIMESTAMP"):
        yield from (f"unix_{unit}({value})" for unit in ("micros", "millis", "seconds"))
        yield f"string({value}, 'UTC')"
    yield from (f"timestamp({value}, 'UTC')" for value in literals("DATETIME"))


def all_of_them():
    for part in (conversions, json, texts, numbers, times):
        yield from part()

"""Values at the limits of each column type, as an application stores them in SQLite and as GoogleSQL says them."""

import base64
import datetime
import decimal
import json
import struct


# Texts that are equal to somebody: to those who fold case, trim, normalize, compare by collation or end at a zero byte.
TEXTS = ["", "a", "A", "a ", " a", "é", "e\u0301", "ß", "SS", "日本", "\U0001f600", "'", '"', "\\", "`", "\n",
         "\r\n", "\t", "\u2028", "\ufeff", "\x7f", "\x01", "null", "NULL", "0", "00", "1.0", "%", "_", "--", "/*", ";", "${x}"]
DECIMALS = {
    "NUMERIC": ["0", "1", "-1", "0.1", "0.000000001", "-0.000000001", "1.5", "100", "-100.000000001",
                "99999999999999999999999999999.999999999", "-99999999999999999999999999999.999999999"],
    "BIGNUMERIC": [
        "0", "1", "-1", "0.1", "100", "0.00000000000000000000000000000000000001",
        "-0.00000000000000000000000000000000000001", "12345678901234567890123456789.987654321",
        "578960446186580977117854925043439539266.34992332820282019728792003956564819967",
        "-578960446186580977117854925043439539266.34992332820282019728792003956564819968"]}
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
          -1.7976931348623157e308, 9007199254740993.0, 1e15, 1e16, 1e22, 1e23, 123456789.123456789, float("inf"),
          float("-inf")]
JSONS = ["null", "true", "0", "-0", "-0.0", "-1", "1.5", "9223372036854775807", "-9223372036854775808", '""', '"a"',
         "[]", "{}", "[null]", '{"b": 1, "a": [1, 2.5, null]}', '{"a": {"a": {"a": []}}}', '"\\u00e9\\n\\u2028\\u007f"', '"/"',
         '{"": 0}', '"\U0001f600"', "[[], [[]], {}]", '{"a b": "\\"\\\\"}']
DAYS = ["0001-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "9999-12-31"]
TIMES = ["00:00:00", "00:00:00.000001", "12:00:00.5", "23:59:59.999999"]


def quoted(text):
    """A string literal of GoogleSQL."""
    return '"' + "".join(f"\\u{ord(char):04x}" if char in '"\\' or not char.isprintable() else char
                         for char in text) + '"'


def literal(kind, value):
    """GoogleSQL's expression of a value of this type; value is one of values() or random_value()."""
    if value is None:
        return f"cast(null as {kind})"
    if kind == "BOOL":
        return "true" if value else "false"
    if kind == "INT64":
        return str(value) if value >= 0 else f"({value})"
    if kind == "FLOAT64":
        return f'cast("{value!r}" as float64)'
    if kind == "BYTES":
        return f'from_hex("{value.hex()}")'
    text = value.replace("Z", "+00") if kind == "TIMESTAMP" else value
    return quoted(text) if kind == "STRING" else f"{kind} {quoted(text)}"


def parameter(kind, value):
    """The value of a query parameter of this type, as the REST API has it; None for NULL."""
    if value is None:
        return None
    if kind == "BYTES":
        return base64.b64encode(value).decode()
    if kind == "BOOL":
        return "true" if value else "false"
    if kind == "TIMESTAMP":
        return value.replace("T", " ").replace("Z", "+00:00")
    return repr(value) if kind == "FLOAT64" else str(value)


def values(kind):
    """The values at the limits of a type, as SQLite holds them."""
    if kind == "INT64":
        return [0, 1, -1, 2**53 + 1, 2**63 - 1, -2**63]
    if kind == "BOOL":
        return [0, 1]
    if kind == "BYTES":
        return [b"", b"\0", b"a", b"A", b"\xff\xfe", b"a\0", bytes(range(256))]
    if kind == "GEOGRAPHY":
        return ["POINT(1 2)", "LINESTRING(0 0, 1 1)"]
    moments = [f"{day} {time}" for day in DAYS for time in TIMES]
    return {"FLOAT64": FLOATS, "STRING": TEXTS, "JSON": JSONS, "DATE": DAYS, "TIME": TIMES, "DATETIME": moments,
            "TIMESTAMP": [moment.replace(" ", "T") + "Z" for moment in moments], **DECIMALS}[kind]


def random_float(rng):
    """A double of any exponent, or a short decimal as people write them."""
    if rng.random() < 0.5:
        return float(f"{rng.randrange(-10**9, 10**9)}e{rng.randrange(-20, 20)}")
    bits = rng.getrandbits(64)
    number = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return number if number - number == 0 else 0.5


def random_decimal(kind, rng):
    whole, scale = (29, 9) if kind == "NUMERIC" else (38, 38)
    digits = [str(rng.randrange(10**rng.randrange(1, length + 1))) for length in (whole, scale)]
    fraction = rng.choice(["", "." + digits[1].zfill(rng.randrange(len(digits[1]), scale + 1))])
    number = digits[0] + fraction
    return number if decimal.Decimal(number) == 0 else rng.choice(["", "-"]) + number


def random_json(rng, depth=0):
    pick = rng.randrange(8 if depth < 3 else 5)
    if pick == 5:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    if pick > 5:
        return {rng.choice(TEXTS): random_json(rng, depth + 1) for _ in range(rng.randrange(4))}
    return [None, rng.random() < 0.5, rng.randrange(-2**63, 2**63), rng.randrange(-1000, 1000) / 8,
            rng.choice(TEXTS)][pick]


def random_value(kind, rng):
    """Any value of a type, as SQLite holds it."""
    if kind == "INT64":
        return rng.randrange(-2**63, 2**63) >> rng.randrange(64)
    if kind == "FLOAT64":
        return random_float(rng)
    if kind in DECIMALS:
        return random_decimal(kind, rng)
    if kind == "STRING":
        return "".join(rng.choice(TEXTS) for _ in range(rng.randrange(5)))
    if kind == "BYTES":
        return rng.randbytes(rng.randrange(20))
    if kind == "JSON":
        return json.dumps(random_json(rng), ensure_ascii=rng.random() < 0.5)
    if kind in ("DATE", "TIME", "DATETIME", "TIMESTAMP"):
        moment = datetime.datetime.min + datetime.timedelta(
            days=rng.randrange(3652059), microseconds=rng.randrange(86400 * 10**6))
        return {"DATE": moment.date().isoformat(), "TIME": moment.time().isoformat(),
                "DATETIME": moment.isoformat(" "), "TIMESTAMP": moment.isoformat() + "Z"}[kind]
    return rng.choice(values(kind))


def canonical(kind, value):
    """One thing for one value: some are written in more than one way."""
    return value if value is None or kind not in DECIMALS else decimal.Decimal(value)

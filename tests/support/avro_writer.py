"""Writes Avro container files with nothing but the standard library, so that tests of bqlocal's
loads depend neither on our encoder nor on installed packages."""

import json
import struct
import zlib

SYNC = b"0123456789abcdef"


def long(number):
    """A zig-zag varint."""
    number = (number << 1) ^ (number >> 63)
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return long(len(data)) + data


def decimal_bytes(unscaled):
    """A decimal's number as big-endian two's complement, as short as it can be."""
    size = max(1, (unscaled.bit_length() + 8) // 8)
    return text(unscaled.to_bytes(size, "big", signed=True))


def encode(value, kind):
    """One value of a primitive type, a logical type or a union with null."""
    if isinstance(kind, list):
        index = kind.index("null") if value is None else 1 - kind.index("null")
        return long(index) + (b"" if value is None else encode(value, kind[index]))
    if isinstance(kind, dict):
        if kind.get("logicalType") == "decimal":
            return decimal_bytes(value)
        kind = kind["type"]
    if kind in ("long", "int"):
        return long(value)
    if kind == "boolean":
        return b"\x01" if value else b"\x00"
    if kind == "double":
        return struct.pack("<d", value)
    if kind == "float":
        return struct.pack("<f", value)
    return text(value)


def zstd_frame(data):
    """A Zstandard frame of stored blocks, which hold up to 128 KiB each (RFC 8878, section 3.1.1)."""
    out = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data))  # one segment, and four bytes of its size
    parts = [data[at:at + (1 << 17)] for at in range(0, len(data), 1 << 17)] or [b""]
    for number, part in enumerate(parts, 1):
        out += ((len(part) << 3) | (number == len(parts))).to_bytes(3, "little") + part
    return out


def compress(data, codec):
    if codec == "zstandard":
        return zstd_frame(data)
    if codec == "deflate":
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        return packer.compress(data) + packer.flush()
    return data


def header(schema, codec="null"):
    metadata = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    out = b"Obj\x01" + long(len(metadata))
    for key, value in metadata.items():
        out += text(key) + text(value)
    return out + long(0) + SYNC


def block(data, count, codec="null", sync=SYNC):
    packed = compress(data, codec)
    return long(count) + long(len(packed)) + packed + sync


def schema(fields):
    """[("id", "long"), ("name", ["null", "string"])] to a record schema."""
    return {"type": "record", "name": "row",
            "fields": [{"name": name, "type": kind} for name, kind in fields]}


def container(fields, rows, codec="null", rows_per_block=1000):
    """A whole file; rows are tuples in the order of the fields."""
    out = header(schema(fields), codec)
    for start in range(0, len(rows), rows_per_block):
        part = rows[start:start + rows_per_block]
        data = b"".join(encode(value, kind) for row in part
                        for value, (_, kind) in zip(row, fields))
        out += block(data, len(part), codec)
    return out


def nullable(kind):
    return ["null", kind]


DATE = {"type": "int", "logicalType": "date"}
TIME = {"type": "long", "logicalType": "time-micros"}
TIMESTAMP = {"type": "long", "logicalType": "timestamp-micros"}
DATETIME = {"type": "long", "logicalType": "local-timestamp-micros"}
NUMERIC = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}
BIGNUMERIC = {"type": "bytes", "logicalType": "decimal", "precision": 77, "scale": 38}
JSON = {"type": "string", "sqlType": "JSON"}

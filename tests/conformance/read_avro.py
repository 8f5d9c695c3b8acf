"""Reads an Avro file with the Avro project's own Python library and prints what it holds as JSON: the codec, the
schema, and each row's values as text. Runs under whichever Python has that library."""

import datetime
import decimal
import json
import sys

from avro.datafile import DataFileReader
from avro.io import DatumReader


def text(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, bytes):
        return "bytes:" + value.hex()
    if isinstance(value, float):
        return "float:" + value.hex()
    if isinstance(value, decimal.Decimal):
        return "decimal:" + format(value, "f")
    if isinstance(value, datetime.datetime):
        return "timestamp:" + value.replace(tzinfo=None).isoformat(" ")
    return f"{type(value).__name__}:{value}"


def main():
    # The default context would round a BIGNUMERIC.
    decimal.getcontext().prec = 100
    with open(sys.argv[1], "rb") as file, DataFileReader(file, DatumReader()) as reader:
        rows = [{name: text(value) for name, value in row.items()} for row in reader]
        print(json.dumps({"codec": reader.codec, "schema": json.loads(reader.schema), "rows": rows}))


main()

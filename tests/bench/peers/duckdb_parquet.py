"""DuckDB's SQLite reader: a table argv[2] of the database argv[1] into a Parquet file in the folder argv[3]."""

import pathlib
import sys

import duckdb
import duckdb_extension_sqlite_scanner

database, table, folder = sys.argv[1:4]
extensions = pathlib.Path(duckdb_extension_sqlite_scanner.__file__).parent / "extensions"
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"load '{next(extensions.glob('*/sqlite_scanner.duckdb_extension'))}'")
connection.execute(f"copy (select * from sqlite_scan('{database}', '{table}'))"
                   f" to '{folder}/rows.parquet' (format parquet)")

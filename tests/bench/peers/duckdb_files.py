"""DuckDB's SQLite reader: chat_history of the database argv[1] into a gzipped file of JSON lines in the folder argv[2]."""

import pathlib
import sys

import duckdb
import duckdb_extension_sqlite_scanner

database, folder = sys.argv[1:3]
extensions = pathlib.Path(duckdb_extension_sqlite_scanner.__file__).parent / "extensions"
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"load '{next(extensions.glob('*/sqlite_scanner.duckdb_extension'))}'")
connection.execute(f"copy (select * from sqlite_scan('{database}', 'chat_history'))"
                   f" to '{folder}/rows.json.gz' (format json, compression gzip)")

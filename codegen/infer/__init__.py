"""python3 -m codegen infer: table definitions from an SQLite database, by reading all of it."""

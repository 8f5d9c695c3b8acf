"""Turns table definitions (schemas/*.json) into C, SQL and JSON (generated/): docs/schema.md."""

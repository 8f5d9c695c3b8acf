"""Turns table definitions (schemas/*.json) into C, SQL and JSON (generated/). See docs/schema.md."""

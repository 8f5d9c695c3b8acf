"""The recorder of Home Assistant, schema 48 (home-assistant/core, components/recorder/db_schema.py; darkxst/hbuild).

Times are REAL seconds since 1970 in FLOAT columns named _ts, and texts with six digits in the DATETIME columns of its
own tables; contexts are 16 bytes (ULIDs, users' UUIDs) in BLOB; hashes are large integers; attributes are JSON texts;
columns of earlier schemas are left as CHAR(0) and DATETIME that are NULL in each row.
"""

import json

from tests.databases.shape import Reading, naive, seconds_in_sqlite, text_in_sqlite, unix_us

DDL = """
CREATE TABLE event_types (event_type_id INTEGER NOT NULL, event_type VARCHAR(64), PRIMARY KEY (event_type_id));
CREATE TABLE event_data (data_id INTEGER NOT NULL, hash INTEGER, shared_data TEXT, PRIMARY KEY (data_id));
CREATE TABLE events (event_id INTEGER NOT NULL, event_type CHAR(0), event_data CHAR(0), origin CHAR(0),
    origin_idx SMALLINT, time_fired CHAR(0), time_fired_ts FLOAT, context_id CHAR(0), data_id INTEGER,
    context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB, event_type_id INTEGER,
    PRIMARY KEY (event_id), FOREIGN KEY(data_id) REFERENCES event_data (data_id));
CREATE TABLE states_meta (metadata_id INTEGER NOT NULL, entity_id VARCHAR(255), PRIMARY KEY (metadata_id));
CREATE TABLE state_attributes (attributes_id INTEGER NOT NULL, hash BIGINT, shared_attrs TEXT,
    PRIMARY KEY (attributes_id));
CREATE TABLE states (state_id INTEGER NOT NULL, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0),
    last_changed CHAR(0), last_changed_ts FLOAT, last_updated_ts FLOAT, old_state_id INTEGER, attributes_id INTEGER,
    context_id_bin BLOB, metadata_id INTEGER, last_reported_ts FLOAT, PRIMARY KEY (state_id));
CREATE TABLE statistics_meta (id INTEGER NOT NULL, statistic_id VARCHAR(255), source VARCHAR(32),
    unit_of_measurement VARCHAR(255), has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255), PRIMARY KEY (id));
CREATE TABLE statistics (id INTEGER NOT NULL, created DATETIME, created_ts FLOAT, metadata_id INTEGER, start DATETIME,
    start_ts FLOAT, mean FLOAT, min FLOAT, max FLOAT, last_reset_ts FLOAT, state FLOAT, sum FLOAT, PRIMARY KEY (id));
CREATE TABLE recorder_runs (run_id INTEGER NOT NULL, start DATETIME NOT NULL, "end" DATETIME,
    closed_incorrect BOOLEAN NOT NULL, created DATETIME NOT NULL, PRIMARY KEY (run_id));
CREATE TABLE schema_changes (change_id INTEGER NOT NULL, schema_version INTEGER, changed DATETIME NOT NULL,
    PRIMARY KEY (change_id));
CREATE TABLE migration_changes (migration_id VARCHAR(255) NOT NULL, version SMALLINT NOT NULL,
    PRIMARY KEY (migration_id));
CREATE UNIQUE INDEX ix_statistics_statistic_id_start_ts ON statistics (metadata_id, start_ts);
"""

READINGS = (
    Reading("states.last_updated_ts", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("last_updated_ts")),
    Reading("states.last_changed_ts", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("last_changed_ts")),
    Reading("events.time_fired_ts", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("time_fired_ts")),
    Reading("statistics.start_ts", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("start_ts")),
    Reading("recorder_runs.created", "TIMESTAMP", sql=text_in_sqlite("created")),
    Reading("schema_changes.changed", "TIMESTAMP", sql=text_in_sqlite("changed")),
    Reading("recorder_runs.closed_incorrect", "BOOL", sql="closed_incorrect"),
    Reading("state_attributes.shared_attrs", "JSON", sql="shared_attrs"),
    Reading("state_attributes.hash", "INT64", sql="hash"),
    Reading("statistics.mean", "FLOAT64"),
    Reading("states.state", "STRING", sql="state"),
    Reading("events.context_id_bin", "STRING|BYTES"),
)
KEYS = {"migration_changes": ["migration_id"], "states": ["state_id"]}


def fill(db, make):
    ts = lambda step: unix_us(make.moment(step)) / 1_000_000
    make.rows(db, "event_types", [(i, make.word()) for i in range(1, 13)])
    make.rows(db, "event_data", [
        (i, make.random.getrandbits(32), json.dumps({"domain": make.word(), "service": make.word()}))
         for i in range(1, 41)])
    make.rows(db, "events", [
        (i, None, None, None, 0, None, ts(i), None, make.maybe(i % 40 + 1), make.bytes(16), make.maybe(make.bytes(16)),
         None, i % 12 + 1)
        for i in range(1, 151)])
    make.rows(db, "states_meta", [(i, f"sensor.{make.word()}_{i}") for i in range(1, 31)])
    make.rows(db, "state_attributes", [
        (i, make.random.getrandbits(32), json.dumps({"friendly_name": make.word(), "latitude": 52.373, "unit": "°C",
         "on": i % 2 == 0}))
        for i in range(1, 61)])
    make.rows(db, "states", [
        (i, None, make.random.choice(("on", "off", "21.5", "unknown", "0")), None, None, make.maybe(ts(i)), ts(i),
         make.maybe(i - 1),
         i % 60 + 1, make.bytes(16), i % 30 + 1, make.maybe(ts(i), odds=0.9)) for i in range(1, 301)])
    make.rows(db, "statistics_meta", [(i, f"sensor.energy_{i}", "recorder", "kWh", 1, 0, None) for i in range(1, 9)])
    make.rows(db, "statistics", [
        (i, None, ts(i), i % 8 + 1, None, float(1709280000 + 3600 * i), make.random.random() * 30, -1.5, 30.25, None,
         make.maybe(5.0), 2.5 * i)
        for i in range(1, 101)])
    make.rows(db, "recorder_runs", [
        (i, naive(make.moment(i)), make.maybe(naive(make.moment(i + 1))), i % 2, naive(make.moment(i)))
         for i in range(1, 13)])
    make.rows(db, "schema_changes", [(i, 40 + i, naive(make.moment(i))) for i in range(1, 9)])
    make.rows(db, "migration_changes", [(f"{make.word()}_{i}_migration", 1) for i in range(6)])

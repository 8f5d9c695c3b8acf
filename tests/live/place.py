"""Where the live test asks: a scratch dataset of a project, through the REST API, and bqsync itself.

Every table and dataset that a question makes is named here with a prefix, and cleanup() removes them all.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.parse

from tests.support.bqlocal import Client, HttpError
from tests.support.deployment import BUILD, SHAPES

PREFIX = "bqsync_live_"
TABLES = ["events", "accounts", "settings", "memberships", "devices", "everything", "people", "invoices"]
TIMEOUT_SECONDS = 600
POLL_SECONDS = 0.5


class LiveClient(Client):
    """BigQuery itself: slower than a program on this machine."""

    poll_seconds = POLL_SECONDS
    job_seconds = TIMEOUT_SECONDS


class Place:
    """client: a tests.support.bqlocal.Client; environment: what bqsync needs to come here, without the database;
    many_rows: how large the table is whose MERGE is billed; denied(permission): a context manager under which bqsync
    lacks a permission, given the environment to run it with, or None if that cannot be arranged."""

    def __init__(self, client, dataset, environment, many_rows, denied=None):
        self.client, self.dataset, self.many_rows, self.denied = client, dataset, many_rows, denied
        self.environment = environment
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bqsync-live-"))
        self.path = self.folder / "app.db"
        self.datasets = []
        self.names = 0

    # BigQuery

    def reference(self, table, dataset=None):
        return self.client.reference(dataset or self.dataset, table)

    def name(self, table, dataset=None):
        return f"`{dataset or self.dataset}`.`{table}`"

    def create(self, fields, dataset=None, **more):
        """A new table: fields are (name, type, mode); its name."""
        self.names += 1
        name = f"{PREFIX}{self.names}"
        self.client.post(f"datasets/{dataset or self.dataset}/tables", {
            "tableReference": self.reference(name, dataset), "schema": {"fields": resources(fields)}, **more})
        return name

    def create_dataset(self, suffix, **more):
        """A new dataset beside the scratch dataset, in the same location; its id."""
        name = f"{self.dataset}_{PREFIX}{suffix}"
        location = self.client.get(f"datasets/{self.dataset}")["location"]
        self.remove_dataset(name)
        self.client.post("datasets", {
            "datasetReference": {"projectId": self.client.project, "datasetId": name}, "location": location, **more})
        self.datasets.append(name)
        return name

    def remove_dataset(self, name):
        with contextlib.suppress(HttpError):
            self.client.delete(f"datasets/{name}?deleteContents=true")

    def table(self, name, dataset=None):
        return self.client.table(dataset or self.dataset, name)

    def load(self, table, media, dataset=None, **configuration):
        """Loads an Avro file; None, or the error as BigQuery words it."""
        job = self.client.load(dataset or self.dataset, table, media, **configuration)
        return job["status"].get("errorResult", {}).get("message")

    def query_job(self, sql, **configuration):
        """Runs a statement as a job: the finished job."""
        job = {"configuration": {"query": {"query": sql, "useLegacySql": False, **configuration}}}
        location = self.client.get(f"datasets/{self.dataset}")["location"]
        return self.client.run({**job, "jobReference": {"projectId": self.client.project, "location": location}})

    # bqsync

    def script(self, sql):
        """Runs SQL in the application's database, which has the tables of tests/schemas."""
        new = not self.path.exists()
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            if new:
                database.executescript(SHAPES)
            database.executescript(sql)

    def forget_database(self):
        for file in self.folder.glob("app.db*"):
            file.unlink()

    def bqsync(self, *arguments, dataset=None, environment=None):
        """(exit status, the parsed document) of a command with --json."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BQ_")}
        ended = subprocess.run(
            [str(BUILD / "bqsync_shapes"), *arguments, "--json"], cwd=self.folder, capture_output=True, text=True,
            timeout=TIMEOUT_SECONDS, env={
                **inherited, **self.environment, **(environment or {}), "BQ_PROJECT_NAME": self.client.project,
                "BQ_DATASET_NAME": dataset or self.dataset, "BQ_SQLITE_PATH": str(self.path)})
        try:
            return ended.returncode, json.loads(ended.stdout)
        except ValueError:
            raise AssertionError(f"bqsync {arguments} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")

    # Afterwards

    def leftovers(self):
        """What is in the dataset that a question or bqsync made."""
        return [name for name in self.client.tables(self.dataset)
                if name in TABLES or name.startswith((PREFIX, "bqsync_staging_"))]

    def cleanup(self):
        for name in self.leftovers():
            self.client.delete(f"datasets/{self.dataset}/tables/{urllib.parse.quote(name)}")
        for name in self.datasets:
            self.remove_dataset(name)
        self.forget_database()

    def close(self):
        self.cleanup()
        shutil.rmtree(self.folder)

    def anonymous(self, text):
        """A text of BigQuery's or bqsync's without the names of project, dataset, folder and people."""
        for secret, word in ((self.client.project, "PROJECT"), (self.dataset, "DATASET"), (str(self.folder), "FOLDER")):
            text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", word, text)
        return re.sub(r"[\w.+-]+@[\w.-]+", "ACCOUNT", text)


def resources(fields):
    return [{"name": name, "type": kind, "mode": mode} for name, kind, mode in fields]

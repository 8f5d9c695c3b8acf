"""Records what a release leaves behind, for the tests of upgrades from it:

    python3 -m tests.e2e.earlier.record PROGRAM     PROGRAM: the bqsync_shapes that the release's build makes

It syncs twice, so that there is progress, history and a bill, and writes source.sql (the database with control tables
and triggers) and labels.json (those of the tables in BigQuery)."""

import json
import pathlib
import sys

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

HERE = pathlib.Path(__file__).resolve().parent
ROWS = """
insert into events(kind, at) values ('a', 1), ('b', 2);
insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two'), (3, 'c@x', 3, null);
insert into settings values ('theme', 'dark');
"""
CHANGES = "update accounts set note = 'eins' where id = 1; insert into events(kind, at) values ('c', 3);"


def main(program):
    with Bqlocal(datasets=["d"]) as bq, Deployment(bq) as app:
        app.program = program
        for script in (ROWS, CHANGES):
            app.script(script)
            app.sync()
        with app.connect() as db:
            (HERE / "source.sql").write_text("\n".join(db.iterdump()) + "\n")
        labels = {name: bq.table("d", name)["labels"] for name in bq.tables("d")}
        (HERE / "labels.json").write_text(json.dumps(labels, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

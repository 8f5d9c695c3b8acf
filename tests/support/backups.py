"""Online backups of a deployment's database, kept in its folder under a name, and put back in its place."""

import contextlib
import pathlib
import shutil
import sqlite3


def save(app, name):
    copy = app.folder / name
    copy.unlink(missing_ok=True)
    with app.connect() as db, contextlib.closing(sqlite3.connect(copy)) as to:
        db.backup(to)


def restore(app, name):
    """Nothing has the database open."""
    for suffix in ("-wal", "-shm"):
        pathlib.Path(f"{app.path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(app.folder / name, app.path)

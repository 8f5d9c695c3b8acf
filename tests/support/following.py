"""A `bqsync serve` that follows commits so closely that the label of `accounts` stays behind, and is then killed."""

import contextlib
import time

DEADLINE_SECONDS = 60
SETTINGS = {"BQ_SYNC_FOLLOW": "20ms", "BQ_SYNC_INTERVAL": "off", "BQ_SYNC_DAILY_AT": "off", "BQ_ADMIN_LISTEN": "off"}


@contextlib.contextmanager
def following(app, **environment):
    """While it lasts, the source is followed. The service is killed at its end."""
    process = app.start("serve", **{**SETTINGS, **environment})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait(condition, what):
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come in {DEADLINE_SECONDS} s")
        time.sleep(0.01)


def label_is_behind(app):
    """Whether BigQuery holds rows of a later generation than the label of `accounts` says."""
    with app.connect() as db:
        return db.execute("select count(*) from bq_sync_generations where table_name = 'accounts'"
                          " and labelled < generation").fetchone()[0] == 1


def commit_account(app, number):
    """A row more in the source, once BigQuery has it too and the pass has noted that."""
    app.execute("insert into accounts values (?, ?, 1, null)", (number, f"{number}@x"))

    def is_synced():
        with app.connect() as db:
            synced = db.execute("select count(*) from bq_sync_tracking where table_name = 'accounts'"
                                " and last_synced_row_id >= ?", (number,)).fetchone()[0]
            intents = db.execute("select count(*) from bq_sync_intents").fetchone()[0]
        return synced == 1 and intents == 0
    wait(is_synced, f"account {number} in BigQuery")


def leave_label_behind(app, number=1000):
    """Commits rows, each followed by a pass, until the label stays behind; returns the next number."""
    behind = False
    while not behind:
        commit_account(app, number)
        number += 1
        behind = label_is_behind(app)
    return number

"""Changes a sample database as its application does in a few minutes: the statements, not their results.

Some are visible to anyone who looks for new ids, some only to who looks at each row: bulk updates that name no
key and no time, soft and hard deletes, an upsert that burns an id, a REPLACE that removes a row through another
unique constraint.
"""

from __future__ import annotations

import random
import sqlite3

from tests.support import sampledb_rows

NOW = "2025-12-23 10:02:07"


class Changes:
    """Runs statements and counts, by table, what the application would say it did."""

    def __init__(self, connection: sqlite3.Connection, rng: random.Random) -> None:
        self.connection = connection
        self.rng = rng
        self.tables: dict[str, dict[str, int]] = {}

    def run(self, kind: str, table: str, statement: str, *values: object) -> None:
        rows = self.connection.execute(statement, values).rowcount
        counts = self.tables.setdefault(table, {})
        counts[kind] = counts.get(kind, 0) + rows

    def one(self, query: str, *values: object) -> int:
        row = self.connection.execute(query, values).fetchone()
        return row[0] if row else 0

    def some_ids(self, table: str, count: int) -> list[int]:
        """Ids of existing rows, spread over the table."""
        ids = [row[0] for row in self.connection.execute(f"SELECT id FROM {table} ORDER BY id")]
        return sorted(self.rng.sample(ids, min(count, len(ids))))


def insert_rows(c: Changes, scale: int) -> None:
    source = sampledb_rows.Source(c.rng, sampledb_rows.make_pools(c.rng))
    next_user = c.one("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'users'")
    for n in range(3 + scale // 10):
        c.run(
            "inserted", "users",
            "INSERT INTO users (email, first_name, default_dp_color, created_at) VALUES (?, ?, ?, ?)",
            f"late{next_user + n}@example.com", "Zoë 🧑‍🎓", "#22c55e", NOW,
        )  # fmt: skip
    question = c.one("SELECT max(id) FROM questions")
    user = c.one("SELECT max(id) FROM users")
    for n in range(20 + scale):
        role, content = ("assistant", source.pools.replies[n % 160]) if n % 2 else ("user", source.title(n))
        c.run(
            "inserted", "chat_history",
            "INSERT INTO chat_history (user_id, question_id, role, content, response_type, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            user, question, role, content, None if n % 2 else "text", source.sent(n, sampledb_rows.DAYS), NOW,
        )  # fmt: skip
    c.run(
        "inserted", "org_api_keys",
        "INSERT INTO org_api_keys (org_id, hashed_key, created_at) VALUES (?, ?, ?)",
        1, f"{c.rng.getrandbits(256):064x}", NOW,
    )  # fmt: skip
    task = c.one("SELECT max(id) FROM tasks")
    c.run(
        "inserted", "task_completions",
        "INSERT INTO task_completions (user_id, task_id, created_at) VALUES (?, ?, ?)", user, task, NOW,
    )  # fmt: skip


def update_rows(c: Changes, scale: int) -> None:
    for i in c.some_ids("users", 2 + scale // 10):
        c.run("updated", "users", "UPDATE users SET first_name = ?, middle_name = NULL WHERE id = ?", f"Ñ{i} ✎", i)
    for i in c.some_ids("organizations", 2):
        c.run("updated", "organizations", "UPDATE organizations SET name = name || ' (renamed)' WHERE id = ?", i)
    for i in c.some_ids("tasks", 5):
        blocks = '[{"id":"new","type":"paragraph","content":[{"type":"text","text":"edité 🖊"}]}]'
        c.run("updated", "tasks", "UPDATE tasks SET blocks = ?, status = 'published' WHERE id = ?", blocks, i)
    # Neither key nor time is named: a task moved to the front pushes all others back, schedules fall due.
    course = c.one("SELECT course_id FROM course_tasks GROUP BY course_id ORDER BY count(*) DESC, course_id LIMIT 1")
    c.run("updated", "course_tasks", "UPDATE course_tasks SET ordering = ordering + 1 WHERE course_id = ?", course)
    c.run(
        "updated", "tasks",
        "UPDATE tasks SET scheduled_publish_at = NULL WHERE id % 2 = 0 AND scheduled_publish_at IS NOT NULL",
    )  # fmt: skip
    milestone = c.one("SELECT milestone_id FROM course_tasks WHERE milestone_id IS NOT NULL ORDER BY id LIMIT 1")
    c.run("updated", "course_tasks", "UPDATE course_tasks SET milestone_id = NULL WHERE milestone_id = ?", milestone)
    c.run("updated", "questions", "UPDATE questions SET settings = '42' WHERE id % 10 = 1")
    c.run(
        "updated", "user_cohorts",
        "UPDATE user_cohorts SET deleted_at = ? WHERE id % 7 = 0 AND deleted_at IS NULL", NOW,
    )  # fmt: skip


def delete_rows(c: Changes, scale: int) -> None:
    for i in c.some_ids("chat_history", 5 + scale // 4):
        c.run("deleted", "chat_history", "DELETE FROM chat_history WHERE id = ?", i)
    question = c.one("SELECT question_id FROM question_scorecards ORDER BY id LIMIT 1")
    c.run("deleted", "question_scorecards", "DELETE FROM question_scorecards WHERE question_id = ?", question)
    for i in c.some_ids("course_cohorts", 1):
        c.run("deleted", "course_cohorts", "DELETE FROM course_cohorts WHERE id = ?", i)


def merge_rows(c: Changes) -> None:
    for i in c.some_ids("code_drafts", 3):
        c.run(
            "upserted", "code_drafts",
            "INSERT INTO code_drafts (user_id, question_id, code, created_at)"
            " SELECT user_id, question_id, ?, created_at FROM code_drafts WHERE id = ?"
            " ON CONFLICT (user_id, question_id) DO UPDATE SET code = excluded.code, updated_at = ?",
            '[{"language":"python","value":"print(\'again 🐍\')\\n"}]', i, NOW,
        )  # fmt: skip
    # The pair exists, so the row that holds it goes, without a delete trigger, and a new id takes its place.
    for i in c.some_ids("user_organizations", 2):
        c.run(
            "replaced", "user_organizations",
            "INSERT OR REPLACE INTO user_organizations (user_id, org_id, role, created_at)"
            " SELECT user_id, org_id, 'admin', created_at FROM user_organizations WHERE id = ?",
            i,
        )  # fmt: skip


def change(path: str, seed: int = 1) -> dict[str, object]:
    """Applies the changes in a few transactions; returns the counts in all and by table."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        # Every round inserts, so this number makes the next one differ though the seed is the same.
        position = connection.execute("SELECT sum(seq) FROM sqlite_sequence").fetchone()[0]
        c = Changes(connection, random.Random(f"{seed} {position}"))
        scale = c.one("SELECT count(*) FROM chat_history") // 1000
        steps = (
            lambda: insert_rows(c, scale),
            lambda: update_rows(c, scale),
            lambda: delete_rows(c, scale),
            lambda: merge_rows(c),
        )
        for step in steps:
            connection.execute("BEGIN IMMEDIATE")
            step()
            connection.execute("COMMIT")
    finally:
        connection.close()
    totals = {"inserted": 0, "updated": 0, "deleted": 0, "upserted": 0, "replaced": 0}
    for counts in c.tables.values():
        for kind, rows in counts.items():
            totals[kind] += rows
    return {**totals, "tables": c.tables}

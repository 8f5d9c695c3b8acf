"""The 22 tables of a learning platform as SQLite holds them: what sampledb builds.

Two physical forms occur. A "fresh" database was created by the present application. A "migrated" one grew up
through column additions: same columns, but another order in five tables, no default on the timestamp columns
that were added later, and triggers that keep updated_at. Foreign keys are declared and never enforced.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    default_migrated: str | None = None
    references: str | None = None


@dataclass(frozen=True)
class Table:
    name: str
    weight: int  # rows beside 10,000 users
    columns: tuple[Column, ...]  # in fresh order
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    migrated_order: tuple[str, ...] = ()  # if it differs
    stamps: tuple[str, ...] = field(default=())  # triggers of the migrated form: "insert created_at", ...

    def ordered(self, variant: str) -> list[Column]:
        """The columns in the physical order of that variant."""
        if variant == "fresh" or not self.migrated_order:
            return list(self.columns)
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in self.migrated_order]


TABLES: tuple[Table, ...] = (
    Table(
        "organizations",
        50,
        (
            Column("id", "INTEGER"),
            Column("slug", "TEXT", not_null=True),
            Column("name", "TEXT", not_null=True),
            Column("default_logo_color", "TEXT"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("slug",),),
        indexes=(("slug",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "users",
        10000,
        (
            Column("id", "INTEGER"),
            Column("email", "TEXT", not_null=True),
            Column("first_name", "TEXT"),
            Column("middle_name", "TEXT"),
            Column("last_name", "TEXT"),
            Column("default_dp_color", "TEXT"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("email",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "cohorts",
        150,
        (
            Column("id", "INTEGER"),
            Column("name", "TEXT", not_null=True),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("org_id",),),
        stamps=("insert created_at", "insert updated_at", "update updated_at"),
    ),
    Table(
        "batches",
        250,
        (
            Column("id", "INTEGER"),
            Column("name", "TEXT", not_null=True),
            Column("cohort_id", "INTEGER", not_null=True, references="cohorts"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("cohort_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "courses",
        300,
        (
            Column("id", "INTEGER"),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("name", "TEXT", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("org_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "milestones",
        2400,
        (
            Column("id", "INTEGER"),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("name", "TEXT", not_null=True),
            Column("color", "TEXT"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("org_id",),),
        stamps=("insert created_at", "insert updated_at", "update updated_at"),
    ),
    Table(
        "tasks",
        12000,
        (
            Column("id", "INTEGER"),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("type", "TEXT", not_null=True),
            Column("blocks", "TEXT"),
            Column("title", "TEXT", not_null=True),
            Column("status", "TEXT", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
            Column("scheduled_publish_at", "DATETIME"),
        ),
        indexes=(("org_id",),),
        migrated_order=(
            "id", "org_id", "type", "blocks", "title", "status", "created_at", "deleted_at",
            "scheduled_publish_at", "updated_at",
        ),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "questions",
        20000,
        (
            Column("id", "INTEGER"),
            Column("task_id", "INTEGER", not_null=True, references="tasks"),
            Column("type", "TEXT", not_null=True),
            Column("blocks", "TEXT"),
            Column("answer", "TEXT"),
            Column("input_type", "TEXT", not_null=True),
            Column("coding_language", "TEXT"),
            Column("generation_model", "TEXT"),
            Column("response_type", "TEXT", not_null=True),
            Column("position", "INTEGER", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
            Column("max_attempts", "INTEGER"),
            Column("is_feedback_shown", "BOOLEAN", not_null=True),
            Column("context", "TEXT"),
            Column("title", "TEXT", not_null=True),
            Column("settings", "JSON"),
        ),
        indexes=(("task_id",),),
        migrated_order=(
            "id", "task_id", "type", "blocks", "answer", "input_type", "coding_language",
            "generation_model", "response_type", "position", "created_at", "deleted_at",
            "max_attempts", "is_feedback_shown", "context", "title", "updated_at", "settings",
        ),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "scorecards",
        2500,
        (
            Column("id", "INTEGER"),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("title", "TEXT", not_null=True),
            Column("criteria", "TEXT", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
            Column("status", "TEXT"),
        ),
        indexes=(("org_id",),),
        migrated_order=(
            "id", "org_id", "title", "criteria", "created_at", "status", "updated_at",
            "deleted_at",
        ),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "chat_history",
        2500000,
        (
            Column("id", "INTEGER"),
            Column("user_id", "INTEGER", not_null=True, references="users"),
            Column("question_id", "INTEGER", references="questions"),
            Column("task_id", "INTEGER", references="tasks"),
            Column("role", "TEXT", not_null=True),
            Column("content", "TEXT"),
            Column("response_type", "TEXT"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("question_id",), ("task_id",), ("user_id",),),
    ),
    Table(
        "task_completions",
        400000,
        (
            Column("id", "INTEGER"),
            Column("user_id", "INTEGER", not_null=True, references="users"),
            Column("task_id", "INTEGER", references="tasks"),
            Column("question_id", "INTEGER", references="questions"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("user_id", "task_id"), ("user_id", "question_id"),),
        indexes=(("question_id",), ("task_id",), ("user_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "user_organizations",
        200,
        (
            Column("id", "INTEGER"),
            Column("user_id", "INTEGER", not_null=True, references="users"),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("role", "TEXT", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("user_id", "org_id"),),
        indexes=(("org_id",), ("user_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "user_cohorts",
        12000,
        (
            Column("id", "INTEGER"),
            Column("user_id", "INTEGER", not_null=True, references="users"),
            Column("cohort_id", "INTEGER", not_null=True, references="cohorts"),
            Column("role", "TEXT", not_null=True),
            Column("joined_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("user_id", "cohort_id"),),
        indexes=(("cohort_id",), ("user_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "user_batches",
        6000,
        (
            Column("id", "INTEGER"),
            Column("user_id", "INTEGER", not_null=True, references="users"),
            Column("batch_id", "INTEGER", not_null=True, references="batches"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("user_id", "batch_id"),),
        indexes=(("batch_id",), ("user_id",),),
        stamps=("insert created_at", "insert updated_at", "update updated_at"),
    ),
    Table(
        "course_cohorts",
        400,
        (
            Column("id", "INTEGER"),
            Column("course_id", "INTEGER", not_null=True, references="courses"),
            Column("cohort_id", "INTEGER", not_null=True, references="cohorts"),
            Column("is_drip_enabled", "BOOLEAN", default="FALSE", default_migrated="FALSE"),
            Column("frequency_value", "INTEGER"),
            Column("frequency_unit", "TEXT"),
            Column("publish_at", "DATETIME"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("course_id", "cohort_id"),),
        indexes=(("cohort_id",), ("course_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "course_tasks",
        12000,
        (
            Column("id", "INTEGER"),
            Column("task_id", "INTEGER", not_null=True, references="tasks"),
            Column("course_id", "INTEGER", not_null=True, references="courses"),
            Column("ordering", "INTEGER", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
            Column("milestone_id", "INTEGER", references="milestones"),
        ),
        unique=(("task_id", "course_id"),),
        indexes=(("course_id",), ("milestone_id",), ("task_id",),),
        migrated_order=(
            "id", "task_id", "course_id", "ordering", "created_at", "milestone_id", "updated_at",
            "deleted_at",
        ),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "course_milestones",
        2400,
        (
            Column("id", "INTEGER"),
            Column("course_id", "INTEGER", not_null=True, references="courses"),
            Column("milestone_id", "INTEGER", references="milestones"),
            Column("ordering", "INTEGER", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("course_id", "milestone_id"),),
        indexes=(("course_id",), ("milestone_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "question_scorecards",
        7000,
        (
            Column("id", "INTEGER"),
            Column("question_id", "INTEGER", not_null=True, references="questions"),
            Column("scorecard_id", "INTEGER", not_null=True, references="scorecards"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("question_id", "scorecard_id"),),
        indexes=(("question_id",), ("scorecard_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "course_generation_jobs",
        150,
        (
            Column("id", "INTEGER"),
            Column("uuid", "TEXT", not_null=True),
            Column("course_id", "INTEGER", not_null=True, references="courses"),
            Column("status", "TEXT", not_null=True),
            Column("job_details", "TEXT"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("course_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "task_generation_jobs",
        3000,
        (
            Column("id", "INTEGER"),
            Column("uuid", "TEXT", not_null=True),
            Column("task_id", "INTEGER", not_null=True, references="tasks"),
            Column("course_id", "INTEGER", not_null=True, references="courses"),
            Column("status", "TEXT", not_null=True),
            Column("job_details", "TEXT"),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        indexes=(("course_id",), ("task_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "org_api_keys",
        20,
        (
            Column("id", "INTEGER"),
            Column("org_id", "INTEGER", not_null=True, references="organizations"),
            Column("hashed_key", "TEXT", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("hashed_key",),),
        indexes=(("hashed_key",), ("org_id",),),
        stamps=("insert updated_at", "update updated_at"),
    ),
    Table(
        "code_drafts",
        15000,
        (
            Column("id", "INTEGER"),
            Column("user_id", "INTEGER", not_null=True, references="users"),
            Column("question_id", "INTEGER", not_null=True, references="questions"),
            Column("code", "TEXT", not_null=True),
            Column("created_at", "DATETIME", default="CURRENT_TIMESTAMP"),
            Column("updated_at", "DATETIME", default="CURRENT_TIMESTAMP", default_migrated="CURRENT_TIMESTAMP"),
            Column("deleted_at", "DATETIME"),
        ),
        unique=(("user_id", "question_id"),),
        indexes=(("question_id",), ("user_id",),),
        migrated_order=(
            "id", "user_id", "question_id", "code", "updated_at", "created_at", "deleted_at",
        ),
        stamps=("insert created_at",),
    ),
)

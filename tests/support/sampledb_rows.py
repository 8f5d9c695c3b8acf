"""The rows of the sample database: what such an application holds after a year, from a seed.

Every generator yields tuples in the fresh column order. Content is cut from pools that are made once, because
two million rows have to be ready within a minute; odd values (emoji, combining marks, control characters,
empty texts, times in every stored form) come at fixed places, so that even a small database has all of them.
"""

from __future__ import annotations

import datetime
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

EPOCH = datetime.date(2024, 7, 1)
DAYS = 540

WORDS = (
    "answer array because binary branch closure compare compile course data debug default define error "
    "example explain feedback field function graph heap import index integer join lambda learn limit list "
    "loop memory merge method module number object output pattern pointer practice print query question "
    "queue recursion return review schema search select solve sort stack string student table task test "
    "thread tree tuple type update value variable vector while why window write zero"
).split()

# What breaks naive exporters: 4-byte characters, joined emoji, marks that combine, right-to-left text, quotes,
# separators that JSON and CSV readers trip over, a control character, blanks at both ends, and nothing at all.
ODD_TEXTS = (
    "👩🏽‍💻 done 🎉",
    "e\u0301 is not \u00e9, nor is क्षि",
    "العربية ثم English ثم עברית",
    'she said "no", then \\ and \'maybe\'',
    "line one\nline two\r\nline three\ttabbed",
    "separators \u2028 and \u2029, a feff \ufeff inside",
    "bell \u0007 and escape \u001b[0m and delete \u007f",
    "  blanks at both ends  ",
    "",
    "NULL",
    "𝒳 ∈ ℝ³, 𐍈, 漢字, ﷽, \U0010fffd",
    "a,b;c|d\\N",
    "0042",
    "<script>alert('x')</script> & more",
)
FIRST_NAMES = "Aarav Ana Chloé Diya Emeka Fatima Hiro Ines Jürgen Kavya Łukasz Meera Nguyễn Olu Priya Søren Zoë".split()
LAST_NAMES = "Agarwal Bauer Chukwu Das Evans Ferreira García Haddad Ivanov Jain Kowalski Müller Nair O’Brien Sato".split()
COLORS = ("#ef4444", "#22c55e", "#3b82f6", "#a855f7", "#f59e0b")


@dataclass
class Pools:
    """Text to cut from; see make_pools."""

    prose: str
    code: str
    replies: list[str]
    learner: list[str]
    files: list[str]
    dates: list[str]
    clock: list[str]


def make_pools(rng: random.Random) -> Pools:
    prose = " ".join(rng.choices(WORDS, k=30_000))
    lines = [f"{rng.choice(WORDS)}_{n} = {rng.choice(WORDS)}({n})  # {rng.choice(WORDS)}" for n in range(2_000)]
    code = "\n".join(lines)

    def cut(least: int, most: int) -> str:
        length = rng.randint(least, most)
        start = rng.randrange(len(prose) - length)
        return prose[start : start + length]

    replies = []
    for n in range(160):
        if n % 2:
            value: dict[str, object] = {"feedback": cut(80, 900), "is_correct": n % 4 == 1}
        else:
            feedback = {"correct": cut(20, 300), "wrong": cut(0, 300) if n % 6 else ODD_TEXTS[n % len(ODD_TEXTS)]}
            card = [{"category": "Clarity ✓", "score": n % 5, "feedback": feedback}]
            value = {"feedback": cut(60, 600), "scorecard": card}
        replies.append(json.dumps(value, ensure_ascii=n % 8 == 0))
    learner = [cut(10, 300) for _ in range(300)]
    files = [
        json.dumps({"file_uuid": str(uuid.UUID(int=rng.getrandbits(128))), "filename": f"work {n}.zip"})
        for n in range(40)
    ]
    dates = [(EPOCH + datetime.timedelta(days=n)).isoformat() for n in range(DAYS + 400)]
    clock = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(0, 86400, 7)]
    return Pools(prose, code, replies, learner, files, dates, clock)


@dataclass
class Source:
    """What the generators share: randomness, pools, and the ids that exist so far."""

    rng: random.Random
    pools: Pools
    ids: dict[str, list[int]] = field(default_factory=dict)

    def take_ids(self, table: str, count: int, chance: float = 0.02) -> list[int]:
        """Rising ids with gaps, as AUTOINCREMENT leaves them after failed and deleted inserts."""
        roll = self.rng.random
        ids = []
        last = 0
        for _ in range(count):
            last += 1
            if roll() < chance:
                last += 1 + int(roll() * 4)
            ids.append(last)
        self.ids[table] = ids
        return ids

    def parent(self, table: str) -> int:
        """The id of a row of that table; now and then of one that is gone, as nothing enforces references."""
        roll = self.rng.random()
        if roll < 0.003:
            return self.ids[table][-1] + 1 + int(roll * 10_000)
        ids = self.ids[table]
        return ids[int(self.rng.random() * len(ids))]

    def pairs(self, left: str, right: str, count: int) -> Iterator[tuple[int, int]]:
        """Different pairs of rows, as unique constraints of junction tables want them."""
        lefts, rights = self.ids[left], self.ids[right]
        total = len(lefts) * len(rights)
        stride = (total * 618 // 1000) | 1
        while _common_divisor(stride, total) != 1:
            stride += 2
        at = self.rng.randrange(total)
        for _ in range(min(count, total)):
            at = (at + stride) % total
            yield lefts[at % len(lefts)], rights[at // len(lefts)]

    def text(self, least: int, most: int) -> str:
        length = self.rng.randint(least, most)
        start = int(self.rng.random() * (len(self.pools.prose) - length))
        return self.pools.prose[start : start + length]

    def title(self, n: int) -> str:
        if n % 23 == 5:
            return ODD_TEXTS[n // 23 % len(ODD_TEXTS)]
        return self.text(6, 40).strip().capitalize()

    def day(self) -> int:
        return int(self.rng.random() * DAYS)

    def utc(self, day: int) -> str:
        """YYYY-MM-DD HH:MM:SS, what CURRENT_TIMESTAMP gives."""
        clock = self.pools.clock
        return self.pools.dates[day] + " " + clock[int(self.rng.random() * len(clock))]

    def deleted(self, day: int) -> str | None:
        return self.utc(day + 3) if self.rng.random() < 0.04 else None

    def stamps(self) -> tuple[str, str | None, str | None]:
        """created_at, updated_at, deleted_at; rows older than the column have no updated_at."""
        day = self.day()
        updated = None if day % 11 == 0 else self.utc(day + day % 5)
        return self.utc(day), updated, self.deleted(day)

    def sent(self, n: int, day: int) -> str:
        """A client's time in each of the forms that drivers write: fraction or not, zone or not."""
        base = self.utc(day)
        form = n % 16
        if form < 9:
            return f"{base}.{int(self.rng.random() * 999999) + 1:06d}+00:00"
        if form < 11:
            return base + "+00:00"
        if form == 11:
            return base
        if form == 12:
            return f"{base}.{n % 1000:03d}000"
        if form == 13:
            return base + "+05:30"
        if form == 14:
            return f"{base}.{n % 1000000:06d}-03:30"
        return base + ".512000+05:30"

    def blocks(self, n: int) -> str:
        """The body of a page as the editor stores it."""
        blocks = []
        for position in range(1 + n % 4):
            text = ODD_TEXTS[(n + position) % len(ODD_TEXTS)] if n % 7 == 3 else self.text(40, 400)
            content = [{"type": "text", "text": text, "styles": {"bold": True} if n % 5 == 0 else {}}]
            blocks.append(
                {
                    "id": f"b{n}-{position}",
                    "type": "paragraph",
                    "props": {"level": position, "ratio": 0.1 * position, "big": 9007199254740993},
                    "content": content,
                    "children": [],
                    "position": position,
                }
            )
        return json.dumps(blocks, ensure_ascii=n % 2 == 0, indent=2 if n % 9 == 0 else None)

    def long_text(self, kilobytes: int) -> str:
        part = self.pools.prose[:1000] + " 🙂 "
        return part * kilobytes

    def code(self, n: int) -> str:
        length = 100 + n * 37 % 2_000
        start = n * 131 % (len(self.pools.code) - length)
        value = self.pools.code[start : start + length]
        draft = [{"language": "python" if n % 3 else "sql", "value": value}]
        if n % 6 == 0:
            draft.append({"language": "nodejs", "value": "console.log(`é ${x} 😀`);\n"})
        return json.dumps(draft, ensure_ascii=n % 2 == 0)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))


def _common_divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


Rows = Iterator[tuple[object, ...]]


def organizations(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("organizations", count)):
        color = None if n % 3 else COLORS[n % 5]
        yield (i, f"school-{i}", s.title(n + 1) or "Школа", color, *s.stamps())


def users(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("users", count)):
        middle = None if n % 5 else ("" if n % 10 else "de la")
        last = None if n % 17 == 0 else LAST_NAMES[n * 7 % len(LAST_NAMES)]
        first = ODD_TEXTS[n // 19 % len(ODD_TEXTS)] if n % 19 == 4 else FIRST_NAMES[n % len(FIRST_NAMES)]
        yield (i, f"user{i}@example.com", first, middle, last, COLORS[n % 5], *s.stamps())


def cohorts(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("cohorts", count)):
        yield (i, s.title(n), s.parent("organizations"), *s.stamps())


def batches(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("batches", count)):
        yield (i, s.title(n), s.parent("cohorts"), *s.stamps())


def courses(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("courses", count)):
        yield (i, s.parent("organizations"), s.title(n), *s.stamps())


def milestones(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("milestones", count)):
        yield (i, s.parent("organizations"), s.title(n), COLORS[n % 5] if n % 4 else None, *s.stamps())


def tasks(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("tasks", count)):
        kind = ("quiz", "learning_material", "learning_material", "assignment")[n % 4]
        blocks = s.blocks(n) if kind == "learning_material" else None
        if n == 101:
            text = s.long_text(200)
            blocks = json.dumps([{"id": "long", "type": "paragraph", "content": [{"type": "text", "text": text}]}])
        publish = s.sent(n // 9, s.day() + 300) if n % 9 == 0 else None
        status = "draft" if n % 6 == 0 else "published"
        yield (i, s.parent("organizations"), kind, blocks, s.title(n), status, *s.stamps(), publish)


# A declared type of JSON gives a column numeric affinity: what looks like a number is stored as one.
SETTINGS = (None, "{}", '{"allowCopyPaste":false}', "null", 3, '{"allowCopyPaste": true, "limit": 2.50}', "1.5", "[1, 2]")


def questions(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("questions", count)):
        answer = s.blocks(n + 1) if n % 3 else None
        languages = '["python","sql"]' if n % 5 == 0 else None
        context = '{"blocks":[],"linkedMaterialIds":["41","42"]}' if n % 4 == 0 else None
        yield (
            i,
            s.parent("tasks"),
            "objective" if n % 2 else "subjective",
            s.blocks(n),
            answer,
            ("text", "code", "audio")[n % 3],
            languages,
            None,
            "chat" if n % 5 else "exam",
            n % 12,
            *s.stamps(),
            None if n % 3 else 1 + n % 4,
            n % 7 != 0,
            context,
            s.title(n),
            SETTINGS[n % len(SETTINGS)],
        )


def scorecards(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("scorecards", count)):
        criterion: dict[str, object] = {"name": s.title(n), "min_score": 0.0, "max_score": 5.0 + n % 3}
        if n % 4:
            criterion["pass_score"] = 3.5
        criterion["description"] = ODD_TEXTS[n % len(ODD_TEXTS)]
        status = (None, "draft", "published", "published")[n % 4]
        yield (i, s.parent("organizations"), s.title(n), json.dumps([criterion]), *s.stamps(), status)


def chat_history(s: Source, count: int) -> Rows:
    pools, rng = s.pools, s.rng
    roll = rng.random
    learner, replies, files = pools.learner, pools.replies, pools.files
    for n, i in enumerate(s.take_ids("chat_history", count, chance=0.004)):
        question = None if n % 25 == 24 else s.parent("questions")
        task = s.parent("tasks") if question is None else None
        day = int(DAYS * n / count) + (400 if n % 997 == 0 else 0)
        if n % 2:
            kind = None
            role, content = "assistant", replies[int(roll() * len(replies))]
        else:
            role, kind = "user", "text"
            content = f"{learner[int(roll() * len(learner))]} #{i}"
            if n % 30 == 0:
                content = ODD_TEXTS[n // 30 % len(ODD_TEXTS)]
            elif n % 44 == 0:
                kind, content = "file", files[n // 44 % len(files)]
            elif n % 34 == 0:
                kind, content = "code", s.code(n)[30:700]
            elif n % 202 == 0:
                kind, content = "audio", None
        if n == 4003:
            content = s.long_text(30)
        deleted = s.utc(day + 1) if n % 90 == 1 else None
        updated = s.utc(day) if n % 3 else None
        yield (i, s.parent("users"), question, task, role, content, kind, s.sent(n * 5, day), updated, deleted)


def task_completions(s: Source, count: int) -> Rows:
    by_task = s.pairs("users", "tasks", count // 2)
    by_question = s.pairs("users", "questions", count - count // 2)
    ids = iter(s.take_ids("task_completions", count))
    for (user, task), i in zip(by_task, ids):
        yield (i, user, task, None, *s.stamps())
    for (user, question), i in zip(by_question, ids):
        yield (i, user, None, question, *s.stamps())


def _junction(s: Source, table: str, left: str, right: str, count: int) -> Iterator[tuple[int, int, int, int]]:
    """n, id, left id, right id."""
    pairs = list(s.pairs(left, right, count))
    for n, (i, (one, other)) in enumerate(zip(s.take_ids(table, len(pairs)), pairs)):
        yield n, i, one, other


def user_organizations(s: Source, count: int) -> Rows:
    for n, i, user, org in _junction(s, "user_organizations", "users", "organizations", count):
        yield (i, user, org, "admin" if n % 4 else "owner", *s.stamps())


def user_cohorts(s: Source, count: int) -> Rows:
    for n, i, user, cohort in _junction(s, "user_cohorts", "users", "cohorts", count):
        yield (i, user, cohort, "learner" if n % 8 else "mentor", *s.stamps())


def user_batches(s: Source, count: int) -> Rows:
    for _, i, user, batch in _junction(s, "user_batches", "users", "batches", count):
        yield (i, user, batch, *s.stamps())


def course_cohorts(s: Source, count: int) -> Rows:
    units = ("minute", "hour", "day", "week", "month", "year")
    for n, i, course, cohort in _junction(s, "course_cohorts", "courses", "cohorts", count):
        drip = (False, True, None)[n % 3]
        value, unit = (1 + n % 9, units[n % 6]) if drip else (None, None)
        publish = s.sent(n, s.day() + 300) if n % 2 else None
        yield (i, course, cohort, drip, value, unit, publish, *s.stamps())


def course_tasks(s: Source, count: int) -> Rows:
    for n, i, task, course in _junction(s, "course_tasks", "tasks", "courses", count):
        milestone = None if n % 9 == 0 else s.parent("milestones")
        yield (i, task, course, n % 20, *s.stamps(), milestone)


def course_milestones(s: Source, count: int) -> Rows:
    for n, i, course, milestone in _junction(s, "course_milestones", "courses", "milestones", count):
        yield (i, course, None if n % 40 == 39 else milestone, n % 8, *s.stamps())


def question_scorecards(s: Source, count: int) -> Rows:
    for _, i, question, scorecard in _junction(s, "question_scorecards", "questions", "scorecards", count):
        yield (i, question, scorecard, *s.stamps())


def course_generation_jobs(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("course_generation_jobs", count)):
        details = {
            "course_description": s.text(50, 300),
            "intended_audience": ODD_TEXTS[n % len(ODD_TEXTS)],
            "instructions": None,
            "course_structure": {"modules": [{"name": s.title(n), "order": n}]},
        }
        status = ("started", "pending", "completed", "failed")[n % 4]
        job = None if n % 10 == 9 else json.dumps(details)
        yield (i, s.uuid(), s.parent("courses"), status, job, *s.stamps())


def task_generation_jobs(s: Source, count: int) -> Rows:
    for n, i in enumerate(s.take_ids("task_generation_jobs", count)):
        course = s.parent("courses")
        details = {"task": {}, "concept": {"name": s.title(n)}, "course_job_uuid": s.uuid(), "course_id": course}
        status = ("started", "completed", "failed")[n % 3]
        yield (i, s.uuid(), s.parent("tasks"), course, status, json.dumps(details), *s.stamps())


def org_api_keys(s: Source, count: int) -> Rows:
    for i in s.take_ids("org_api_keys", count):
        yield (i, s.parent("organizations"), f"{s.rng.getrandbits(256):064x}", *s.stamps())


def code_drafts(s: Source, count: int) -> Rows:
    for n, i, user, question in _junction(s, "code_drafts", "users", "questions", count):
        yield (i, user, question, s.code(n), *s.stamps())


# Parents first, since children pick among the ids that exist.
GENERATORS = (
    organizations, users, cohorts, batches, courses, milestones, tasks, questions, scorecards,
    user_organizations, user_cohorts, user_batches, course_cohorts, course_tasks, course_milestones,
    question_scorecards, task_completions, code_drafts, course_generation_jobs, task_generation_jobs,
    org_api_keys, chat_history,
)  # fmt: skip

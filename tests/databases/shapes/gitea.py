"""A forge, after Gitea (go-gitea/gitea, models; xorm's SQLite dialect).

Times are seconds since 1970 in INTEGER columns named _unix, with 0 for none; booleans are 0 and 1 in INTEGER; names of
columns and tables (`user`, `action`, `type`, `index`) are words of SQL; texts are NULL or ''.
"""

from tests.databases.shape import Reading, seconds_in_sqlite, unix_us

ID = "`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"
DDL = f"""
CREATE TABLE `version` ({ID}, `version` INTEGER NULL);
CREATE TABLE `user` ({ID}, `lower_name` TEXT NOT NULL, `name` TEXT NOT NULL, `email` TEXT NOT NULL,
    `passwd` TEXT NOT NULL, `passwd_hash_algo` TEXT DEFAULT 'argon2' NOT NULL, `rands` TEXT NULL, `salt` TEXT NULL,
    `type` INTEGER NULL, `created_unix` INTEGER NULL, `updated_unix` INTEGER NULL, `last_login_unix` INTEGER NULL,
    `is_active` INTEGER NULL, `is_admin` INTEGER NULL, `num_repos` INTEGER NULL,
    `visibility` INTEGER DEFAULT 0 NOT NULL);
CREATE UNIQUE INDEX `UQE_user_name` ON `user` (`name`);
CREATE TABLE `repository` ({ID}, `owner_id` INTEGER NULL, `name` TEXT NOT NULL, `description` TEXT NULL,
    `is_private` INTEGER NULL, `size` INTEGER DEFAULT 0 NOT NULL, `topics` TEXT NULL, `created_unix` INTEGER NULL,
    `archived_unix` INTEGER DEFAULT 0 NULL);
CREATE TABLE `issue` ({ID}, `repo_id` INTEGER NULL, `index` INTEGER NULL, `name` TEXT NULL, `content` TEXT NULL,
    `is_closed` INTEGER NULL, `deadline_unix` INTEGER NULL, `created_unix` INTEGER NULL, `closed_unix` INTEGER NULL);
CREATE UNIQUE INDEX `UQE_issue_repo_index` ON `issue` (`repo_id`,`index`);
CREATE TABLE `access_token` ({ID}, `uid` INTEGER NULL, `name` TEXT NULL, `token_hash` TEXT NULL, `token_salt` TEXT NULL,
    `token_last_eight` TEXT NULL, `scope` TEXT NULL, `created_unix` INTEGER NULL, `updated_unix` INTEGER NULL);
CREATE TABLE `action` ({ID}, `user_id` INTEGER NULL, `op_type` INTEGER NULL, `is_deleted` INTEGER DEFAULT 0 NOT NULL,
    `ref_name` TEXT NULL, `content` TEXT NULL, `created_unix` INTEGER NULL);
CREATE TABLE `public_key` ({ID}, `owner_id` INTEGER NOT NULL, `fingerprint` TEXT NOT NULL, `content` TEXT NOT NULL,
    `created_unix` INTEGER NULL);
"""

READINGS = (
    Reading("user.created_unix", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("created_unix")),
    Reading("issue.created_unix", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("created_unix")),
    Reading("action.created_unix", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("created_unix")),
    Reading("user.is_active", "BOOL|INT64"),
    Reading("repository.size", "INT64", sql="size"),
    Reading("issue.index", "INT64", sql='"index"'),
)
HIDDEN = ("user.passwd", "user.salt", "user.email", "access_token.token_hash", "access_token.token_salt")
KEYS = {"user": ["id"]}


def fill(db, make):
    s = lambda step: unix_us(make.moment(step)) // 1_000_000
    make.rows(db, "version", [(1, 280)])
    make.rows(db, "user", [
        (i, f"name{i}", f"Name{i}", make.email(i), make.hex(50), "pbkdf2$50000$50", make.id(10), make.hex(16), 0, s(i),
         s(i + 1),
         make.random.choice((0, s(i + 2))), 1, i == 1, i % 4, 0) for i in range(1, 41)])
    make.rows(db, "repository", [
        (i, i % 40 + 1, make.word(), make.maybe(make.text(), ""), i % 2, make.random.randint(0, 10**9),
         make.maybe("[\"go\"]", "null"), s(i),
         make.random.choice((0, s(i + 5)))) for i in range(1, 61)])
    make.rows(db, "issue", [
        (i, i % 60 + 1, i // 60 + 1, make.text(4), make.maybe(make.text(20), ""), i % 2, 0, s(i),
         s(i + 9) if i % 2 else 0)
        for i in range(1, 151)])
    make.rows(db, "access_token", [(i, i, make.word(), make.hex(32), make.id(10), make.id(8), "all", s(i), s(i))
        for i in range(1, 21)])
    make.rows(db, "action", [
        (i, i % 40 + 1, i % 24 + 1, 0, "refs/heads/main",
         make.maybe('{"Commits":[{"Sha1":"' + make.hex(20) + '"}],"Len":1}', ""), s(i))
        for i in range(1, 201)])
    make.rows(db, "public_key", [
        (i, i, f"SHA256:{make.id(43)}", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{make.id(43)} {make.word()}", s(i))
         for i in range(1, 21)])

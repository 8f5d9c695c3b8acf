"""explain as a user runs it: its whole text for each kind of change, and where it finds the older definitions."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from codegen import commands
from tests.codegen.golden import EXPLAINED, explain
from tests.codegen.support import ROOT, definition

USERS = definition("users", ["id"], [("id", "INT64"), ("email", "STRING")])


class ExplainTest(unittest.TestCase):
    maxDiff = None

    def test_each_kind_of_change_is_explained_in_these_words(self):
        with open(EXPLAINED, encoding="utf-8") as file:
            self.assertEqual(file.read(), explain())


class BaselineTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        (self.folder / "own" / "schemas").mkdir(parents=True)
        self.schemas = self.folder / "own" / "schemas"

    def write(self, **documents):
        for path in self.schemas.glob("*.json"):
            path.unlink()
        for name, document in documents.items():
            text = document if isinstance(document, str) else json.dumps(document, indent=1)
            (self.schemas / (name + ".json")).write_text(text, encoding="utf-8")

    def git(self, *arguments):
        subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e@x", *arguments], cwd=self.folder, check=True,
            capture_output=True)

    def commit(self, tag, **documents):
        self.write(**documents)
        if not (self.folder / ".git").exists():
            self.git("init", "-q")
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", tag)
        self.git("tag", tag)

    def explain(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "codegen", "explain", *arguments], cwd=self.folder / "own",
            capture_output=True, encoding="utf-8",
            env=dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1"))
        return done.returncode, done.stdout, done.stderr

    def test_a_folder_that_is_missing_is_named(self):
        self.write(users=USERS)

        self.assertEqual(
            (3, "", "elsewhere: cannot be read: No such file or directory; name another directory with --schemas,"
             " or let the command init make it\n"), self.explain("schemas", "--schemas", "elsewhere"))

    def test_a_ref_is_compared_with_the_files_as_they_are_now(self):
        self.commit("v1", users=USERS)
        self.write(users={**USERS, "columns": USERS["columns"] + [{"name": "phone", "type": "STRING"}]})

        status, out, err = self.explain("v1")

        self.assertEqual((0, ""), (status, err))
        self.assertIn("## `users`: changes in BigQuery, and all rows are sent again", out)
        self.assertIn("alter table `${project}`.`${dataset}`.`users` add column `phone` STRING;", out)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "v2")
        self.assertEqual((0, "The definitions are those of HEAD: nothing changes in BigQuery.\n", ""),
                         self.explain("HEAD"))
        self.assertIn("`phone` is a new column.", self.explain("HEAD~1")[1])

    def test_a_folder_is_compared_likewise(self):
        self.write(users=USERS)
        (self.folder / "own" / "older").mkdir()
        (self.folder / "own" / "older" / "users.json").write_text(json.dumps({**USERS, "description": "old"}))

        self.assertIn("The description of the table stays in BigQuery.", self.explain("older")[1])
        self.assertIn("`email` is not listed any more", self.explain("schemas", "--schemas", self.narrower())[1])

    def narrower(self):
        folder = self.folder / "narrower"
        folder.mkdir()
        (folder / "users.json").write_text(json.dumps({**USERS, "columns": USERS["columns"][:1]}))
        return str(folder)

    def test_a_ref_without_definitions_makes_every_table_new(self):
        self.commit("v0")
        self.write(users=USERS)

        self.assertIn("## `users`: is created and filled", self.explain("v0")[1])

    def test_what_else_lies_in_the_folder_does_not_count(self):
        self.commit("v1", users=USERS)
        (self.schemas / "table.schema.json").write_text("{}")
        (self.schemas / ".hidden.json").write_text("{}")
        (self.schemas / "more").mkdir()
        (self.schemas / "more" / "deep.json").write_text("{}")
        (self.schemas / "link.json").symlink_to("users.json")
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "v2")
        (self.schemas / "link.json").unlink()

        self.assertIn("nothing changes in BigQuery", self.explain("HEAD")[1])

    def test_a_wrong_definition_is_named_with_its_ref(self):
        self.commit("v1", users={**USERS, "colour": 1})
        self.write(users=USERS)

        status, out, err = self.explain("v1")

        self.assertEqual((3, ""), (status, out))
        self.assertRegex(err, r"^v1:schemas/users\.json:\d+: colour: unknown key")

    def test_a_base_that_is_neither_is_a_usage_error(self):
        self.write(users=USERS)
        status, out, err = self.explain("nowhere")
        self.assertEqual((2, ""), (status, out))
        self.assertRegex(err, r"^nowhere is not a folder, and git says: .*not a git repository")
        self.commit("v1", users=USERS)
        self.assertEqual(
            (2, "", "nowhere is neither a folder nor a commit of the repository that holds schemas; a shallow clone has "
                    "to fetch it first\n"), self.explain("nowhere"))
        self.assertEqual(2, self.explain("--", "--output=x")[0])
        self.assertEqual(2, self.explain()[0])

    def test_check_fails_where_a_person_must_decide(self):
        self.commit("v1", users=USERS)
        self.assertEqual(0, self.explain("v1", "--check")[0])
        self.write(users=definition("users", ["id"], [("id", "INT64"), ("email", "BYTES")]))

        self.assertEqual(0, self.explain("v1")[0])
        status, out, _ = self.explain("v1", "--check")

        self.assertEqual(1, status)
        self.assertIn("drop table `${project}`.`${dataset}`.`users`", out)

    def test_a_folder_that_cannot_be_listed_is_named(self):
        self.write(users=USERS)
        (self.folder / "own" / "older").mkdir()
        listed = os.listdir

        def refuse(path):
            if os.path.basename(path) == refused:
                raise PermissionError(13, "Permission denied", path)
            return listed(path)

        for refused, status, said in (("older", 2, "older: cannot be read: Permission denied\n"),
                                      ("schemas", 3, "schemas: cannot be read: Permission denied\n")):
            with self.subTest(refused), mock.patch("os.listdir", refuse):
                self.assertEqual((status, said), self.run_here("older"))

    def run_here(self, *arguments):
        """The same in this process: exit status and stderr."""
        stderr = io.StringIO()
        with contextlib.chdir(self.folder / "own"), contextlib.redirect_stderr(stderr):
            return commands.main(["explain", *arguments], "bqsync-gen", {}), stderr.getvalue()

    def test_without_git_a_ref_cannot_be_read(self):
        self.write(users=USERS)
        with mock.patch.dict(os.environ, PATH="/nowhere"):
            self.assertEqual((2, "git cannot be run: No such file or directory\n"), self.run_here("v1"))

    def test_a_definition_that_git_has_lost_is_named(self):
        self.commit("v1", users=USERS)
        blob = subprocess.run(["git", "rev-parse", "v1:own/schemas/users.json"], cwd=self.folder, check=True,
                              capture_output=True, text=True).stdout.strip()
        (self.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

        status, said = self.run_here("v1")

        self.assertEqual(2, status)
        self.assertRegex(said, r"^[0-9a-f]{40}:users\.json cannot be read: .+")

    def test_a_primary_key_stays_where_bigquery_takes_none_of_the_new_type(self):
        columns = [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, {"name": "t", "type": "TIME", "mode": "REQUIRED"}]
        self.commit("v1", users=definition("users", ["id"], columns))
        self.write(users=definition("users", ["t"], columns))

        self.assertIn("The primary key stays as it is in BigQuery.", self.explain("v1")[1])


if __name__ == "__main__":
    unittest.main()

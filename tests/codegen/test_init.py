"""The command init: what it lays out for a database and for the repository around it. tests/consumer builds it."""

import contextlib
import io
import os
import sqlite3
import tempfile
import unittest

from codegen import commands


class InitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def init(self, *arguments):
        """stdout and stderr of a run that succeeds."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = commands.main(["init", *arguments], "bqsync-gen", {})
        self.assertEqual(0, status, stderr.getvalue())
        return stdout.getvalue(), stderr.getvalue()

    def database(self, path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        db = sqlite3.connect(path)
        db.execute("create table t(id integer primary key)")
        db.close()
        return path

    def ignored(self):
        with open(".gitignore", encoding="utf-8") as file:
            return file.read().splitlines()

    def test_a_database_in_the_repository_is_not_committed(self):
        self.init(self.database("data/app [1].db"))

        self.assertEqual(["/bqsync", "/build/", ".env", "/data/app \\[1].db", "/data/app \\[1].db-*",
                          "/data/app \\[1].db.bqsync-*"], self.ignored())

    def test_a_database_elsewhere_is_not_named(self):
        with tempfile.TemporaryDirectory() as folder:
            self.init(self.database(os.path.join(folder, "app.db")))

        self.assertEqual(["/bqsync", "/build/", ".env"], self.ignored())

    def test_what_an_existing_file_lacks_is_named(self):
        with open(".gitignore", "w", encoding="utf-8") as file:
            file.write("/bqsync\n/build/\n.env\n")

        self.assertIn(".gitignore is there already; add to it: /app.db  /app.db-*  /app.db.bqsync-*\n",
                      self.init(self.database("app.db"))[1])

    def test_a_workflow_that_github_does_not_run_is_named(self):
        os.makedirs("sub/project")
        os.mkdir(".git")
        os.chdir("sub/project")

        said = self.init()[1]

        self.assertIn(".github/workflows/bqsync.yml: GitHub runs only those in the root of the repository: move it "
                      "there, and give its steps behind the checkout the working-directory sub/project\n", said)
        self.assertEqual("", self.init()[1])

    def test_a_workflow_in_the_root_is_fine(self):
        os.mkdir(".git")

        self.assertEqual("", self.init()[1])

    def refused(self, *arguments):
        """Exit status and stderr of a run that fails."""
        stderr = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(stderr):
            status = commands.main(["init", *arguments], "bqsync-gen", {})
        return status, stderr.getvalue()

    def test_nothing_is_laid_out_for_a_database_that_cannot_be_read(self):
        status, stderr = self.refused("missing.db")

        self.assertEqual((2, "missing.db: cannot be read: No such file or directory\n"), (status, stderr))
        self.assertEqual([], os.listdir("."))

    def test_a_file_in_the_way_of_a_folder_is_named(self):
        with open("schemas", "w", encoding="utf-8"):
            pass

        status, stderr = self.refused()

        self.assertEqual((1, "bqsync-gen init: schemas: File exists\n"), (status, stderr))

    def test_a_path_is_written_as_a_env_file_reads_it(self):
        for name, written in (("app.db", "app.db"), ("my app.db", "'my app.db'"), ("o'b $x.db", '"o\'b \\$x.db"')):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                self.init(self.database(name))
                with open(".env.example", encoding="utf-8") as file:
                    self.assertIn("BQ_SQLITE_PATH=%s\n" % written, file.read())


if __name__ == "__main__":
    unittest.main()

"""The command line: what it prints, where, and how it ends."""

import base64
import ctypes
import json
import os
import pathlib
import re
import subprocess
import unittest

from tests.e2e import terminal
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ("sync", "serve", "check", "plan", "verify", "status", "tables", "ddl", "rejects", "reset", "capture",
            "version", "help")


class CommandLineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bq = cls.enterClassContext(Bqlocal(datasets=["d"]))

    def setUp(self):
        self.app = self.enterContext(Deployment(self.bq))

    def assert_ends(self, status, words, *arguments, **environment):
        ended, _, err = self.app.run(*arguments, **environment)
        self.assertEqual(status, ended, err)
        self.assertIn(words, err)

    def test_help_lists_every_command_and_setting_and_is_no_error(self):
        status, out, err = self.app.run("--help")

        self.assertEqual((0, ""), (status, err))
        for word in (*COMMANDS, "BQ_SQLITE_PATH", "7  another bqsync holds the lock"):
            self.assertIn(word, out)
        self.assertEqual((0, out, ""), self.app.run("help"))
        self.assertEqual((2, "", out), self.app.run())

    def test_the_settings_are_a_topic_of_their_own(self):
        status, out, err = self.app.run("help", "settings")

        self.assertEqual((0, ""), (status, err))
        for word in ("BQ_SQLITE_PATH, --sqlite-path FILE", "BQ_SYNC_INTERVAL", "(default 15m)"):
            self.assertIn(word, out)
        self.assert_ends(2, "unknown command snyc (did you mean sync?)", "help", "snyc")
        self.assert_ends(2, "one command", "help", "sync", "plan")

    def test_a_dash_in_front_of_a_key_is_told_from_an_option(self):
        self.assert_ends(2, "unknown option -1 (-- in front of a name or key that begins with a dash)",
                         "forget", "accounts", "-1")
        self.app.sync()
        status, out, err = self.app.run("forget", "accounts", "--", "-1")
        self.assertEqual(0, status, err)
        self.assertIn("accounts -1: nothing found", out)

    def test_empty_arguments_can_be_seen_in_messages(self):
        for words, arguments in (
                ("unknown table ''; bqsync tables lists them", ("sync", "")),
                ("unknown table ''; bqsync tables lists them", ("forget", "", "1")),
                ("unknown command ''; see bqsync help", ("",)),
                ("--env-file names no file: its value is empty", ("sync", "--env-file", "")),
                ("'' cannot be a key of accounts: ", ("forget", "accounts", ""))):
            with self.subTest(arguments=arguments):
                self.assert_ends(2, words, *arguments)

    def test_control_characters_of_arguments_do_not_reach_the_terminal(self):
        self.app.sync()
        for words, arguments in (
                ("unknown table \\u001b[31mred", ("sync", "\x1b[31mred")),
                ("unknown table \\u009b31mred", ("sync", "\x9b31mred")),
                ("unknown command \\u0007", ("\a",)),
                ("unknown option --\\u001b[2J", ("sync", "--\x1b[2J")),
                ('BQ_SYNC_INTERVAL: "\\u001b[2J" (from --sync-interval)', ("sync", "--sync-interval", "\x1b[2J")),
                ("settings \\u001b[2J: nothing found", ("forget", "settings", "\x1b[2J"))):
            with self.subTest(arguments=arguments):
                _, out, err = self.app.run(*arguments)
                self.assertIn(words, out + err)
                self.assertNotRegex(out + err, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_help_needs_no_settings(self):
        (self.app.folder / ".env").write_text("this is no setting\n")

        self.assertEqual(0, self.app.run("help", "sync")[0])
        self.assert_ends(3, ".env:1", "tables")

    def test_version_says_which_libraries_are_loaded(self):
        (self.app.folder / ".env").write_text("this is no setting\n")
        found = self.app.json("version")
        _, out, _ = self.app.run("version")

        version = found["version"]
        self.assertEqual(f"bqsync {version}\n", self.app.run("--version")[1])
        self.assertRegex(out, rf"^bqsync +{re.escape(version)}\n")
        # The same file as bqsync has loaded tells its version to others.
        if not found["sqlite"]["compiled_in"]:
            loaded = ctypes.CDLL("libsqlite3.so.0")
            loaded.sqlite3_sourceid.restype = ctypes.c_char_p
            self.assertEqual(loaded.sqlite3_sourceid().decode(), found["sqlite"]["source_id"])
        for text in (found["sqlite"]["version"], found["sqlite"]["source_id"], *found["libraries"].values()):
            self.assertIn(text, out)
        self.assert_ends(2, "takes no table", "version", "events")

    def test_every_command_has_help(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                status, out, _ = self.app.run(command, "--help")
                self.assertEqual(0, status)
                self.assertTrue(out.startswith(f"Usage: bqsync {command}"), out)
                self.assertIn(f"\n  bqsync {command}", out)
                self.assertLess(out.count("\n"), 40)
                self.assertEqual((0, out, ""), self.app.run("help", command))

    def test_the_reference_of_commands_is_what_the_program_prints(self):
        _, out, _ = self.app.run("--help=markdown")

        self.assertEqual(out, (ROOT / "docs" / "commands.md").read_text(),
                         "build/bqsync --help=markdown > docs/commands.md renews it")

    def test_completion_knows_the_words_of_a_command(self):
        _, script, _ = self.app.run("--help=bash")
        complete = """
            COMP_WORDS=(bqsync $1 "$2" "$3"); COMP_CWORD=$4; _bqsync; echo "${COMPREPLY[*]}"
        """
        for words, at, expected in ((("capture", "", ""), 2, "install remove show prune"),
                                    (("capture", "sh", ""), 2, "show"),
                                    (("ddl", "--format", ""), 3, "sql json merge"),
                                    (("help", "set", ""), 2, "settings"),
                                    (("sta", "", ""), 1, "status")):
            with self.subTest(words=words):
                ended = subprocess.run(["bash", "-c", script + complete, "bash", *words, str(at)],
                                       stdout=subprocess.PIPE, text=True, timeout=60, check=True)
                self.assertEqual(expected, ended.stdout.strip())

    def test_wrong_usage_is_status_2_and_says_what_was_meant(self):
        self.assert_ends(2, "unknown command snyc (did you mean sync?)", "snyc")
        self.assert_ends(2, "unknown option --fulll (did you mean --full?)", "sync", "--fulll")
        self.assert_ends(2, "unknown table acounts (did you mean accounts?)", "sync", "acounts")
        self.assert_ends(2, "--format needs a value", "ddl", "--format")
        self.assert_ends(2, "takes no --repair", "sync", "--repair")
        self.assert_ends(2, "names of the tables", "reset")
        self.assert_ends(2, "bqsync serve takes no table (accounts)", "serve", "accounts")

    def test_a_missing_setting_is_status_3_and_says_how_to_set_it(self):
        self.assert_ends(3, "BQ_PROJECT_NAME is not set", "sync", BQ_PROJECT_NAME="")
        self.assert_ends(3, "BQ_SQLITE_PATH is not set", "sync", BQ_SQLITE_PATH="")
        self.assert_ends(3, "BQ_PROJECT_NAME, BQ_SQLITE_PATH are not set", "sync", BQ_PROJECT_NAME="",
                         BQ_SQLITE_PATH="")

    def test_a_misspelt_setting_is_named_wherever_it_stands(self):
        for name, meant in (("BQ_SQLITE_PTH", "BQ_SQLITE_PATH"), ("BQ_PARALEL", "BQ_PARALLEL"),
                            ("BQ_DATASET", "BQ_DATASET_NAME")):
            with self.subTest(name):
                self.assert_ends(0, f"variable={name} at=environment did_you_mean={meant}", "tables", **{name: "x"})

    def test_all_wrong_settings_are_named_at_once(self):
        status, _, err = self.app.run("status", BQ_SYNC_INTERVAL="15x", BQ_PARALLEL="abc", BQ_DATSET_NAME="x",
                                      BQ_SYNC_TIMEZONE="Mars")

        self.assertEqual(3, status)
        lines = err.splitlines()
        self.assertIn("variable=BQ_DATSET_NAME at=environment did_you_mean=BQ_DATASET_NAME", lines[0])
        self.assertEqual("bqsync: 3 settings are wrong", lines[1])
        for line, name in zip(lines[2:], ("BQ_SYNC_INTERVAL", "BQ_SYNC_TIMEZONE", "BQ_PARALLEL"), strict=True):
            self.assertTrue(line.startswith(f"  {name}: "), line)

    def test_a_dsn_that_sentry_could_not_use_is_status_3(self):
        self.assert_ends(3, "SENTRY_DSN: the value (from environment) is not a Sentry DSN; expected "
                         "https://KEY@HOST/PROJECT", "status", SENTRY_DSN="garbage-of-a-dsn")

    def test_a_missing_dataset_is_status_3_with_the_remedy(self):
        self.assert_ends(3, "nowhere", "sync", BQ_DATASET_NAME="nowhere")

    def test_unreadable_credentials_are_status_4(self):
        self.assert_ends(4, "/nonexistent.json", "sync", BIGQUERY_EMULATOR_HOST="",
                         GOOGLE_APPLICATION_CREDENTIALS="/nonexistent.json")

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.app.run("sync")
        for arguments in (["sync", "--json"], ["status", "--json"], ["status"], ["tables"], ["plan", "--json"],
                          ["rejects"], ["check"], ["ddl"], ["verify", "--json"], ["capture", "show"], ["--help"],
                          ["--version"], ["sync", "--help"], ["--help=man"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                ended = subprocess.run([self.app.program, *arguments], cwd=self.app.folder, env=self.app.environment,
                                       stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(1, ended.returncode, ended.stderr)
                self.assertIn("bqsync: the output cannot be written: ", ended.stderr)
        ended = subprocess.run([self.app.program, "sync", "--quiet"], cwd=self.app.folder, env=self.app.environment,
                               preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(0, ended.returncode, ended.stderr)

    def test_a_reader_that_has_seen_enough_is_no_failure(self):
        self.app.run("sync")
        for arguments in (["check"], ["plan"], ["status"], ["tables", "--json"], ["ddl"], ["--help"]):
            with self.subTest(arguments=arguments):
                expected = self.app.run(*arguments)[0]
                read, write = os.pipe()
                os.close(read)
                ended = subprocess.run([self.app.program, *arguments], cwd=self.app.folder, env=self.app.environment,
                                       stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
                os.close(write)
                self.assertEqual((expected, ""), (ended.returncode, ended.stderr))

    def test_no_output_holds_a_secret_of_a_setting(self):
        key = json.dumps({"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nhunter22hunter22\n"})
        encoded = base64.b64encode(key.encode()).decode()
        url = "http://user:hunter22@127.0.0.1:1"
        google = {"BIGQUERY_EMULATOR_HOST": ""}
        for name, settings in (
                ("JSON", {**google, "GOOGLE_APPLICATION_CREDENTIALS": key}),
                ("cut JSON", {**google, "GOOGLE_APPLICATION_CREDENTIALS": key[:-20]}),
                ("base64", {**google, "GOOGLE_APPLICATION_CREDENTIALS": encoded}),
                ("damaged base64", {**google, "GOOGLE_APPLICATION_CREDENTIALS": encoded[:60] + "*" + encoded[60:]}),
                ("token", {**google, "GOOGLE_APPLICATION_CREDENTIALS": "ya29.hunter22"}),
                ("proxy", {"BIGQUERY_EMULATOR_HOST": "nowhere.invalid:1", "http_proxy": url}),
                ("unusable proxy", {"BIGQUERY_EMULATOR_HOST": "nowhere.invalid:1", "http_proxy": url + "#x"}),
                ("emulator", {"BIGQUERY_EMULATOR_HOST": url}),
                ("Bugsnag", {"BUGSNAG_ENDPOINT": url}),
                ("Sentry", {"SENTRY_DSN": "https://hunter22@127.0.0.1:1/1"}),
                ("Sentry without a project", {"SENTRY_DSN": "https://hunter22@127.0.0.1:1"})):
            for arguments in (["sync", "--json"], ["check"]):
                with self.subTest(name, arguments=arguments):
                    _, out, err = self.app.run(*arguments, BQ_RETRY_BUDGET="300ms", BQ_LOG_LEVEL="debug", **settings)
                    for secret in ("hunter22", "BEGIN", encoded[20:40]):
                        self.assertNotIn(secret, out + err)

    def test_nothing_listening_is_status_5_within_the_budget(self):
        self.assert_ends(5, "127.0.0.1:1", "sync", BIGQUERY_EMULATOR_HOST="127.0.0.1:1", BQ_RETRY_BUDGET="300ms")

    def test_a_database_that_is_missing_or_is_none_is_status_6(self):
        (self.app.folder / "text.db").write_text("not a database, but long enough to be looked at\n" * 50)

        self.assert_ends(6, "missing.db", "sync", BQ_SQLITE_PATH=str(self.app.folder / "missing.db"))
        self.assert_ends(6, "text.db", "sync", BQ_SQLITE_PATH=str(self.app.folder / "text.db"))
        self.assertFalse((self.app.folder / "missing.db").exists())

    def test_flags_win_over_the_environment(self):
        tables = self.app.json("sync", "--dataset-name", "d", BQ_DATASET_NAME="nowhere")["tables"]

        self.assertTrue(all(table["status"] == "synced" for table in tables))

    def test_json_is_exactly_one_document_on_stdout(self):
        for arguments in (["sync"], ["plan"], ["verify"], ["tables"], ["rejects"], ["check"], ["status"],
                          ["capture", "show"], ["version"]):
            with self.subTest(arguments=arguments):
                status, out, err = self.app.run(*arguments, "--json")
                self.assertEqual(0, status, err)
                json.loads(out)

    def test_wrong_usage_with_json_is_a_document_too(self):
        for arguments, words in ((["sync", "--json", "--bogus"], "unknown option --bogus"),
                                 (["sync", "--bogus", "--json"], "unknown option --bogus"),
                                 (["snyc", "--json"], "unknown command snyc"),
                                 (["sync", "--json", "--full=1"], "--full takes no value")):
            with self.subTest(arguments=arguments):
                status, out, err = self.app.run(*arguments)
                self.assertEqual(2, status)
                self.assertEqual("usage", json.loads(out)["error"]["code"])
                self.assertIn(words, json.loads(out)["error"]["message"])
                self.assertIn(words, err)
        self.assertEqual("", self.app.run("sync", "--bogus", "--", "--json")[1])

    def test_the_state_that_is_asked_for_is_the_one_that_is_shown(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        missing = str(self.app.folder / "missing.db")

        status = self.app.json("status", "--state-path", missing)
        ended, _, err = self.app.run("status", "--state-path", str(self.app.folder / "nowhere" / "state.db"))

        self.assertIsNone(status["last_run"])
        self.assertIsNone(self.app.table(status, "accounts")["last_synced_at"])
        self.assertFalse(os.path.exists(missing))
        self.assertEqual(6, ended, err)

    def test_ddl_prints_sql_schemas_and_merges(self):
        _, sql, _ = self.app.run("ddl", "accounts")
        _, schema, _ = self.app.run("ddl", "accounts", "--format", "json")
        _, schemas, _ = self.app.run("ddl", "accounts", "events", "--format", "json")
        _, merge, _ = self.app.run("ddl", "accounts", "--format", "merge")

        self.assertIn("create table if not exists `p`.`d`.`accounts`", sql)
        self.assertEqual("id", json.loads(schema)[0]["name"])
        self.assertEqual({"accounts", "events"}, set(json.loads(schemas)))
        self.assertIn("when matched and s.`_bqsync_deleted` then", merge)
        self.assertEqual([1, 2], [text.rstrip().count(";\n") + 1 for text in (sql, merge)])

    def test_a_dry_run_writes_nothing_anywhere(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        before = self.app.execute("select name, sql from sqlite_master")
        self.bq.clear_requests()

        run = self.app.sync("--dry-run")
        _, out, _ = self.app.run("sync", "--dry-run")

        self.assertEqual(1, self.app.table(run, "accounts")["rows_inserted"])
        self.assertRegex(out, r"\naccounts +to sync +replace +1 ")
        self.assertRegex(out, r"\ndry run ok in \d+\.\d s: nothing was written to BigQuery or SQLite\n$")
        self.assertNotIn("synced", out)
        self.assertNotRegex(out, r"\nrun ")
        self.assertEqual(before, self.app.execute("select name, sql from sqlite_master"))
        self.assertEqual({"GET"}, {request["method"] for request in self.bq.requests()})

    def test_a_dry_run_before_the_first_sync_makes_no_state_database(self):
        app = self.enterContext(Deployment(self.bq, state="state.db"))
        app.execute("insert into accounts values (1, 'a@x', 1, null)")

        run = app.sync("--dry-run")
        plan = app.json("plan")
        elsewhere = app.run("sync", "--dry-run", BQ_STATE_PATH=str(app.folder / "none" / "state.db"))

        self.assertEqual(1, app.table(run, "accounts")["rows_inserted"])
        self.assertEqual(1, app.table(plan, "accounts")["insert"])
        self.assertEqual([], [file.name for file in app.folder.iterdir() if not file.name.startswith("app.db")])
        self.assertEqual(6, elsewhere[0])
        self.assertIn("none/state.db", elsewhere[1] + elsewhere[2])

    def test_a_terminal_sees_progress_and_a_table_at_the_end(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")

        status, seen = terminal.run(self.app, 24, 80, "sync")

        self.assertEqual(0, status)
        self.assertRegex(seen, r"accounts +synced .* replace ")
        self.assertNotIn("pass done", seen)

    def test_tables_without_changes_are_counted(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.assertTrue(self.app.run("sync")[1].startswith("No changes.\n"))
        self.assertEqual("No changes.", self.app.run("plan")[1].splitlines()[-1])
        with_bill = self.app.run("plan", BQ_MAX_BYTES_BILLED_PER_DAY="1G")[1].splitlines()
        self.assertRegex(with_bill[-2], "^billed ")
        self.assertEqual("No changes.", with_bill[-1])
        self.app.execute("update accounts set note = 'x'")
        unchanged = len(self.app.json("tables")["tables"]) - 1

        _, plan, _ = self.app.run("plan")
        named = self.app.run("plan", "events")[1]
        _, out, _ = self.app.run("sync")

        self.assertIn(f"\n  {unchanged} tables unchanged\n", plan)
        self.assertEqual("1 table changes: 1 to update; about 0.0 MiB billed, and what 1 more table bills is not known yet",
                         plan.splitlines()[-1])
        self.assertRegex(named, r"\n  events +append ")
        self.assertRegex(out, rf"\naccounts +synced +merge +0 +1 +0 .*\n{unchanged} unchanged\n")

    def test_a_plan_reads_like_a_diff(self):
        app = self.enterContext(Deployment(self.enterContext(Bqlocal(datasets=["d"]))))
        app.execute("insert into accounts values (1, 'a@x', 1, null)")
        app.execute("alter table devices rename column reading to measured")

        status, out, _ = app.run("plan")

        self.assertEqual(1, status)
        self.assertRegex(out, r"\n\+ accounts +replace +1 +0 +0 .* never synced\n    create table if not exists ")
        self.assertRegex(out, r"\n! devices +- ")
        self.assertIn('add "source": "measured" to it\n', out)
        self.assertIn("\n1 table cannot be synced\n", out)
        self.assertRegex(out, r"\n\d+ tables change: 1 to insert; \d+ CREATE TABLE; about 0\.0 MiB billed\n")

    def test_a_plan_after_a_reset_says_so(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.app.run("reset", "accounts")

        self.assertIn("it was reset", self.app.table(self.app.json("plan"), "accounts")["why"])

    def test_a_plan_counts_on_a_dataset_that_the_sync_creates(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        created = {"BQ_DATASET_NAME": "planned", "BQ_CREATE_DATASET": "1"}

        plan = self.app.json("plan", **created)
        dry = self.app.json("sync", "--dry-run", **created)
        checks = {check["name"]: check for check in self.app.json("check", **created)["checks"]}
        refused, _, err = self.app.run("plan", BQ_DATASET_NAME="planned")

        self.assertTrue(plan["creates_dataset"])
        self.assertIn("create table", self.app.table(plan, "accounts")["ddl"][0])
        self.assertIn("The dataset p:planned is created first.\n", self.app.run("plan", **created)[1])
        self.assertEqual(1, self.app.table(dry, "accounts")["rows_inserted"])
        self.assertEqual("ok", checks["dataset"]["status"])
        self.assertNotIn("create it", checks["dataset"]["message"])
        self.assertEqual(3, refused, err)

    def test_a_second_bqsync_is_refused_and_told_who_works(self):
        with Bqlocal(datasets=["d"], latency="2s") as slow, Deployment(slow) as app:
            app.execute("insert into accounts values (1, 'a@x', 1, null)")
            first = app.start("sync")
            try:
                while not any(request["method"] == "POST" for request in slow.requests()):
                    self.assertIsNone(first.poll())
                status, _, err = app.run("sync")
            finally:
                out, first_err = first.communicate()

            self.assertEqual(7, status, err)
            self.assertIn(str(first.pid), err)
            self.assertEqual(0, first.returncode, first_err)


if __name__ == "__main__":
    unittest.main()

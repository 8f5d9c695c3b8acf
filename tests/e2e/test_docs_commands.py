"""Every command of the documentation is run, as it is written, by somebody who has the installed package and a database.

Each page has a folder of its own, with a repository as `bqsync-gen init` makes it and a bqlocal. What cannot be run
here stands in NOT_RUN, with the reason; a command that is neither run nor listed fails.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from tests.consumer.installed import Installed, checked, clean_environment
from tests.e2e import docs_commands
from tests.e2e.docs_commands import Command
from tests.e2e.docs_contents import ROOT
from tests.support import foreign
from tests.support.bqlocal import Bqlocal

# By the first word.
NOT_RUN = {
    "gcloud": "needs Google", "bq": "needs Google", "terraform": "needs Google",
    "systemctl": "needs systemd", "journalctl": "needs systemd",
    "dpkg": "needs root", "apt": "needs root", "apt-get": "needs root", "brew": "needs macOS",
    "docker": "needs docker", "ssh": "needs another machine",
    "dev": "builds the tree that this test is a part of; its own test is CI",
    "ctest": "runs tests; that there are any of these is checked",
    "build/unit_base_test_config": "is a test",
}
# Modules of Python that are tests of hours, or need a file of the reader's.
TESTS_OF_PYTHON = ("tests.fault.", "tests.databases.", "tests.bench.", "unittest")
# Commands whose exit status is not 0, and why.
STATUS = {
    # Nothing has synced that database.
    "python3 -m tests.support.mirror --sqlite app.db --endpoint URL --project P --dataset D TABLE": 1,
}
# Pages that begin in an empty folder, with nothing but a database.
FROM_NOTHING = ("README.md", "quickstart.md", "installing.md")
# Pages that say themselves what the settings are.
WITH_SETTINGS = ("quickstart.md",)
# Pages whose reader has a running service.
SERVED = ("operations.md",)
SECONDS = 300

DATABASE = """
pragma journal_mode = wal;
create table users(id integer primary key, email text not null, created_at text not null);
insert into users values (1, 'ada@example.org', '2026-01-02T03:04:05Z'), (2, 'bob@example.org', '2026-02-03T04:05:06Z');
create table chat_history(id integer primary key, user_id integer not null, text text not null);
insert into chat_history values (1, 1, 'hello'), (2, 2, 'hi');
create table orders(id integer primary key, user_id integer not null, total numeric not null, placed_at text);
insert into orders values (1, 1, 9.5, '2026-03-04T05:06:07Z');
create table order_lines(order_id integer not null, code text not null, pieces integer, primary key (order_id, code));
insert into order_lines values (1, 'a', 2);
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sandbox:
    """A folder in which the commands of one page are typed."""

    def __init__(self, test, page):
        self._test = test
        self._page = page
        folder = tempfile.TemporaryDirectory(prefix="bqsync-docs-")
        test.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self._bq = test.enterContext(Bqlocal(datasets=["d", "learning"]))
        self._ports = {"8001": free_port(), "9050": free_port()}
        if page in FROM_NOTHING:
            for name in ("app.db", "app.c"):
                shutil.copy(test.template / name, self.folder)
        else:
            shutil.copytree(test.template, self.folder, dirs_exist_ok=True, symlinks=True)
        settings = {} if page in WITH_SETTINGS else {
            "BIGQUERY_EMULATOR_HOST": self._bq.host, "BQ_PROJECT_NAME": "p", "BQ_DATASET_NAME": "d",
            "BQ_SQLITE_PATH": "app.db"}
        self._environment = clean_environment(
            **settings, BQ_ADMIN_LISTEN=f"127.0.0.1:{self._ports['8001']}", PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1",
            PKG_CONFIG_PATH=str(test.installed.prefix / "lib/pkgconfig"), GITHUB_STEP_SUMMARY="summary.md",
            BQ_SYNC_INTERVAL="8784h", BQ_SYNC_DAILY_AT="off",
            PATH=f"{test.template}:{test.installed.prefix / 'bin'}:{os.environ['PATH']}")
        if page not in FROM_NOTHING:
            checked("bqsync", "sync", cwd=self.folder, env=self._environment)
        if page in SERVED:
            self._start("bqsync serve", f"http://127.0.0.1:{self._ports['8001']}/healthz")

    def _here(self, text):
        """The command with what stands for the reader's own names filled in."""
        for written, port in self._ports.items():
            text = text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{port}")
        for name, value in (("/var/lib/app/app.db", "app.db"), ("URL", self._bq.url), ("TABLE", "users"), ("KEY", "5"),
                            ("DATABASE", "app.db"), ("TOOL", "dbt"), ("DIR", "elsewhere"), ("BASE", "main"),
                            ("schemas A", "schemas schemas"), ("output B", "output elsewhere"),
                            ("--project P", "--project p"), ("--dataset D", "--dataset d"), ("origin/main", "main"),
                            ("curl -s ", "curl -sSf ")):
            text = re.sub(rf"(?<![\w/]){re.escape(name)}(?!\w)", value, text)
        return text

    def _start(self, text, url):
        """A program that goes on, once it answers."""
        log = open(self.folder / "background.log", "ab")
        self._test.addCleanup(log.close)
        process = subprocess.Popen(["sh", "-c", "exec " + text], cwd=self.folder, env=self._environment,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._test.addCleanup(process.wait, SECONDS)
        self._test.addCleanup(process.send_signal, signal.SIGTERM)
        end = time.monotonic() + SECONDS
        while True:
            try:
                return urllib.request.urlopen(url, timeout=SECONDS).close()
            except urllib.error.HTTPError:
                return None
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{text}: {(self.folder / 'background.log').read_text()}")
            time.sleep(0.05)

    def _idle(self):
        """Until no pass and no verification of the service runs."""
        for route in ("sync/status", "verify"):
            url = f"http://127.0.0.1:{self._ports['8001']}/admin/bigquery/{route}"
            while True:
                with urllib.request.urlopen(url, timeout=SECONDS) as answer:
                    if b'"running":null' in answer.read().replace(b" ", b""):
                        break
                time.sleep(0.05)

    def type(self, command, statuses):
        """Runs a command in the shell."""
        text = self._here(command.text)
        words = [word for word in text.split() if not re.match(r"\w+=", word)]
        if command.program == "bqlocal":
            listen = f"127.0.0.1:{self._ports['9050']}"
            return self._start(f"{text.split('#')[0]} --listen {listen}", f"http://{listen}/")
        if command.program == "bqsync" and words[1] == "serve":
            return self._start(text, f"http://127.0.0.1:{self._ports['8001']}/healthz")
        ended = subprocess.run(["bash", "-c", text], cwd=self.folder, env=self._environment, text=True,
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
        self._test.assertIn(ended.returncode, statuses, f"{command}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
        if command.program == "curl" and "-X POST" in text:
            self._idle()
        return ended


class CommandsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installed = Installed()
        cls.addClassCleanup(cls.installed.close)
        cls.template = cls.installed.folder / "repository"
        cls.template.mkdir()
        db = sqlite3.connect(cls.template / "app.db")
        db.executescript(DATABASE)
        db.close()
        # For the program of docs/example.c.
        shutil.copy(ROOT / "docs/example.c", cls.template / "app.c")
        environment = clean_environment()
        checked(cls.installed.generator, "init", "app.db", cwd=cls.template, env=environment)
        checked(cls.installed.generator, "build", cwd=cls.template, env=environment)
        for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "first")):
            checked("git", "-c", "user.name=w", "-c", "user.email=w@example.org", *words, cwd=cls.template)

    def not_run(self, command):
        """The reason why a command is not run; what can be known of it without running it is checked."""
        words = command.text.split("#")[0].split()
        if command.program == "dev":
            usage = checked(ROOT / "dev", "help")
            self.assertRegex(usage, rf"(?m)^  {words[words.index('./dev') + 1]}\b", str(command))
        if command.program == "ctest":
            at = words.index("ctest")
            # In a folder of its own: ctest writes a log where it runs, even if it only lists.
            with tempfile.TemporaryDirectory() as folder:
                pathlib.Path(folder, "CTestTestfile.cmake").write_text(f'subdirs("{foreign.BUILD}")\n')
                listed = checked("ctest", *[folder if word == "build" else word for word in words[at + 1:]], "-N")
            self.assertNotIn("Total Tests: 0", listed, str(command))
        if command.program == "python3" and any(name in command.text for name in TESTS_OF_PYTHON):
            for name in re.findall(r"\btests[./][\w./]+", command.text):
                path = ROOT / (name if name.endswith(".py") else name.replace(".", "/") + ".py")
                self.assertTrue(path.exists(), str(command))
            return "is a test of its own"
        if command.program == "":
            return "sets variables for the lines below" if "=" in command.text else None
        return NOT_RUN.get(command.program, NOT_RUN.get(words[0]))

    def test_each_command_of_a_page_does_what_the_page_says(self):
        sandboxes = {}
        for command in docs_commands.typed():
            with self.subTest(command=str(command)):
                if self.not_run(command) is not None:
                    continue
                if command.page not in sandboxes:
                    sandboxes[command.page] = Sandbox(self, command.page)
                sandboxes[command.page].type(command, [STATUS.get(command.text, 0)])

    def test_each_command_in_a_sentence_or_table_is_one_that_exists(self):
        sandbox = Sandbox(self, "sentences")
        for command in docs_commands.mentioned():
            for text in spelled_out(command.text):
                with self.subTest(command=str(command)):
                    if "serve" in text.split():
                        text = re.sub(r"serve.*", "help serve", text)
                    # Whether there is something to report depends on what was typed before; and a sentence may name
                    # a command without its arguments.
                    named = len(text.split()) == 2
                    ended = sandbox.type(Command(command.page, command.line, text), [0, 1, 2] if named else [0, 1])
                    self.assertNotIn("unknown", ended.stderr)

    def test_blocks_of_shell_are_marked_so(self):
        self.assertEqual([], list(docs_commands.untagged()))

    def test_lists_of_settings_are_read_without_a_complaint(self):
        sandbox = Sandbox(self, "settings")
        for page, line, text in docs_commands.blocks("dotenv"):
            with self.subTest(page=page, line=line):
                (sandbox.folder / "settings.env").write_text(text)
                ended = sandbox.type(Command(page, line, "bqsync tables --env-file settings.env"), [0])
                self.assertEqual("", ended.stderr)


def spelled_out(text):
    """The commands that a line of a synopsis stands for."""
    if re.search(r"\bCOMMAND\b|…|\.\.\.", re.sub(r"\[.*?\]", "", text)):
        return []
    text = re.sub(r"\s*\[TABLE\.\.\.\]|\.\.\.", "", text)
    if optional := re.search(r"\s+\[([^\]]*)\]", text):  # a JSON array has a quote before it
        plain = text.replace(optional[0], "")
        words = [word for word in optional[1].split("|") if word not in ("COMMAND", "DATABASE")]
        return [plain, *[text.replace(optional[0], " " + word) for word in words]]
    if choice := re.search(r"(\S+)\|(\S+)", text):
        return [text.replace(choice[0], word) for word in choice[0].split("|")]
    return [text]


if __name__ == "__main__":
    unittest.main()

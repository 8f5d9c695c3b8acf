"""Four people, who walk through the product as they would: with the installed package, and in a fresh clone.

The backend engineer has a database; the reviewer has a pull request that changes a definition; the operator is called
at 3 a.m.; the analyst queries the mirror. Each takes wrong turns, too. The transcripts are in build/walks.
"""

import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

from tests.consumer.installed import Installed, checked, clean_environment
from tests.e2e.dashboard import STATE, BrowserTest
from tests.e2e.test_docs_commands import free_port
from tests.e2e.walking import WALKS, Walk
from tests.support import printed, sampling
from tests.support.bqlocal import Client
from tests.support.foreign import SOURCE

DATABASE = """
pragma journal_mode = wal;
create table users(id integer primary key, email text not null, password_hash text, created_at text not null);
insert into users values (1, 'ada@example.org', '$2b$12$abcdefghijklmnopqrstuv', '2026-01-02T03:04:05Z'),
  (2, 'bob@example.org', null, '2026-02-03T04:05:06Z');
create table orders(id integer primary key, user_id integer not null, total numeric not null, placed_at text);
insert into orders values (1, 1, 9.5, '2026-03-04T05:06:07Z'), (2, 2, 20, null);
"""


def git(folder, *words):
    return checked("git", "-c", "user.name=w", "-c", "user.email=w@example.org", *words, cwd=folder)


class Walks:
    """The walks; a subclass says how the person got bqsync."""

    def setUp(self):
        self.folder = self.new_folder()
        db = sqlite3.connect(self.folder / "app.db")
        db.executescript(DATABASE)
        db.close()
        self.port = free_port()
        self.environment = clean_environment(
            PATH=f"{self.programs}:{os.environ['PATH']}", PYTHONDONTWRITEBYTECODE="1",
            CLOUDSDK_CONFIG=str(self.folder / "no-gcloud"), NO_GCE_CHECK="true")

    def walk(self, person):
        return Walk(self, f"{person}-{self.how}", self.folder, self.environment)

    def application(self, statement):
        db = sqlite3.connect(self.folder / "app.db", isolation_level=None)
        db.execute(statement)
        db.close()

    def bqlocal(self, walk, *datasets):
        options = "".join(f" --dataset {dataset}" for dataset in datasets)
        self.local_terminal = walk.start(
            f"{self.local} --listen 127.0.0.1:{self.port} --project p{options} --data bigquery.db", "http://")

    def settings(self, **more):
        values = {"BIGQUERY_EMULATOR_HOST": f"127.0.0.1:{self.port}", "BQ_PROJECT_NAME": "p", "BQ_DATASET_NAME": "d",
                  "BQ_SQLITE_PATH": "app.db", **more}
        return "".join(f"{name}={value}\n" for name, value in values.items() if value is not None)

    def mirrored(self, walk):
        """What others have set up before this person comes."""
        definitions = self.define(walk)
        walk.type(self.build)
        walk.write(".env", self.settings())
        self.bqlocal(walk, "d")
        walk.type(f"{self.bqsync} sync")
        return definitions

    def edit(self, walk, path, old, new):
        text = path.read_text()
        self.assertIn(old, text)
        walk.write(path.relative_to(self.folder), text.replace(old, new))

    def serve(self, walk, **environment):
        port = free_port()
        service = walk.start(f"{self.bqsync} serve", "admin api listening", BQ_ADMIN_LISTEN=f"127.0.0.1:{port}",
                             BQ_SYNC_DAILY_AT="off", **environment)
        return service, f"http://127.0.0.1:{port}/"

    # The backend engineer

    def test_engineer(self):
        walk = self.walk("engineer")
        walk.note("I have app.db and want it in BigQuery.")
        self.assertIn("ap.db: cannot be read", walk.type(self.infer.replace("app.db", "ap.db"), status=2).text)
        seen = walk.type(self.infer)
        self.assertIn("password_hash: left out", seen.text)
        self.assertIn("email: hashed", seen.text)

        walk.note("I name a key column that does not exist, and a type.")
        definition = self.folder / self.schemas / "orders.json"
        right = definition.read_text()
        walk.write(definition.relative_to(self.folder),
                   right.replace('"key": ["id"]', '"key": ["idd"]').replace('"type": "NUMERIC"', '"type": "DECIMAL"'))
        seen = walk.type(self.build, status=self.wrong_definition)
        self.assertRegex(seen.text, r'schemas/orders\.json:\d+: columns\[2\]\.type: unknown type "DECIMAL"')
        walk.write(definition.relative_to(self.folder), right)
        seen = walk.type(self.build)
        self.assertIn("built", seen.text)

        walk.note("I forget the settings, then misspell one.")
        seen = walk.type(f"{self.bqsync} sync", status=3)
        for name in ("BQ_PROJECT_NAME", "BQ_DATASET_NAME", "BQ_SQLITE_PATH"):
            self.assertIn(name, seen.text)
        walk.write(".env", self.settings(BQ_DATASET_NAME=None, BQ_DATASET="d"))
        seen = walk.type(f"{self.bqsync} check", status=1)
        self.assertRegex(seen.text, r"BQ_DATASET\b.*did_you_mean=BQ_DATASET_NAME")
        self.assertIn("FAIL  configuration: BQ_DATASET_NAME is not set", seen.text)

        walk.note("bqlocal does not run yet.")
        walk.write(".env", self.settings(BQ_RETRY_BUDGET="1s"))
        seen = walk.type(f"{self.bqsync} sync", status=5)
        self.assertIn("does bqlocal run at the address in BIGQUERY_EMULATOR_HOST?", seen.text)
        walk.note("It runs, and has no dataset.")
        self.bqlocal(walk)
        walk.write(".env", self.settings())
        seen = walk.type(f"{self.bqsync} check", status=1)
        self.assertIn("FAIL  dataset: dataset p:d does not exist; create it (bq mk --dataset p:d)"
                      ", or let the next sync create it (BQ_CREATE_DATASET=1)", seen.text)
        walk.type(f"{self.bqsync} sync", status=3)
        walk.write(".env", self.settings(BQ_CREATE_DATASET=1))
        seen = walk.type(f"{self.bqsync} check")
        self.assertNotIn("FAIL", seen.text)
        self.assertTrue(seen.coloured)
        self.assertIn("2 tables change: 4 to insert; 2 CREATE TABLE", walk.type(f"{self.bqsync} plan").text)
        seen = walk.type(f"{self.bqsync} sync")
        self.assertRegex(seen.text, r"orders +synced")
        self.assertNotIn("level=", seen.text)
        self.assertIn("BigQuery equals SQLite", walk.type(f"{self.bqsync} verify").text)
        self.assertTrue(walk.type(f"{self.bqsync} sync").text.startswith("No changes."))

        walk.note("I sync one table, and misspell it.")
        self.assertIn("unknown table usres (did you mean users?)", walk.type(f"{self.bqsync} sync usres", status=2).text)
        self.assertIn("did you mean verify?", walk.type(f"{self.bqsync} verfy", status=2).text)

        walk.note("The application writes a total that is no number.")
        self.application("insert into orders values (3, 1, 'a lot', null)")
        self.application("update orders set total = 10 where id = 1")
        seen = walk.type(f"{self.bqsync} sync", status=1)
        self.assertIn("bqsync rejects", seen.text)
        self.assertRegex(walk.type(f"{self.bqsync} rejects").text, r"orders\.total .*3")
        self.application("update orders set total = 100 where id = 3")
        walk.type(f"{self.bqsync} sync")

        walk.note("The database of another program, and a key file that is none.")
        self.assertIn("nowhere.db", walk.type(f"{self.bqsync} check --sqlite-path nowhere.db", status=1).text)
        walk.write("key.json", "{\"type\": \"service_account\"")
        walk.write(".env", self.settings(BIGQUERY_EMULATOR_HOST=None, GOOGLE_APPLICATION_CREDENTIALS="key.json"))
        seen = walk.type(f"{self.bqsync} check", status=1)
        self.assertRegex(seen.text, r"FAIL  credentials: .*key\.json.* is not JSON")
        walk.type(f"{self.bqsync} sync", status=4)
        walk.write(".env", self.settings())

        walk.note("I leave it running and look at the dashboard.")
        service, url = self.serve(walk)
        page = self.browser.open(url)
        page.wait(f"{STATE} === 'In sync'")
        self.assertIn("orders", walk.look(page, "the dashboard"))
        seen = walk.stop(service)
        self.assertEqual(0, seen.status)

    # The reviewer

    def test_reviewer(self):
        walk = self.walk("reviewer")
        definitions = self.mirrored(walk)
        shutil.rmtree(self.folder / ".git", ignore_errors=True)
        git(self.folder, "init", "-q", "-b", "main")
        git(self.folder, "add", "-f", self.schemas)
        git(self.folder, "commit", "-q", "-m", "tables")
        walk.note("A pull request adds a column and changes a type.")
        self.application("alter table users add column phone text")
        git(self.folder, "checkout", "-q", "-b", "change")
        users = definitions / "users.json"
        self.edit(walk, users, '    { "name": "created_at"', '    { "name": "phone", "type": "STRING", "transform": '
                  '"sha256" },\n    { "name": "created_at"')
        orders = definitions / "orders.json"
        self.edit(walk, orders, '"name": "user_id", "type": "INT64"', '"name": "user_id", "type": "STRING"')

        walk.note("What will it do in BigQuery? I misspell the branch.")
        self.assertIn("mian", walk.type(self.explain.format("mian"), status=(1, 2)).text)
        seen = walk.type(self.explain.format("main"))
        self.assertRegex(seen.text, r"(?s)orders.*refused.*users")
        walk.type(self.explain.format("main") + " --check", status=1)

        walk.note("The type has to stay. What does the other half look like in the generated files?")
        self.edit(walk, orders, '"name": "user_id", "type": "STRING"', '"name": "user_id", "type": "INT64"')
        seen = walk.type(self.explain.format("main") + " --check")
        self.assertIn("phone", seen.text)
        self.assertIn("phone", walk.type(self.check_generated, status=1).text)
        walk.type(self.build)
        walk.type(self.check_generated)
        self.assertIn("`phone` string", walk.type(f"{self.bqsync} ddl users").text)
        walk.type(f"{self.bqsync} ddl users --format merge")
        self.assertIn("mrege", walk.type(f"{self.bqsync} ddl users --format mrege", status=2).text)

        walk.note("And against the real tables?")
        seen = walk.type(f"{self.bqsync} plan")
        self.assertRegex(seen.text, r"(?s)users.*alter table.*add column.*phone")
        self.assertTrue(seen.coloured)
        walk.note("It is merged.")
        walk.type(f"{self.bqsync} sync")
        walk.type(f"{self.bqsync} verify")

    # The operator

    def test_operator(self):
        walk = self.walk("operator")
        self.mirrored(walk)
        token = "operators-token-3am"
        printed.secret("BQ_ADMIN_TOKEN", token)
        walk.note("The service runs beside the application, with a token.")
        # Long enough to look at the page while it lasts.
        service, url = self.serve(walk, BQ_ADMIN_TOKEN=token, BQ_RETRY_BUDGET="15s")
        page = self.browser.open(url)
        page.wait("document.querySelector('#token').open")
        walk.look(page, "the dashboard asks for the token; I type a wrong one")
        page.click("#token-value")
        page.type("no-such-token")
        page.press("Enter")
        page.wait("document.querySelector('#token-error').textContent !== ''")
        walk.look(page, "after the wrong token")
        page.run("document.querySelector('#token-value').value = ''")
        page.click("#token-value")
        page.type(token)
        page.press("Enter")
        page.wait(f"{STATE} === 'In sync'")

        walk.note("3 a.m.: BigQuery does not answer, and the application goes on.")
        self.bigquery_goes(walk)
        self.application("update orders set total = 11 where id = 1")
        seen = walk.type(f"curl -s -X POST {url}admin/bigquery/sync/incremental")
        self.assertIn("token", seen.text)
        walk.type(f"curl -s -X POST -H 'Authorization: Bearer {token}' {url}admin/bigquery/sync/incremental")
        page.wait(f"/^Outage/.test({STATE})")
        self.assertIn("retrying", walk.look(page, "the outage"))
        seen = self.until(walk, f"{self.bqsync} status --why", "unreachable")
        self.assertNotIn("permission", seen.text)
        seen = walk.type(f"{self.bqsync} status")
        self.assertIn("failed", seen.text)
        walk.type(f"{self.bqsync} check --retry-budget 1s", status=1)
        walk.note("It is back; I do not wait for the next try.")
        self.bqlocal(walk, "d")
        walk.type(f"curl -s -X POST -H 'Authorization: Bearer {token}' {url}admin/bigquery/sync/incremental")
        page.wait(f"{STATE} === 'In sync'")
        walk.look(page, "afterwards")
        walk.type(f"{self.bqsync} status --why")
        self.assertEqual(0, walk.stop(service).status)

        walk.note("Next night: a migration holds the database.")
        db = sqlite3.connect(self.folder / "app.db", isolation_level=None)
        db.execute("begin immediate")
        db.execute("update orders set total = 12 where id = 1")
        seen = walk.type(f"{self.bqsync} sync --full orders", status=6)
        self.assertRegex(seen.text, "lock|busy")
        db.execute("commit")
        db.close()
        walk.type(f"{self.bqsync} sync")

        walk.note("Somebody has dropped a column that is listed, and a row in BigQuery is gone.")
        self.application("alter table orders drop column placed_at")
        seen = walk.type(f"{self.bqsync} sync", status=1)
        self.assertIn("placed_at", seen.text)
        self.assertIn("placed_at", walk.type(f"{self.bqsync} status --why").text)
        self.application("alter table orders add column placed_at text")
        walk.type(f"{self.bqsync} sync")
        self.query("delete from d.users where id = 2")
        seen = walk.type(f"{self.bqsync} verify", status=1)
        self.assertIn("users", seen.text)
        seen = walk.type(f"{self.bqsync} verify --repair users")
        self.assertRegex(seen.text, r"(?s)users +DIFFERENT .*synced again.*users +equal ")
        self.assertNotIn("info", seen.text)
        self.assertIn("BigQuery equals SQLite", walk.type(f"{self.bqsync} verify").text)

    def bigquery_goes(self, walk):
        walk.note("(bqlocal stops)")
        walk.stop(self.local_terminal)

    def until(self, walk, command, text):
        """The first answer of a command that holds a text; the ones before are not worth reading."""
        end = time.monotonic() + 120
        while text not in subprocess.run(["sh", "-c", command], cwd=self.folder, env=self.environment,
                                         capture_output=True, text=True).stdout:
            self.assertLess(time.monotonic(), end, command)
            time.sleep(0.1)
        return walk.type(command)

    def query(self, sql):
        return Client("p", f"http://127.0.0.1:{self.port}").query(sql)

    # The analyst

    def test_analyst(self):
        walk = self.walk("analyst")
        if self.demo is not None:
            walk.note("The README says that this shows everything.")
            seen = walk.type(self.demo)
            self.assertIn("outside check:    22 of 22 tables equal", seen.text)
            self.assertIn("with ./dev demo --keep", seen.text)
            self.assertIn("Nothing is left running.", seen.text)
        self.mirrored(walk)
        walk.note("Where are the tables?")
        page = self.browser.open(f"http://127.0.0.1:{self.port}/")
        page.wait("document.querySelector('h1')")
        self.assertIn("orders", walk.look(page, "bqlocal"))
        page = self.browser.open(f"http://127.0.0.1:{self.port}/bqlocal/tables/d/orders")
        page.wait("document.querySelector('textarea')")
        self.assertIn("9.5", walk.look(page, "the table orders"))
        for what, sql, expected in (
                ("a misspelt table", "select * from d.oders", "oders"),
                ("a misspelt column", "select totl from d.orders", "totl"),
                ("no SELECT", "delete from d.orders where true", "SELECT"),
                ("what I wanted", "select user_id, sum(total) as total from d.orders group by user_id order by 1", "9.5")):
            page.run("document.querySelector('textarea').value = ''")
            page.click("textarea")
            page.type(sql)
            page.run("window.asked = true; document.querySelector('form').requestSubmit()")
            page.wait(f"!window.asked && document.body?.innerText.includes({json.dumps(expected)})")
            walk.look(page, f"a query: {what}: {sql}")

        walk.note("How old is it, and which columns are what?")
        self.assertRegex(walk.type(f"{self.bqsync} status orders").text, r"orders +upsert")
        self.assertIn("did you mean orders?", walk.type(f"{self.bqsync} status oders", status=2).text)
        self.assertRegex(walk.type(f"{self.bqsync} tables").text, r"orders")
        self.assertIn("- name: bqsync", walk.type(self.emit.format("dbt")).text)
        self.assertIn("dtb", walk.type(self.emit.format("dtb"), status=2).text)
        walk.note("Is it what the application has?")
        self.application("delete from orders where id = 2")
        seen = walk.type(f"{self.bqsync} verify orders", status=(0, 1))
        self.assertIn("pending", seen.text)
        walk.type(f"{self.bqsync} sync")
        self.assertEqual([1], [row["id"] for row in self.query("select id from d.orders")])


class InstalledWalks(Walks, BrowserTest):
    how = "installed"
    infer = "bqsync-gen init app.db"
    build = "bqsync-gen build"
    wrong_definition = 3
    explain = "bqsync-gen explain {}"
    emit = "bqsync-gen emit {}"
    check_generated = "bqsync-gen generate --check"
    bqsync = "./bqsync"
    local = "bqlocal"
    schemas = "schemas"
    demo = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.installed = Installed()
        cls.addClassCleanup(cls.installed.close)
        cls.programs = cls.installed.prefix / "bin"

    def new_folder(self):
        folder = tempfile.TemporaryDirectory(prefix="bqsync-walk-")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def define(self, walk):
        walk.type(self.infer)
        return self.folder / self.schemas


class CloneWalks(Walks, BrowserTest):
    how = "clone"
    infer = "python3 -m codegen infer app.db --out mine/schemas"
    build = "./dev build --schemas mine/schemas"
    wrong_definition = (1, 3)
    explain = "python3 -m codegen explain {} --schemas mine/schemas"
    emit = "python3 -m codegen emit {} --schemas mine/schemas"
    check_generated = "python3 -m codegen --schemas mine/schemas --output build/generated --check"
    bqsync = "build/bqsync"
    local = "build/bqlocal"
    schemas = "mine/schemas"
    demo = "./dev demo --rows 2000"
    programs = "/usr/bin"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.environ.get("BQSYNC_SANITIZE"):
            raise unittest.SkipTest("the plain build does this")
        sampling.wait_for_turn("clone")
        if not (SOURCE / ".git").exists():
            raise unittest.SkipTest("only a clone can be cloned")
        WALKS.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix="clone-", dir=WALKS)
        cls.addClassCleanup(folder.cleanup)
        cls.clone = pathlib.Path(folder.name)
        # With what is not committed yet.
        names = checked("git", "ls-files", "-co", "--exclude-standard", cwd=SOURCE).splitlines()
        for name in names:
            if (SOURCE / name).exists():
                (cls.clone / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / name, cls.clone / name)
        git(cls.clone, "init", "-q", "-b", "main")

    def new_folder(self):
        for name in ("app.db", "app.db-wal", "app.db-shm", "bigquery.db", ".env", "mine"):
            path = self.clone / name
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        return self.clone

    def define(self, walk):
        walk.type(self.infer)
        return self.folder / self.schemas


if __name__ == "__main__":
    unittest.main()

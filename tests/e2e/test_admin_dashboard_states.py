"""The dashboard in every state that it can be in: what it says, how it looks, and that nobody is kept out."""

import time
import unittest

from tests.e2e.dashboard import SHOTS, STATE, BrowserTest
from tests.e2e.serving import INCREMENTAL, MANUAL, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

LOOKS = (("desktop", 1280, False), ("desktop-dark", 1280, True), ("phone", 390, False), ("phone-dark", 390, True))
# The page gets the status of the service with more tables: each is a copy with a state of its own.
MANY = """
const plain = window.fetch;
window.fetch = async (path, options) => {
  const answer = await plain(path, options);
  if (!String(path).endsWith("sync/status")) return answer;
  const status = await answer.json();
  const model = status.tables.find((table) => table.table === "accounts");
  for (let number = 1; number <= 192; number++) {
    const copy = { ...model, table: "copy_" + String(number).padStart(3, "0") };
    if (number === 7) copy.last_error = "copy_007: BigQuery: http 403: access denied";
    if (number % 40 === 0) copy.pending_changes = number;
    status.tables.push(copy);
  }
  return new Response(JSON.stringify(status), { status: 200 });
};
"""


def hidden(selector):
    return f"document.querySelector('{selector}').classList.contains('hidden')"


def row(name, selector):
    return (f"[...document.querySelectorAll('#rows tr')].find((row) => row.querySelector('.name').textContent ==="
            f" '{name}').querySelector('{selector}').textContent")


class StatesTest(BrowserTest):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    def sync(self, service):
        return service.wait_run(service.post(INCREMENTAL).json["run_id"])

    def open(self, service, state=None, **options):
        page = self.browser.open(service.url + "/", **options)
        if state is not None:
            page.wait(f"{STATE} === '{state}'")
        return page

    def look(self, name, service, ready, **options):
        """Pictures of the state for people, and axe's opinion of each."""
        for label, width, dark in LOOKS:
            with self.subTest(name=name, look=label):
                page = self.browser.open(service.url + "/", width=width, height=1000, dark=dark, **options)
                page.wait(ready)
                page.screenshot(SHOTS / f"{name}-{label}.png", whole=True)
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
                self.assertEqual([], page.problems())
                self.judge(page, f"{name} {label}")

    def test_the_first_start(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        service = self.serve()
        self.look("first", service, f"{STATE} === 'Not synced yet'")

    def test_an_empty_database_is_in_sync(self):
        service = self.serve()
        self.sync(service)
        self.look("empty", service, f"{STATE} === 'In sync'")

    def test_whose_page_it_is_stands_in_the_header_and_the_tab_says_the_state_first(self):
        service = self.serve(BQ_ENVIRONMENT="staging")
        self.sync(service)
        page = self.open(service, "In sync")
        self.assertEqual("staging", page.text("#environment"))
        self.assertEqual(f"{self.bq.project}.d", page.text("#target"))
        self.assertEqual(str(self.app.path), page.text("#source"))
        self.assertRegex(page.text("#version"), r"^\d")
        self.assertEqual(f"In sync · staging · {self.bq.project}.d · bqsync", page.run("document.title"))
        staging = page.run("getComputedStyle(document.querySelector('#top')).borderTopColor")
        production = self.serve_and_colour("production")
        self.assertNotEqual(staging, production)
        others = {self.serve_and_colour(name) for name in ("development", "test", "qa", "eu-west-1", "prod")}
        self.assertEqual(5, len(others))
        self.assertFalse(others & {production, staging})

    def serve_and_colour(self, environment):
        app = self.enterContext(Deployment(self.bq))
        with Service(app, BQ_ENVIRONMENT=environment) as service:
            page = self.browser.open(service.url + "/")
            page.wait(f"document.querySelector('#environment').textContent === '{environment}'")
            return page.run("getComputedStyle(document.querySelector('#top')).borderTopColor")

    def test_a_failure_that_could_not_be_recorded_is_shown_until_a_pass_succeeds(self):
        service = self.serve()
        self.sync(service)
        kept = ("bq_sync_intents", "bq_sync_tracking", "bq_sync_runs")
        for table in kept:
            for change in ("insert", "update"):
                self.app.execute(f"create trigger full_{table}_{change} before {change} on {table}"
                                 " begin select raise(abort, 'database or disk is full'); end")
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        run = self.sync(service)
        self.assertEqual("failed", self.app.table(run, "accounts")["status"])
        self.assertIsNone(self.app.table(self.app.json("status"), "accounts")["last_error"])

        page = self.open(service, "Failing")
        self.assertIn("1 table could not be synced: accounts", page.text("#sentence"))
        self.assertEqual("failing", page.run(row("accounts", ".pill")))
        self.assertIn("is full", service.table("accounts")["last_error"])
        failing = 'bqsync_table_failing{table="accounts"} '
        self.assertIn(failing + "1\n", service.get("/metrics").body.decode())
        for table in kept:
            for change in ("insert", "update"):
                self.app.execute(f"drop trigger full_{table}_{change}")
        self.sync(service)
        page.wait(f"{STATE} === 'In sync'")
        self.assertIn(failing + "0\n", service.get("/metrics").body.decode())

    def test_a_table_with_waiting_changes_is_behind_and_the_page_is_not_in_sync(self):
        service = self.serve()
        self.sync(service)
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")
        page = self.open(service, "Behind")
        self.assertEqual("behind (2 waiting)", page.run(row("accounts", ".pill")))
        self.assertEqual("in sync", page.run(row("devices", ".pill")))
        self.assertIn("2 changes wait in 1 table", page.text("#sentence"))
        self.look("behind", service, f"{STATE} === 'Behind'")
        self.sync(service)
        page.wait(f"{STATE} === 'In sync'")

    def test_what_waits_in_a_scanned_table_is_not_known_and_nothing_is_wrong_with_it(self):
        self.app = self.enterContext(Deployment(self.bq, state="state.db"))
        service = self.serve()
        self.sync(service)
        page = self.open(service, "Synced")
        self.assertEqual("unknown until the next scan", page.run(row("accounts", ".pill")))
        self.assertFalse(page.run(f"{row('accounts', '.pill')} === 'in sync'"))
        self.assertIn("is not known before the next sync", page.text("#sentence"))
        self.assertEqual("unknown", page.text("#pending"))
        self.look("scanned", service, f"{STATE} === 'Synced'")

    def test_tables_of_a_source_that_is_not_readable_are_unknown(self):
        service = self.serve()
        self.sync(service)
        self.app.path.rename(self.app.path.with_suffix(".gone"))
        page = self.open(service, "Source not readable")
        self.assertEqual(["unknown"], page.run("[...new Set([...document.querySelectorAll('#rows .pill')].map((pill) =>"
                                               " pill.textContent))]"))
        self.assertEqual("unknown", page.text("#pending"))
        self.app.path.with_suffix(".gone").rename(self.app.path)
        self.assertEqual([], page.problems())

    def test_an_outage_outranks_the_pass_that_meets_it(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        gone = Bqlocal(datasets=["d"])
        with gone:
            self.app.bq = gone
        service = self.serve(BQ_RETRY_BUDGET="10m")
        page = self.open(service, "Not synced yet")
        service.post(INCREMENTAL)
        page.wait(f"/^Outage: retrying, ([3-9]|\\d\\d)(rd|th) attempt$/.test({STATE})")
        self.assertTrue(page.run("document.querySelector('#badge').classList.contains('bad')"))
        self.assertIn("Sync started", page.text("#sentence"))
        self.assertIn("no good answer for", page.text("#sentence"))
        self.assertTrue(page.run("document.title").startswith("Outage: retrying, "))
        self.assertGreaterEqual(service.status()["outage"]["attempts"], 2)
        self.look("outage", service, f"{STATE}.startsWith('Outage: retrying, ')")

    def test_an_outage_goes_on_between_passes_and_ends_with_the_first_answer(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        service = self.serve(BQ_RETRY_BUDGET="100ms", BQ_SYNC_INTERVAL="15m")
        service.wait_idle(1)
        page = self.open(service, "In sync")
        self.bq.__exit__(None, None, None)
        self.app.execute("update accounts set note = 'x'")
        for _ in range(2):
            self.assertEqual("unreachable", self.sync(service)["error"]["code"])
        page.wait(f"{STATE}.startsWith('Outage: retrying, ')")
        page.wait("/Next attempt in \\d+ (s|min)/.test(document.querySelector('#sentence').textContent)")
        self.assertEqual("failed", page.text("details.run .pill"))
        self.assertIn("ended early: ", page.text("details.run .id"))
        # Not ended twice by the context.
        self.bq.__enter__()

    def test_a_failed_run_says_which_table_and_why_and_opens_into_its_tables(self):
        service = self.serve()
        self.sync(service)
        self.app.script("drop table settings; create table settings(name text primary key)")
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.sync(service)
        page = self.open(service, "Failing")
        facts = page.text("details.run .id")
        self.assertIn("failed: settings", facts)
        self.assertIn("value", facts)
        self.assertIn("1 row in 1 table", facts)
        page.click("details.run summary")
        page.wait("document.querySelector('details.run').open")
        self.assertEqual("settings", page.text("details.run tbody td"))
        self.assertIn("bqsync plan", page.text("details.run .why"))
        self.assertIn("unchanged", page.text("details.run .body"))
        self.look("failing", service, f"{STATE} === 'Failing'")

    def test_failure_outranks_a_running_pass(self):
        self.app.script("drop table settings; create table settings(name text primary key)")
        with Bqlocal(datasets=["d"], latency="1500ms") as self.app.bq:
            service = self.serve()
            self.sync(service)
            page = self.open(service, "Failing")
            service.post(MANUAL)
            page.wait("!document.querySelector('#running').classList.contains('hidden')")
            self.assertEqual("Failing", page.run(STATE))
            self.assertIn("Full sync", page.text("#sentence"))

    def test_rejected_values_have_a_panel_that_is_read_page_by_page(self):
        with self.app.connect() as db:
            db.executemany("insert into everything(id, i) values (?, 'no number')", [(n,) for n in range(1, 151)])
        self.app.execute("insert into accounts values (9007199254740993, 'a@x', 'much', null)")
        service = self.serve()
        self.sync(service)
        page = self.open(service, "In sync, with rejects")
        page.wait("document.querySelectorAll('#reject-rows tr').length === 100")
        self.assertEqual("id = 9007199254740993", page.text("#reject-rows code"))
        self.assertIn("is not", page.text("#reject-rows tr"))
        self.assertIn("text", page.text("#reject-rows tr"))
        page.click("#rejects-more")
        page.wait("document.querySelectorAll('#reject-rows tr').length === 151")
        self.assertTrue(page.run(hidden("#rejects-more")))
        page.run("(() => { const choice = document.querySelector('#rejects-table'); choice.value = 'accounts';"
                 " choice.dispatchEvent(new Event('change')); })()")
        page.wait("document.querySelectorAll('#reject-rows tr').length === 1")
        self.app.execute("delete from everything")
        self.app.execute("delete from accounts")
        self.sync(service)
        page.wait(hidden("#rejects-panel"))

    def test_rejects_look(self):
        self.app.execute("insert into everything(id, i) values (1, 'no number'), (2, x'00')")
        service = self.serve()
        self.sync(service)
        self.look("rejected", service, "document.querySelectorAll('#reject-rows tr').length === 2")

    def test_the_progress_names_the_table_and_counts_rows(self):
        with self.app.connect() as db:
            db.execute("begin")
            db.executemany("insert into accounts values (?, ?, 1, null)", [(n, f"{n}@x") for n in range(1, 20001)])
            db.execute("commit")
        with Bqlocal(datasets=["d"], latency="1s") as self.app.bq:
            service = self.serve()
            page = self.open(service, "Not synced yet")
            page.run("window.lines = []; new MutationObserver(() => lines.push(document.querySelector('#running-line')"
                     ".textContent)).observe(document.querySelector('#running-line'), {childList: true,"
                     " characterData: true, subtree: true}); true")
            service.post(INCREMENTAL)
            page.wait("lines.some((line) => /^table \\d of 8 · accounts · 20,000 of 20,000 rows/.test(line))")
            self.look_once("running", page)
            page.wait(f"{STATE} === 'In sync'")
            self.assertIn("20,000 rows in 1 run", page.run(row("accounts", ".chartcell .cap")).replace("20K", "20,000"))

    def test_the_rate_is_that_of_the_last_seconds(self):
        service = self.serve()
        page = self.open(service, "Not synced yet")
        self.assertEqual([0, 1000, 1000, 200], page.run("""(() => {
            let now = 1000;
            performance.now = () => now;
            const seen = (rows) => rowsPerSecond({run_id: "r", tables: [{rows_read: rows}, {rows_read: 7}]});
            const rates = [seen(0)];
            now += 1000; rates.push(seen(1000));
            now += 1000; rates.push(seen(2000));
            now += 10000; rates.push(seen(4000));
            return rates;
        })()"""))

    def look_once(self, name, page):
        page.screenshot(SHOTS / f"{name}.png")
        self.judge(page, name)

    def test_a_running_pass_looks_well(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        with Bqlocal(datasets=["d"], latency="300s") as self.app.bq:
            service = self.serve()
            service.post(INCREMENTAL)
            self.look("running", service, "document.querySelector('#running-list li')")

    def test_a_pass_of_another_process_is_followed_with_its_tables(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        service = self.serve()
        page = self.open(service, "Not synced yet")
        with Bqlocal(datasets=["d"], latency="4s") as self.app.bq:
            process = self.app.start("sync")
            page.wait("document.querySelector('#running-title').textContent === 'Sync in another process' &&"
                      " !document.querySelector('#running').classList.contains('hidden')")
            page.wait("document.querySelector('#running-list li b')?.textContent === 'accounts'")
            self.assertIn("`sync`", page.text("#running-count"))
            process.communicate()
            page.wait(hidden("#running"))
            page.wait(f"{STATE} === 'In sync'")
            # One that finds nothing to do records nothing, and the tables are as fresh all the same.
            before = service.table("accounts")["fresh_at"]
            self.assertTrue(self.app.sync()["ok"])
            self.assertGreater(service.table("accounts")["fresh_at"], before)

    def test_two_hundred_tables_are_folded_filtered_and_not_in_the_way(self):
        service = self.serve()
        self.sync(service)
        page = self.open(service, "Failing", script=MANY)
        self.assertEqual("200", page.text("#table-count"))
        self.assertEqual(5, page.run("document.querySelectorAll('#rows tr').length"))
        self.assertEqual("195 more tables, all in sync", page.text("#folded-text"))
        self.assertEqual("copy_007", page.text("#rows tr .name"))
        self.assertLess(page.run("document.querySelector('#runs-title').getBoundingClientRect().top"), 1800)

        page.click("[data-state=behind]")
        page.wait("document.querySelectorAll('#rows tr').length === 4")
        self.assertEqual("4 of 200", page.text("#table-count"))
        page.click("[data-state=behind]")
        page.click("#unfold")
        page.wait("document.querySelectorAll('#rows tr').length === 200")
        page.run("window.scrollTo(0, document.querySelector('#rows tr:nth-child(120)').offsetTop + 600)")
        page.wait("Math.abs(document.querySelector('#tables thead th').getBoundingClientRect().top -"
                  " document.querySelector('#top').getBoundingClientRect().bottom) < 2")
        self.assertEqual(0, page.run("document.querySelector('#top').getBoundingClientRect().top"))
        page.screenshot(SHOTS / "many-scrolled.png")
        page.click("nav a[href='#runs-title']")
        page.wait("document.querySelector('#runs-title').getBoundingClientRect().top < innerHeight")
        self.assertEqual([], page.problems())
        for width in (320, 390, 700, 701, 860, 861, 1100, 1101):
            page.resize(width)
            self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
            if not 700 < width < 861:  # where the list scrolls sideways
                self.assertEqual([], page.run(
                    "[...document.querySelectorAll('#rows .pill')].filter((pill) => pill.getBoundingClientRect().right >"
                    " document.querySelector('#table-scroll').getBoundingClientRect().right - 8)"
                    ".map((pill) => pill.textContent)"))
        self.look("many", service, f"{STATE} === 'Failing'", script=MANY)

    def test_a_service_that_is_gone_is_said_at_once_and_forgotten_when_it_is_back(self):
        service = self.serve()
        self.sync(service)
        page = self.open(service, "In sync")
        offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.send("Network.emulateNetworkConditions", offline=True, **offline)
        # tick() is what the page does each second.
        page.wait(f"(tick(), {STATE} === 'No answer') && document.title.startsWith('No answer · ') &&"
                  " document.querySelector('#top-state').textContent === 'No answer'")
        page.send("Network.emulateNetworkConditions", offline=False, **offline)
        page.wait(f"{STATE} === 'In sync' && document.title.startsWith('In sync · ') &&"
                  " document.querySelector('#badge').classList.contains('good')")

    def test_the_token_is_asked_for(self):
        service = self.serve(token="token-of-the-looks")
        self.look("token", service, "document.querySelector('#token').open")

    def test_what_is_billed_is_shown_day_by_day_with_the_budget(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        service = self.serve(BQ_MAX_BYTES_BILLED_PER_DAY=str(100 * 2 ** 20))
        self.sync(service)
        self.app.execute("update accounts set note = 'x'")
        self.sync(service)
        days = service.status()["bytes_billed_days"]
        self.assertEqual(14, len(days))
        self.assertEqual((time.strftime("%Y-%m-%d", time.gmtime()), 10 * 2 ** 20), (days[-1]["day"], days[-1]["bytes"]))
        page = self.open(service, "In sync")
        self.assertEqual("10.0 MiB in 14 days (UTC), a bar each; the line is the budget of 100.0 MiB a day",
                         page.text("#bill-days figcaption"))
        self.assertEqual(14, page.run("document.querySelectorAll('#bill-days rect').length"))
        self.look("days", service, "document.querySelector('#bill-days figcaption')")


if __name__ == "__main__":
    unittest.main()

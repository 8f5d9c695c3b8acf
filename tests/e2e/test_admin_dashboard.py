"""The dashboard in a real browser."""

import os
import time
import unittest

from tests.e2e.dashboard import BUILD, SHOTS, STATE, BrowserTest
from tests.e2e.serving import AT_START, INCREMENTAL, MANUAL, Service, half_a_day_from_now
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class DashboardTest(BrowserTest):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    def open(self, service, **options):
        return self.browser.open(service.url + "/", **options)

    def test_it_shows_the_state_without_a_complaint_in_the_console(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=half_a_day_from_now())
        service.wait_idle(1)
        page = self.open(service)
        page.wait(f"{STATE} === 'In sync'")

        self.assertEqual(len(self.app.json("tables")["tables"]), page.run("document.querySelectorAll('#rows tr').length"))
        self.assertEqual("in sync", page.text("#rows tr .pill"))
        self.assertRegex(page.text("#next"), r"^in \d+ (d|h|min|s)")
        self.assertEqual(1, page.run("document.querySelectorAll('details.run').length"))
        page.wait("document.querySelector('#live').textContent.trim() === 'live'")
        self.assertEqual([], page.problems())
        outside = [url for url in page.requested() if not url.startswith((service.url, "data:", "about:"))]
        self.assertEqual([], outside)

    def test_waiting_changes_failures_and_rejects_are_shown_with_their_remedy(self):
        service = self.serve()
        service.wait_run(service.post(MANUAL).json["run_id"])
        self.app.execute("insert into everything(id, i) values (1, 'no number')")
        self.app.script("drop table settings; create table settings(name text primary key)")
        service.wait_run(service.post(MANUAL).json["run_id"])
        self.app.execute("insert into accounts values (3, 'c@x', 3, null)")
        page = self.open(service)
        page.wait(f"{STATE} === 'Failing'")

        problems = page.text("#problem-list")
        self.assertIn("settings", problems)
        self.assertIn("bqsync plan", problems)
        self.assertIn("bqsync rejects everything", problems)
        self.assertEqual("failing", page.text("#rows tr .pill"))
        page.screenshot(SHOTS / "failing.png")
        self.assertEqual([], page.problems())

    def test_buttons_start_runs_and_a_slow_run_is_followed_live(self):
        with Bqlocal(datasets=["d"], latency="1500ms") as self.app.bq:
            service = self.serve()
            page = self.open(service)
            page.wait("!document.querySelector('#now').disabled")
            page.click("#now")
            page.wait("!document.querySelector('#running').classList.contains('hidden')")
            page.wait("document.querySelector('#running-list li')")
            self.assertEqual("Syncing", page.run(STATE))
            self.assertTrue(page.run("document.querySelector('#full').disabled"))
            page.screenshot(SHOTS / "running.png")
            page.wait(f"{STATE} === 'In sync'")
            self.assertTrue(page.run("document.querySelector('#running').classList.contains('hidden')"))
            self.assertEqual(["incremental"], [run["kind"] for run in service.wait_idle(1)])

            page.click("#full")
            page.wait("document.querySelector('#confirm').open")
            page.click("#confirm button[value=no]")
            page.wait("!document.querySelector('#confirm').open")
            self.assertEqual(1, len(service.wait_idle(1)))
            page.click("#full")
            page.click("#confirm-yes")
            page.wait(f"{STATE} === 'Syncing'")
            page.wait(f"{STATE} === 'In sync'")
            self.assertEqual("full", service.wait_idle(2)[0]["kind"])

            page.click("#pick-accounts")
            page.click("#pick-events")
            self.assertEqual("Sync 2 tables", page.text("#selected"))
            page.click("#selected")
            page.click("#confirm-yes")
            run = service.wait_idle(3)[0]
            self.assertEqual({"accounts", "events"}, {table["table"] for table in run["tables"]})
            self.assertEqual([], page.problems())

    def test_a_new_run_shows_by_itself(self):
        service = self.serve()
        page = self.open(service)
        page.wait(f"{STATE} === 'Not synced yet'")
        page.wait("document.querySelector('#live').textContent.trim() === 'live'")
        service.post(MANUAL)
        page.wait(f"{STATE} === 'In sync'", timeout=8)

    def test_it_asks_for_the_token_and_keeps_it_for_the_tab(self):
        service = self.serve(token="s3cret-of-the-tab")
        service.wait_run(service.post(MANUAL).json["run_id"])
        page = self.open(service)
        page.wait("document.querySelector('#token').open")
        self.assertEqual([], page.problems())
        page.click("#token-value")
        page.type("wrong")
        page.press("Enter")
        page.wait("document.querySelector('#token-error').textContent")
        page.click("#token-value")
        page.type("s3cret-of-the-tab")
        page.press("Enter")
        page.wait(f"{STATE} === 'In sync'")
        self.assertFalse(page.run("document.querySelector('#token').open"))
        page.run("location.reload()")
        page.wait(f"{STATE} === 'In sync'")
        self.assertEqual(0, page.run("Object.keys(localStorage).length"))
        self.assertFalse([url for url in page.requested() if "s3cret-of-the-tab" in url])

    def test_it_fits_a_phone_and_a_dark_room(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=half_a_day_from_now())
        service.wait_idle(1)
        for name, width, dark in (("phone", 390, False), ("phone-dark", 390, True), ("tablet", 768, False),
                                  ("desktop", 1280, False), ("desktop-dark", 1280, True)):
            with self.subTest(name):
                page = self.open(service, width=width, height=1100, dark=dark)
                page.wait(f"{STATE} === 'In sync'")
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
                light = page.run("getComputedStyle(document.body).backgroundColor") == "rgb(245, 246, 250)"
                self.assertEqual(light, not dark)
                page.screenshot(SHOTS / f"{name}.png")

    def test_axe_finds_nothing_that_keeps_people_out(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START)
        service.wait_idle(1)
        self.app.execute("insert into everything(id, i) values (1, 'no number')")
        service.wait_run(service.post(MANUAL).json["run_id"])
        for width, dark in ((1280, False), (1280, True), (390, False)):
            with self.subTest(width=width, dark=dark):
                page = self.open(service, width=width, dark=dark)
                page.wait(f"{STATE} === 'In sync, with rejects'")
                page.run("document.querySelector('details.run').open = true")
                self.judge(page, f"{width} {dark}")


@unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
class BillTest(BrowserTest):
    """What BigQuery bills. For bqsync it is noon, on a day to come (bqlocal goes by the real clock)."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        now = time.time()
        noon = (now // 86400 + 1) * 86400 + 43200
        shim = BUILD / "tests" / "support" / "libclock_shim.so"
        self.app = self.enterContext(Deployment(
            self.bq, environment={"LD_PRELOAD": str(shim), "BQSYNC_CLOCK_SHIFT_S": str(int(noon - now))}))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.execute("insert into devices values ('d1', 1, 2)")
        self.app.sync()

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    def change(self, service):
        self.app.execute("update accounts set note = coalesce(note, '') || 'x'")
        self.app.execute("update devices set online = 1 - online")
        service.wait_run(service.post(INCREMENTAL).json["run_id"])

    def open(self, service, **options):
        page = self.browser.open(service.url + "/", **options)
        page.wait("!document.querySelector('#bill').classList.contains('hidden')")
        return page

    def test_the_last_run_the_day_the_month_and_a_forecast_are_shown(self):
        service = self.serve()
        page = self.open(service)
        self.assertEqual("0 MiB", page.text("#bill-month").split("$")[0].strip())
        self.assertIn("nothing billed in the last 7 days", page.text("#bill-forecast"))
        self.assertTrue(page.run("document.querySelector('#budget').classList.contains('hidden')"))

        self.change(service)
        self.app.execute("update accounts set note = 'last'")
        service.wait_run(service.post(INCREMENTAL).json["run_id"])
        page.wait("document.querySelector('#bill-last').textContent.startsWith('10.0 MiB')")
        self.assertEqual("30.0 MiB", page.text("#bill-today"))
        self.assertRegex(page.text("#bill-month"), r"^30\.0 MiB\s*\$0\.00$")
        self.assertRegex(page.text("#bill-forecast"), r"^\d+\.0 MiB\s*\$0\.00, if each day bills as the last 12\.0 hours$")
        row = "[...document.querySelectorAll('#rows tr')].find((row) => row.textContent.includes('accounts'))"
        self.assertEqual("20.0 MiB20.0 MiB today", page.run(row + ".querySelector('[data-label=Billed]').textContent"))
        self.assertIn("10.0 MiB billed", page.text("details.run summary"))
        page.run("document.querySelector('details.run').open = true")
        self.assertIn("Billed", page.text("details.run .body thead"))
        self.assertIn("10.0 MiB", page.text("details.run .body tbody"))
        self.assertEqual([], page.problems())

    def test_a_budget_that_runs_out_is_shown_with_what_waits_for_it(self):
        budget = {"BQ_MAX_BYTES_BILLED_PER_DAY": str(70 * 2 ** 20), "BQ_SYNC_FOLLOW": "1h"}
        service = self.serve(**budget)
        self.change(service)
        page = self.open(service)
        self.assertEqual("50.0 MiB of today's 70.0 MiB are left until 00:00 UTC.", page.text("#budget-text"))
        self.change(service)
        page.wait("document.querySelector('#budget-text').textContent.startsWith('30.0 MiB of today')")
        # 20 MiB last two thirds of twelve hours.
        self.assertRegex(page.text("#budget-text"), r"are left, so tables whose queries are billed are followed again in"
                                                    r" [78] h \d+ min\.$")
        for name, width, dark in (("bill", 1280, False), ("bill-dark", 1280, True), ("bill-phone", 390, False),
                                  ("bill-tablet", 768, True)):
            with self.subTest(name):
                page = self.open(service, width=width, height=1300, dark=dark)
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
                page.screenshot(SHOTS / f"{name}.png")
        self.change(service)
        self.change(service)
        page = self.open(service)
        page.wait("document.querySelector('#budget-text').textContent.startsWith(\"Today's budget\")")
        self.assertEqual("Today's budget of 70.0 MiB is used up: tables that need a query wait until 00:00 UTC.",
                         page.text("#budget-text"))
        self.assertEqual([], page.problems())


if __name__ == "__main__":
    unittest.main()

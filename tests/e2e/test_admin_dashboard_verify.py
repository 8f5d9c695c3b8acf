"""Verifications from the dashboard, in a real browser."""

import unittest

from tests.e2e.dashboard import SHOTS, STATE, BrowserTest
from tests.e2e.serving import AT_START, MANUAL, Service, half_a_day_from_now
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

VERDICT = "document.querySelector('#verdict b')?.textContent"
LARGE = 9007199254740993  # which a double cannot hold
TOKEN = "token-of-the-dashboard"


class DashboardVerifyTest(BrowserTest):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null), (3, 'c@x', 3, null)")
        self.app.execute("insert into memberships values ('red', 'ann', 'lead', null)")
        self.service = self.enterContext(Service(
            self.app, BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=half_a_day_from_now(), token=TOKEN))
        self.service.wait_idle(1)

    def open(self, **options):
        """The page of somebody who has the token."""
        page = self.browser.open(self.service.url + "/", **options)
        page.wait("document.querySelector('#token').open")
        page.click("#token-value")
        page.type(TOKEN)
        page.press("Enter")
        page.wait("!document.querySelector('#verify').disabled")
        return page

    def tamper(self):
        self.bq.query("update d.accounts set email = 'x' where id = 2")
        self.bq.query(f"insert into d.accounts (id, email) values ({LARGE}, 'z')")
        self.bq.query("delete from d.memberships where true")

    def verify(self, page, button="#verify"):
        page.click(button)
        page.wait("document.querySelector('#confirm').open")
        page.click("#confirm-yes")

    def test_equal_sides_are_told_after_a_confirmation_that_names_the_cost(self):
        page = self.open()
        page.click("#verify")
        page.wait("document.querySelector('#confirm').open")
        self.assertEqual("Verify all 8 tables?", page.text("#confirm-title"))
        self.assertIn("bills", page.text("#confirm-text"))
        self.assertIn("Nothing is changed", page.text("#confirm-text"))
        page.screenshot(SHOTS / "verify-confirm.png")
        page.click("#confirm button[value=no]")
        page.wait("!document.querySelector('#confirm').open")
        self.assertIsNone(self.service.get("/admin/bigquery/verify").json["running"])
        self.assertIsNone(self.service.get("/admin/bigquery/verify").json["last"])

        self.verify(page)
        page.wait(f"{VERDICT} === 'BigQuery equals SQLite'")
        self.assertIn("8 tables · 4 rows compared", page.text("#verdict p"))
        self.assertEqual("In sync", page.run(STATE))
        page.screenshot(SHOTS / "verify-equal.png")
        self.assertEqual([], page.problems())

    def test_who_changes_their_mind_at_once_is_heard(self):
        page = self.open()
        page.run("document.querySelector('#verify').click();"
                 "document.querySelector('#confirm button[value=no]').click();"
                 "document.querySelector('#verify').click(), true")
        page.wait("document.querySelector('#confirm').open")
        page.click("#confirm-yes")
        page.wait(f"{VERDICT} === 'BigQuery equals SQLite'")

    def test_a_difference_is_named_with_its_keys_and_its_remedy_until_it_is_gone(self):
        self.tamper()
        page = self.open()
        self.verify(page)
        page.wait(f"{VERDICT} === '2 of 8 tables differ'")

        found = page.text("#verify-list")
        self.assertIn(f"1 only in BigQuery{LARGE}", found)
        self.assertIn("1 different2", found)
        self.assertIn("1 missing in BigQuery(red, ann)", found)
        self.assertIn("bqsync verify --repair accounts", found)
        self.assertEqual(["a-b.c_1", "'Order Items'", "'it'\\''s \"quoted\"'"], page.run(
            """["a-b.c_1", "Order Items", 'it\\'s "quoted"'].map(shellWord)"""))
        self.assertEqual("Differences found", page.run(STATE))
        self.assertEqual("differs", page.text("#rows tr .pill"))
        self.assertEqual([], page.problems())

        self.assertEqual(0, self.app.run("verify", "--repair")[0])
        self.verify(page)
        page.wait(f"{VERDICT} === 'BigQuery equals SQLite'")
        page.wait(f"{STATE} === 'In sync'")
        self.assertEqual("", page.text("#verify-list"))

    def test_a_full_sync_takes_the_difference_from_the_state(self):
        self.tamper()
        page = self.open()
        self.verify(page)
        page.wait(f"{STATE} === 'Differences found'")
        self.service.wait_run(self.service.post(MANUAL).json["run_id"])
        page.wait(f"{STATE} === 'In sync'")

    def test_a_look_at_another_table_takes_nothing_from_the_state(self):
        self.tamper()
        page = self.open()
        self.verify(page)
        page.wait(f"{STATE} === 'Differences found'")
        page.click("#pick-events")
        self.verify(page, "#selected-verify")
        page.wait(f"{VERDICT} === 'BigQuery equals SQLite'")
        self.assertEqual("Differences found", page.run(STATE))
        self.assertIn("2 tables do not equal SQLite: accounts, memberships; verified", page.text("#sentence"))
        self.assertEqual("differs", page.text("#rows tr .pill"))

    def test_the_chosen_tables_alone_are_verified(self):
        self.tamper()
        page = self.open()
        page.click("#pick-events")
        page.click("#pick-accounts")
        self.assertEqual("Verify 2 tables", page.text("#selected-verify"))
        page.click("#selected-verify")
        page.wait("document.querySelector('#confirm').open")
        self.assertEqual("Verify 2 tables?", page.text("#confirm-title"))
        self.assertTrue(page.text("#confirm-text").startswith("events, accounts. "))
        page.click("#confirm-yes")
        page.wait(f"{VERDICT} === '1 of 2 tables differs'")
        tables = self.service.get("/admin/bigquery/verify").json["last"]["tables"]
        self.assertEqual({"accounts", "events"}, {table["table"] for table in tables})
        page.wait("document.querySelector('#selection').classList.contains('hidden')")

    def test_one_that_runs_is_followed_to_its_end(self):
        self.bq.faults({"method": "POST", "path": "/queries", "nth": 3, "action": "hang_before", "count": 0})
        page = self.open()
        self.verify(page)
        page.wait("document.querySelector('#verify-table').textContent && document.querySelector('#verify').disabled")
        page.wait("document.querySelector('#verify-when').textContent === '2 of 8 tables'")
        self.assertEqual("25", page.run("document.querySelector('#verify-bar').getAttribute('aria-valuenow')"))
        self.assertEqual(["compared"] * 2 + ["comparing"] + ["waiting"] * 5, page.run(
            "[...document.querySelectorAll('#verify-tables li span')].map((node) => node.textContent)"))
        self.judge(page, "verifying")
        page.screenshot(SHOTS / "verify-running.png")
        self.bq.clear_faults()
        page.wait(f"{VERDICT} === 'BigQuery equals SQLite'")
        page.wait("!document.querySelector('#verify').disabled")
        self.assertTrue(page.run("document.querySelector('#verify-running').classList.contains('hidden')"))
        self.assertEqual([], page.problems())

    def test_what_cannot_be_compared_is_shown_with_its_remedy(self):
        self.app.script("drop table settings; create table settings(name text primary key)")
        page = self.open()
        self.verify(page)
        page.wait(f"{VERDICT} === '1 table could not be compared'")
        self.assertIn("bqsync plan", page.text("#verify-list"))
        self.app.path.rename(self.app.path.with_suffix(".gone"))
        page.run("verify('Again?', null), true")
        page.click("#confirm-yes")
        page.wait(f"{VERDICT} === 'Nothing could be compared'")
        self.assertIn("BQ_SQLITE_PATH", page.text("#verdict p"))

    def test_it_is_open_to_everybody_on_every_screen(self):
        self.tamper()
        self.app.execute("insert into accounts values (4, 'd@x', 4, null)")
        for name, width, dark in (("verify-desktop", 1280, False), ("verify-desktop-dark", 1280, True),
                                  ("verify-phone", 390, False), ("verify-phone-dark", 390, True)):
            with self.subTest(name):
                page = self.open(width=width, height=1100, dark=dark)
                self.verify(page)
                page.wait("document.querySelector('#verify-list li')")
                page.click("#pick-events")
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
                page.run("scrollTo(0, 0)")
                # The toast goes by itself; a picture of the page is better without it.
                page.wait("document.querySelector('#toast').textContent === ''")
                page.screenshot(SHOTS / f"{name}.png")
                self.judge(page, name)


if __name__ == "__main__":
    unittest.main()

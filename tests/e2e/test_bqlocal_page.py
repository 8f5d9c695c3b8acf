"""bqlocal's pages in a real browser, on a desk and on a phone."""

import unittest

from tests.e2e.dashboard import SHOTS, BrowserTest
from tests.support.bqlocal import Bqlocal

LOOKS = (("desktop", 1280, False), ("desktop-dark", 1280, True), ("phone", 390, False), ("phone-dark", 390, True))


class PageTest(BrowserTest):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d", "empty"]))
        self.bq.query("create table d.users (id INT64 options(description='who it is'), made_at TIMESTAMP, note STRING)")
        self.bq.query("insert into d.users (id, made_at, note) values (1, timestamp '2025-02-09 08:56:31 UTC', null)")

    def test_pages_fit_a_phone_and_keep_nobody_out(self):
        for name, path in (("tables", "/"), ("table", "/bqlocal/tables/d/users"),
                           ("query", "/bqlocal/query?query=select+*+from+d.users"),
                           ("mistake", "/bqlocal/query?query=delete+from+d.users+where+true")):
            for label, width, dark in LOOKS:
                with self.subTest(name=name, look=label):
                    page = self.browser.open(self.bq.url + path, width=width, dark=dark)
                    page.wait("document.readyState === 'complete' && document.querySelector('h1')")
                    page.screenshot(SHOTS / f"bqlocal-{name}-{label}.png")
                    self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
                    self.judge(page, f"{name} {label}")

    def test_a_query_is_typed_and_run(self):
        page = self.browser.open(self.bq.url + "/bqlocal/tables/d/users", width=390)
        page.wait("document.querySelector('textarea')?.value === 'select * from `p.d.users` limit 20'")
        page.click("textarea")
        page.run("document.querySelector('textarea').value = ''")
        page.type("select count(*) as n from d.users")
        page.click("button")
        page.wait("document.querySelector('td')?.textContent === '1'")
        self.assertEqual("n", page.text("th"))


if __name__ == "__main__":
    unittest.main()

"""The browser's driver: what the dashboard's tests rely on."""

import urllib.parse

from tests.e2e.dashboard import BrowserTest

# A page in motion: the button leaves the place where the mouse goes down, the first time.
MOVING = """<button id="button" onclick="this.textContent = 'clicked'">Click</button><script>
addEventListener("mousedown", () => { document.querySelector("#button").style.marginTop = "300px"; }, {once: true});
</script>"""


class ClickTest(BrowserTest):
    def test_a_click_reaches_an_element_that_moves_away_under_the_mouse(self):
        page = self.browser.open("data:text/html," + urllib.parse.quote(MOVING))
        page.wait("document.querySelector('#button')")
        page.click("#button")
        self.assertEqual("clicked", page.text("#button"))

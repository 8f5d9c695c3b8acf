"""The pages of the documentation: they can be found, their links lead somewhere, and long ones have a list of contents."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Two screens. A longer page begins with a line of links to its headings.
LINES_MAX = 80
LINK = re.compile(r"(?<!\!)\[[^][]*\]\(([^()\s]+)\)")
# Output, code and inline code hold no links.
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(text, level=r"#+"):
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(rf"^{level} (.+)$", text, re.M)


def links(text):
    return LINK.findall(CODE.sub("", text))


class PagesTest(unittest.TestCase):
    def test_every_link_leads_to_a_file_and_a_heading_that_exist(self):
        for page in PAGES:
            for link in links(page.read_text()):
                if "://" in link:
                    continue
                name, _, anchor = link.partition("#")
                target = (page.parent / name).resolve() if name else page
                with self.subTest(page=page.name, link=link):
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, [slug(heading) for heading in headings(target.read_text())])

    def test_links_lead_from_the_readme_to_every_page(self):
        found, waiting = set(), [PAGES[0]]
        while waiting:
            page = waiting.pop()
            found.add(page)
            linked = {(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text())}
            waiting += (linked & set(PAGES)) - found
        self.assertEqual(set(PAGES), found)

    def test_a_page_of_more_than_two_screens_lists_its_contents(self):
        for page in PAGES:
            text = page.read_text()
            if len(text.splitlines()) <= LINES_MAX or len(headings(text, "##")) < 2:
                continue
            with self.subTest(page=page.name):
                contents = re.search(r"^Contents:\s(.+?)\n\n", text.split("\n## ")[0] + "\n\n", re.M | re.S)
                self.assertIsNotNone(contents, "no line that starts with \"Contents:\" above the first heading")
                self.assertEqual(["#" + slug(heading) for heading in headings(text, "##")],
                                 LINK.findall(contents[1]))

    def test_each_page_begins_with_a_title_and_a_sentence(self):
        for page in PAGES:
            lines = [line for line in page.read_text().splitlines() if not line.startswith("<!--")]
            with self.subTest(page=page.name):
                self.assertRegex(lines[0], r"^# \S")
                self.assertEqual("", lines[1])
                self.assertRegex(lines[2], r"^(?!```)[`\w*]", "above the first heading stands what the page is for")


if __name__ == "__main__":
    unittest.main()

"""The pages of the documentation: they can be found, their links lead somewhere, and long ones have a list of contents."""

import re
import unittest

from tests.e2e.docs_contents import CONTENTS, PAGES, PRINTED, headings, is_long, preface, slug, with_contents

LINK = re.compile(r"(?<!\!)\[[^][]*\]\(([^()\s]+)\)")
# Output, code and inline code hold no links.
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)


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
            if not is_long(text):
                continue
            with self.subTest(page=page.name):
                contents = CONTENTS.search(preface(text))
                fix = "python3 -m tests.e2e.docs_contents writes it"
                self.assertIsNotNone(contents, f"no line that starts with \"Contents:\": {fix}")
                self.assertEqual(["#" + slug(heading) for heading in headings(text, "##")], LINK.findall(contents[1]), fix)
                if page != PRINTED:
                    self.assertEqual(with_contents(text), text, fix)

    def test_each_page_begins_with_a_title_and_a_sentence(self):
        for page in PAGES:
            lines = [line for line in page.read_text().splitlines() if not line.startswith("<!--")]
            with self.subTest(page=page.name):
                self.assertRegex(lines[0], r"^# \S")
                self.assertEqual("", lines[1])
                self.assertRegex(lines[2], r"^(?!```)[`\w*]", "above the first heading stands what the page is for")


if __name__ == "__main__":
    unittest.main()

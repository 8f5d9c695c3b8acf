"""The list of contents of a page: a paragraph "Contents:" with a link to each heading, behind the first paragraph.

    python3 -m tests.e2e.docs_contents       writes it into each page that is longer than two screens
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# `bqsync --help=markdown` prints this one whole.
PRINTED = ROOT / "docs/commands.md"
# Two screens.
LINES_MAX = 80
COLUMNS = 120
CONTENTS = re.compile(r"^Contents:\s(.+?)\n\n", re.M | re.S)
BLOCK = re.compile(r"^```.*?^```", re.M | re.S)


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(text, level=r"#+"):
    return re.findall(rf"^{level} (.+)$", BLOCK.sub("", text), re.M)


def is_long(text):
    return len(text.splitlines()) > LINES_MAX and len(headings(text, "##")) > 1


def preface(text):
    """What stands above the first heading of the page's parts."""
    return text.split("\n## ")[0] + "\n\n"


def _paragraph(text):
    lines, line = [], "Contents:"
    # Dates of decisions only make the links longer.
    links = [f"[{re.sub(r'^[-0-9]{10} ', '', heading).replace('`', '')}](#{slug(heading)})"
             for heading in headings(text, "##")]
    for number, link in enumerate(links, 1):
        word = link + (" ·" if number < len(links) else "")
        if len(line) + 1 + len(word) > COLUMNS:
            lines.append(line)
            line = word
        else:
            line += " " + word
    return "\n".join([*lines, line]) + "\n\n"


def with_contents(text):
    """The page with its list of contents brought up to date."""
    if CONTENTS.search(preface(text)):
        text = CONTENTS.sub("", text, count=1)
    title_end = text.index("\n\n") + 2
    place = min(text.index("\n\n", title_end) + 2, text.index("\n## ") + 1)
    return text[:place] + _paragraph(text) + text[place:]


def main():
    for page in PAGES:
        text = page.read_text()
        if page != PRINTED and is_long(text):
            page.write_text(with_contents(text))


if __name__ == "__main__":
    main()

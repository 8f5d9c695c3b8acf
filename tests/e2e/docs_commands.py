"""What the documentation tells people to type: the commands in its blocks of shell, in its tables and in its sentences."""

import re
import shlex
from typing import NamedTuple

from tests.e2e.docs_contents import PAGES

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# The first words of lines that are typed, as opposed to output and settings.
PROGRAMS = ("bqsync", "bqsync-gen", "bqlocal", "dev", "python3", "sqlite3", "curl", "cmake", "ctest", "cc", "git", "cp",
            "gcloud", "bq", "systemctl", "journalctl", "apt", "apt-get", "dpkg", "docker", "ssh", "terraform", "dbt",
            "brew", "export")


class Command(NamedTuple):
    page: str
    line: int
    text: str

    @property
    def program(self):
        """Its first word behind assignments, without the folder; empty where there is none."""
        words = [word for word in shlex.split(self.text, comments=True) if not re.match(r"[A-Za-z_]\w*=", word)]
        return words[0].rsplit("/", 1)[-1] if words else ""

    def __str__(self):
        return f"{self.page}:{self.line}: {self.text}"


def _complete(text):
    """Whether the shell would run this line now: no open quote, no backslash at its end."""
    if text.endswith("\\"):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def commands_of_block(page, first_line, block):
    pending, start = "", first_line
    for number, line in enumerate(block.splitlines(), first_line):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start if pending else number
        pending = f"{pending}\n{line}" if pending else line
        if _complete(pending):
            yield Command(page, start, pending)
            pending = ""
    if pending:
        raise AssertionError(f"{page}:{start}: an open quote")


def blocks(language):
    """(page, number of the first line, text) of each fenced block of a language; "" for those that name none."""
    for path in PAGES:
        text = path.read_text()
        for match in BLOCK.finditer(text):
            if match[1] == language:
                yield path.name, text.count("\n", 0, match.start(2)) + 1, match[2]


def typed():
    """All commands of the blocks of shell, in their order."""
    return [command for block in blocks("sh") for command in commands_of_block(*block)]


def mentioned():
    """The commands of bqsync and bqsync-gen in sentences and tables, each once. The changelog tells of the past."""
    found = {}
    for path in PAGES:
        if path.name == "changelog.md":
            continue
        text = path.read_text()
        prose = BLOCK.sub(lambda match: re.sub(r"[^\n]", "", match[0]), text)
        for match in re.finditer(r"`((?:\./)?bqsync(?:-gen)?\s[^`]+)`", prose):
            command = Command(path.name, prose.count("\n", 0, match.start()) + 1, " ".join(match[1].split()))
            found.setdefault(command.text, command)
    return list(found.values())


def untagged():
    """Lines that look typed, in blocks that are not marked as shell, and so would not be run."""
    for path in PAGES:
        text = path.read_text()
        for match in BLOCK.finditer(text):
            if match[1] in ("sh", "dotenv", "ini", "c", "cmake", "json", "sql", "yaml") or path.name == "commands.md":
                continue
            for number, line in enumerate(match[2].splitlines(), text.count("\n", 0, match.start(2)) + 1):
                if _starts_a_command(line):
                    yield f"{path.name}:{number}: {line}"
        prose = BLOCK.sub(lambda match: re.sub(r"[^\n]", "", match[0]), text)
        # Indented blocks: behind an empty line, and no continuation of a list.
        for match in re.finditer(r"\n\n    ([^\n]+)", prose):
            if _starts_a_command(match[1]):
                yield f"{path.name}: {match[1]}"


def _starts_a_command(line):
    word = line.split(" ", 1)[0]
    return word.rsplit("/", 1)[-1] in PROGRAMS and word != line.strip()

"""Checked access to a located JSON document: every mismatch becomes a problem, and none stops the
checks.

A getter returns None where the value is missing or was reported; callers go on with what they have.
"""

from __future__ import annotations

import difflib
import re
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from .jsonpos import Member, Node, Problem, member_path

_LISTED_MAX = 12  # more names than this are no help in a message
_KINDS = {
    "object": "an object", "array": "an array", "string": "a string", "number": "a number",
    "boolean": "true or false", "null": "null",
}


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was meant, "" if none is near."""
    lowered = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), list(lowered), 1, 0.6)
    return lowered[found[0]] if found else ""


def suggestion(word: str, known: Iterable[str], quote: str = '"') -> str:
    """' (did you mean X?)' for the nearest known word, else all of them if they are few."""
    known = list(known)
    meant = nearest(word, known)
    if not meant:
        return " (one of %s)" % ", ".join(known) if 0 < len(known) <= _LISTED_MAX else ""
    return " (did you mean %s%s%s?)" % (quote, meant, quote)


def listing(words: Sequence[str], last: str = "or") -> str:
    """a, b or c."""
    return words[0] if len(words) == 1 else "%s %s %s" % (", ".join(words[:-1]), last, words[-1])


def node_of(node: Node, key: str) -> Node:
    """What stands under a key of an object that Problems.members has read; if the key is misspelt, which
    is reported already, the object."""
    return next((member.node for member in node.value if member.key == key), node)


class Problems:
    """The problems of one file."""

    def __init__(self) -> None:
        self.found: List[Problem] = []

    def add(self, node: Node, message: str) -> None:
        self.found.append(Problem(node.line, node.offset, node.path, message))

    def add_key(self, member: Member, message: str) -> None:
        """A problem of a key, not of its value."""
        self.found.append(Problem(member.line, member.offset, member.path, message))

    def add_file(self, message: str) -> None:
        """A problem of the file, not of anything in it."""
        self.found.append(Problem(1, -1, "", message))

    def within(self, node: Node) -> bool:
        """Whether there is a problem with the value or with a part of it."""
        return any(
            problem.path == node.path or problem.path.startswith((node.path + ".", node.path + "["))
            for problem in self.found)

    def is_a(self, node: Node, kind: str) -> bool:
        """Whether the value is of this kind; a problem if not."""
        if node.kind == kind:
            return True
        self.add(node, "expected %s, found %s" % (_KINDS[kind], _KINDS[node.kind]))
        return False

    def members(
        self, node: Node, required: Sequence[str], optional: Sequence[str],
        elsewhere: Optional[Dict[str, str]] = None, hints: Optional[Dict[str, str]] = None
    ) -> Optional[Dict[str, Node]]:
        """The members of an object by key; unknown and missing keys are problems. What stands under a
        misspelt key is read as if the key were right. elsewhere: where keys belong that are looked for
        here. hints: what to do about a missing key."""
        if not self.is_a(node, "object"):
            return None
        known = tuple(required) + tuple(optional)
        result = {member.key: member.node for member in node.value if member.key in known}
        for member in node.value:
            if member.key not in known:
                meant = self._unknown_key(member, known, elsewhere or {})
                if meant:
                    result.setdefault(meant, member.node)
        for key in required:
            if key not in result:
                message = "missing" + (hints or {}).get(key, "")
                self.found.append(
                    Problem(node.line, node.offset, member_path(node.path, key), message))
        return result

    def _unknown_key(
        self, member: Member, known: Sequence[str], elsewhere: Dict[str, str]
    ) -> str:
        """Reports the key; returns the known one that was meant, if any."""
        if member.key in elsewhere:
            self.add_key(member, 'unknown key (did you mean "%s"?)' % elsewhere[member.key])
            return ""
        self.add_key(member, "unknown key" + suggestion(member.key, known))
        return nearest(member.key, known)

    def text(self, node: Optional[Node], limit: Optional[int] = None) -> Optional[str]:
        """A string that is not empty, of at most limit characters."""
        if node is None or not self.is_a(node, "string"):
            return None
        if not node.value.strip():
            self.add(node, "must not be empty")
            return None
        if limit is not None and len(node.value) > limit:
            self.add(node, "is %d characters long, the limit is %d" % (len(node.value), limit))
            return None
        return str(node.value)

    def name(self, node: Optional[Node]) -> Optional[str]:
        """A name in SQLite: anything but control characters, which no message could show."""
        value = self.text(node)
        if node is not None and value is not None and re.search(r"[\x00-\x1f\x7f-\x9f]", value):
            self.add(node, "must not hold control characters")
            return None
        return value

    def flag(self, node: Optional[Node]) -> Optional[bool]:
        if node is None or not self.is_a(node, "boolean"):
            return None
        return bool(node.value)

    def choice(self, node: Optional[Node], known: Sequence[str], what: str) -> Optional[str]:
        """One of a few words."""
        if node is None or not self.is_a(node, "string"):
            return None
        if node.value in known:
            return str(node.value)
        quote = "" if known[0].isupper() else '"'
        self.add(
            node, 'unknown %s "%s"%s' % (what, node.value, suggestion(node.value, known, quote)))
        return None

    def texts(self, node: Optional[Node]) -> Optional[List[Tuple[Node, str]]]:
        """A list of strings, each with its node; bad items are left out."""
        if node is None or not self.is_a(node, "array"):
            return None
        result = []
        for item in node.value:
            value = self.text(item)
            if value is not None:
                result.append((item, value))
        return result

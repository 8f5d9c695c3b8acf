"""A JSON reader (RFC 8259) that keeps the line and the key path of every value.

It decides what is JSON and reports duplicate keys; what the values mean is left to schema.py. A missing
comma, one too many and a comment are reported, and the reader goes on, because what is meant is clear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, List, Tuple

_DEPTH_MAX = 64
_NUMBER_MAX = 400
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_CHUNK = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: line counts from 1, offset orders the problems of a line, path is
    "" for the whole file and for the text itself. column counts from 1, and is 0 for all but the text."""

    line: int
    offset: int
    path: str
    message: str
    column: int = 0


@dataclass(frozen=True)
class Node:
    """A value. kind is object, array, string, number, boolean or null; the value of an object is a
    tuple of Member, that of an array a tuple of Node, else the Python value."""

    kind: str
    value: Any
    line: int
    offset: int
    path: str


@dataclass(frozen=True)
class Member:
    """A key, at its own place, and what it stands for."""

    key: str
    line: int
    offset: int
    path: str
    node: Node


class SyntaxProblem(Exception):
    """The text is not JSON; nothing can be said about what follows. before: the problems up to there."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.before: List[Problem] = []


def parse(data: bytes) -> Tuple[Node, List[Problem]]:
    """The value that the text holds, and what is wrong with the text that does not hide the value.
    Raises SyntaxProblem."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _position(before, len(before))
        raise SyntaxProblem(line, column, "the text is not valid UTF-8") from None
    if text.startswith("\ufeff"):
        raise SyntaxProblem(1, 1, "the file starts with a byte order mark; save it without one")
    parser = _Parser(text)
    try:
        return parser.document()
    except SyntaxProblem as error:
        error.before = parser.problems
        raise


def member_path(parent: str, key: str) -> str:
    """The path of an object's member: parent.key, or parent["key"] where key is not a plain word."""
    if re.fullmatch(r"[$A-Za-z_][$A-Za-z0-9_-]*", key):
        return "%s.%s" % (parent, key) if parent else key
    return '%s["%s"]' % (parent, key.replace("\\", "\\\\").replace('"', '\\"'))


def _position(text: str, offset: int) -> Tuple[int, int]:
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._line_at = 0
        self.problems: List[Problem] = []

    def document(self) -> Tuple[Node, List[Problem]]:
        self._skip_space()
        if self._at == len(self._text):
            raise self._error("the file is empty")
        node = self._value("", 0)
        self._skip_space()
        if self._at < len(self._text):
            raise self._error("expected the end of the file, found %s" % self._found())
        return node, self.problems

    def _value(self, path: str, depth: int) -> Node:
        if depth > _DEPTH_MAX:
            raise self._error("nested deeper than %d levels" % _DEPTH_MAX)
        line, offset = self._current_line(), self._at
        char = self._peek()
        if char == "{":
            return Node("object", self._members(path, depth), line, offset, path)
        if char == "[":
            return Node("array", self._items(path, depth), line, offset, path)
        if char == '"':
            return Node("string", self._string(), line, offset, path)
        if char == "-" or char.isdigit():
            return Node("number", self._number(), line, offset, path)
        word = self._word()
        return Node("null" if word is None else "boolean", word, line, offset, path)

    def _members(self, path: str, depth: int) -> Tuple[Member, ...]:
        members: List[Member] = []
        lines = {}
        self._at += 1
        self._skip_space()
        if self._accept("}"):
            return ()
        while True:
            if members and self._peek() == "}":
                self._report('expected a key in double quotes, found "}" (no comma after the last member)')
                self._at += 1
                return tuple(members)
            if self._peek() != '"':
                raise self._error("expected a key in double quotes, found %s" % self._found())
            line, offset = self._current_line(), self._at
            key = self._string()
            here = member_path(path, key)
            self._skip_space()
            if not self._accept(":"):
                raise self._error(
                    'expected ":" after the key "%s", found %s' % (key, self._found()))
            self._skip_space()
            node = self._value(here, depth + 1)
            if key in lines:
                self.problems.append(
                    Problem(line, offset, here, "duplicate key (first on line %d)" % lines[key]))
            else:
                lines[key] = line
                members.append(Member(key, line, offset, here, node))
            self._skip_space()
            if self._accept("}"):
                return tuple(members)
            self._comma("}")

    def _items(self, path: str, depth: int) -> Tuple[Node, ...]:
        items: List[Node] = []
        self._at += 1
        self._skip_space()
        if self._accept("]"):
            return ()
        while True:
            if items and self._peek() == "]":
                self._report('expected a value, found "]" (no comma after the last item)')
                self._at += 1
                return tuple(items)
            items.append(self._value("%s[%d]" % (path, len(items)), depth + 1))
            self._skip_space()
            if self._accept("]"):
                return tuple(items)
            self._comma("]")

    def _comma(self, end: str) -> None:
        """Goes on to the next member or item. A missing comma is only a problem where one may follow."""
        if not self._accept(","):
            message = 'expected "," or "%s", found %s' % (end, self._found())
            if self._peek() != '"' and (end == "}" or self._peek() not in ("{", "[")):
                raise self._error(message)
            self._report(message)
        self._skip_space()

    def _string(self) -> str:
        start = self._at
        self._at += 1
        parts: List[str] = []
        while True:
            chunk = _CHUNK.match(self._text, self._at)
            assert chunk is not None
            parts.append(chunk.group())
            self._at = chunk.end()
            char = self._peek()
            if char == '"':
                self._at += 1
                return self._joined(parts, start)
            if char in ("", "\n", "\r"):
                self._at = start
                raise self._error("the string that starts here has no closing quote")
            if char != "\\":
                raise self._error(
                    "a control character (U+%04X) in a string; write it as an escape" % ord(char))
            parts.append(self._escape())

    def _escape(self) -> str:
        char = self._text[self._at + 1: self._at + 2]
        if char in _ESCAPES:
            self._at += 2
            return _ESCAPES[char]
        digits = self._text[self._at + 2: self._at + 6]
        if char != "u" or not re.fullmatch(r"[0-9A-Fa-f]{4}", digits):
            raise self._error("an unknown escape in a string")
        if digits == "0000":
            raise self._error("U+0000 cannot be used in a string")
        self._at += 6
        return chr(int(digits, 16))

    def _joined(self, parts: List[str], start: int) -> str:
        # A pair of \u escapes may name one character beyond U+FFFF; half a pair is no character.
        try:
            return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._at = start
            raise self._error("the string that starts here holds half a surrogate pair") from None

    def _number(self) -> Any:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            raise self._error("a malformed number")
        if len(match.group()) > _NUMBER_MAX:
            raise self._error("a number of more than %d characters" % _NUMBER_MAX)
        self._at = match.end()
        following = self._peek()
        if following.isalnum() or following in ("_", "."):
            self._at = match.start()
            raise self._error("a malformed number")
        if match.group(1) or match.group(2):
            return float(match.group())
        return int(match.group())

    def _word(self) -> Any:
        match = _WORD.match(self._text, self._at)
        if match is None or match.group() not in _WORDS:
            raise self._error("expected a value, found %s" % self._found())
        self._at = match.end()
        return _WORDS[match.group()]

    def _skip_space(self) -> None:
        """Passes over comments too, which are problems."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._at = match.end()
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return
            self._report("%s starts a comment, and JSON has none" % comment.group()[:2])
            self._at = comment.end()

    def _current_line(self) -> int:
        # Called with rising offsets, so that a file is counted once, not once a value.
        self._line += self._text.count("\n", self._line_at, self._at)
        self._line_at = max(self._line_at, self._at)
        return self._line

    def _peek(self) -> str:
        return self._text[self._at: self._at + 1]

    def _accept(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self._at += 1
        return True

    def _found(self) -> str:
        word = _WORD.match(self._text, self._at)
        if word is not None:
            return '"%s"' % word.group()
        if self._peek() == '"':
            return "a string"
        if self._peek() in ("/", "#"):
            return '"%s" (JSON has no comments)' % self._peek()
        return '"%s"' % self._peek() if self._peek() else "the end of the file"

    def _report(self, message: str) -> None:
        """A problem of the text that does not keep it from being read."""
        line, column = _position(self._text, self._at)
        self.problems.append(Problem(line, self._at, "", message, column))

    def _error(self, message: str) -> SyntaxProblem:
        line, column = _position(self._text, self._at)
        return SyntaxProblem(line, column, message)

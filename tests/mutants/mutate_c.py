"""The mutants of a C source, made from its tokens.

Only bodies of functions are mutated. Texts, directives of the preprocessor, comments and tables are left alone, and so
are log messages: a call of log_... is not deleted. Tokens are enough because a change that is no C does not compile,
and such a mutant is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.check_shape import functions
from tests.mutants.mutant import Change, Mutant, named, replaced

TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/|^[ ]*\#(?:\\\n|[^\n])*)
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign>->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|.)""",
    re.S | re.M | re.X,
)
SIGNS = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "+=": ["-="], "-=": ["+="], "++": ["--"], "--": ["++"],
}
WORDS = {"true": "false", "false": "true", "break": "continue", "continue": "break"}
COMPARISONS = {"<", "<=", ">", ">=", "==", "!="}
CONDITIONS = {"if", "while"}
# A statement begins after one of these.
BEFORE_STATEMENT = {";", "{", "}", ")", "else", "do", ":"}
NOT_A_CALL = {"if", "while", "for", "switch", "return", "sizeof", "assert"}
INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)$")


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens_of(text: str, start: int, end: int) -> list[Token]:
    return [
        Token(match.lastgroup or "", match[0], match.start())
        for match in TOKEN.finditer(text, start, end)
        if match.lastgroup != "skip"
    ]


def closing(tokens: list[Token], opening: int) -> int:
    """The index of the bracket that closes the round one at this index."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].text == "(") - (tokens[index].text == ")")
        if depth == 0:
            return index
    raise ValueError(f"a bracket is open at {tokens[opening].start}")


def other_integer(text: str) -> str | None:
    """0 becomes 1, 1 becomes 0, n becomes n + 1; None for what is no integer."""
    match = INTEGER.match(text)
    if not match:
        return None
    digits, suffix = match.groups()
    octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
    value = int(digits, 8 if octal else 0)
    value = 1 - value if value < 2 else value + 1
    return (f"{value:#x}" if digits[:2] in ("0x", "0X") else f"0{value:o}" if octal else f"{value}") + suffix


def is_one_comparison(tokens: list[Token]) -> bool:
    """Whether a mutation of its own operator, or of its !, negates the condition."""
    depth = 0
    outer = set()
    for token in tokens:
        depth -= token.text in (")", "]")
        if depth == 0:
            outer.add(token.text)
        depth += token.text in ("(", "[")
    return not outer & {"&&", "||", "?"} and (bool(outer & COMPARISONS) or tokens[0].text == "!")


def is_declared_length(tokens: list[Token], index: int) -> bool:
    """Whether the number is the length in `char name[N]`: one more element is no other program."""
    return (tokens[index - 1].text == "[" and tokens[index - 3].kind == "word"
            and tokens[index - 3].text not in ("return", "else"))


def changes_at(function: str, tokens: list[Token], index: int) -> Iterator[Change]:
    token = tokens[index]
    if token.text in SIGNS and token.kind == "sign":
        for sign in SIGNS[token.text]:
            yield replaced(function, token.start, token.end, token.text, sign)
    elif token.text == "!":
        yield Change(function, token.start, token.end, "", "without !")
    elif token.text in WORDS:
        yield replaced(function, token.start, token.end, token.text, WORDS[token.text])
    elif token.kind == "number" and not is_declared_length(tokens, index):
        integer = other_integer(token.text)
        if integer:
            yield replaced(function, token.start, token.end, token.text, integer)
    elif token.text in CONDITIONS and tokens[index + 1].text == "(":
        first, last = index + 2, closing(tokens, index + 1)
        if not is_one_comparison(tokens[first:last]):
            # As one change from bracket to bracket, because a mutant is one place of the text.
            yield Change(function, tokens[first].start, tokens[last].start, "", "negated")


def deleted_calls(function: str, text: str, tokens: list[Token]) -> Iterator[Change]:
    for index in range(1, len(tokens) - 1):
        token = tokens[index]
        if (token.kind != "word" or tokens[index + 1].text != "(" or token.text in NOT_A_CALL
                or token.text.startswith("log_") or tokens[index - 1].text not in BEFORE_STATEMENT):
            continue
        last = closing(tokens, index + 1)
        if tokens[last + 1].text == ";":
            # The lines that follow keep their numbers.
            call = text[token.start : tokens[last].end]
            yield Change(function, token.start, tokens[last].end, "\n" * call.count("\n"), "deleted")


def mutants_of(file: str, text: str) -> list[Mutant]:
    """All mutants of the source, in its order."""
    changes = []
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for function in functions(text):
        last = function.line - 1 + function.lines
        first = next(number for number in range(function.line - 1, last) if lines[number] == "{\n")
        tokens = tokens_of(text, starts[first], starts[last])
        for index in range(len(tokens)):
            for change in changes_at(function.name, tokens, index):
                if change.called == "negated":
                    change = change._replace(after=f"!({text[change.start:change.end]})")
                changes.append(change)
        changes += deleted_calls(function.name, text, tokens)
    return named(file, text, changes)

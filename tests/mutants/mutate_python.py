"""The mutants of a Python source, made from its syntax tree.

The kinds are those of C (mutate_c.py). Texts, annotations, decorators and the test whether a module is the program are
left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.mutant import Change, Mutant, named, replaced

COMPARISONS: dict[type[ast.cmpop], tuple[str, list[str]]] = {
    ast.Lt: ("<", ["<=", ">="]), ast.LtE: ("<=", ["<", ">"]), ast.Gt: (">", [">=", "<="]), ast.GtE: (">=", [">", "<"]),
    ast.Eq: ("==", ["!="]), ast.NotEq: ("!=", ["=="]), ast.Is: ("is", ["is not"]), ast.IsNot: ("is not", ["is"]),
    ast.In: ("in", ["not in"]), ast.NotIn: ("not in", ["in"]),
}
BOOLEANS: dict[type[ast.boolop], tuple[str, str]] = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
SUMS: dict[type[ast.operator], tuple[str, str]] = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}


class Source:
    """A text and where its nodes stand in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.lines = text.splitlines()

    def place(self, line: int, column: int) -> int:
        """The tree counts columns in bytes of UTF-8."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.place(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.place(node.end_lineno or 0, node.end_col_offset or 0)

    def between(self, left: ast.expr, right: ast.expr, sign: str) -> int:
        """Where the operator of two operands stands: only brackets, blanks and comments can be beside it."""
        return self.text.index(sign, self.end(left), self.start(right))


def of_comparison(source: Source, function: str, node: ast.Compare) -> Iterator[Change]:
    for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators):
        sign, others = COMPARISONS[type(operator)]
        start = source.between(left, right, sign)
        for other in others:
            yield replaced(function, start, start + len(sign), sign, other)


def of_boolean(source: Source, function: str, node: ast.BoolOp) -> Iterator[Change]:
    """All of the operators at once: half of them would ask for brackets."""
    word, other = BOOLEANS[type(node.op)]
    start, end = source.start(node), source.end(node)
    text = source.text[start:end]
    for left, right in reversed(list(zip(node.values, node.values[1:]))):
        place = source.between(left, right, word) - start
        text = text[:place] + other + text[place + len(word) :]
    yield Change(function, start, end, f"({text})", f"{word} to {other}")


def of_condition(source: Source, function: str, test: ast.expr) -> Iterator[Change]:
    """Negates what no mutation of its operator negates."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 or isinstance(test, ast.UnaryOp):
        return
    start, end = source.start(test), source.end(test)
    yield Change(function, start, end, f"(not ({source.text[start:end]}))", "negated")


def of_constant(source: Source, function: str, node: ast.Constant) -> Iterator[Change]:
    start, end = source.start(node), source.end(node)
    if isinstance(node.value, bool):
        yield replaced(function, start, end, str(node.value), str(not node.value))
    elif isinstance(node.value, int):
        other = 1 - node.value if node.value < 2 else node.value + 1
        yield replaced(function, start, end, source.text[start:end], str(other))


def of_node(source: Source, function: str, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        yield from of_comparison(source, function, node)
    elif isinstance(node, ast.BoolOp):
        yield from of_boolean(source, function, node)
    elif isinstance(node, ast.BinOp) and type(node.op) in SUMS:
        sign, other = SUMS[type(node.op)]
        start = source.between(node.left, node.right, sign)
        yield replaced(function, start, start + 1, sign, other)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield Change(function, source.start(node), source.start(node) + len("not"), "", "without not")
    elif isinstance(node, ast.Constant):
        yield from of_constant(source, function, node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        start, end = source.start(node), source.end(node)
        yield Change(function, start, end, "pass" + "\n" * source.text.count("\n", start, end), "deleted")
    elif isinstance(node, (ast.Break, ast.Continue)):
        words = ("break", "continue") if isinstance(node, ast.Break) else ("continue", "break")
        yield replaced(function, source.start(node), source.end(node), *words)
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield from of_condition(source, function, node.test)
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield from of_condition(source, function, test)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """All but annotations, which nobody runs, and decorators."""
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            yield from (child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST))


def walk(source: Source, scope: str, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        scope = f"{scope}.{node.name}" if scope else node.name
    if isinstance(node, ast.If) and not scope:
        return
    yield from of_node(source, scope or "module", node)
    # A format's own tree has places of its own, which are no places of the file before Python 3.12.
    if not isinstance(node, ast.JoinedStr):
        for child in children(node):
            yield from walk(source, scope, child)


def mutants_of(file: str, text: str) -> list[Mutant]:
    """All mutants of the source, in its order."""
    return named(file, text, walk(Source(text), "", ast.parse(text)))


def same_program(text: str, other: str) -> bool:
    """Whether both compile to the same code, wherever their lines and columns are."""
    return ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))


def statement_lines(text: str, line: int) -> tuple[int, int]:
    """The first and the last line of the innermost statement, without the block that it may have, that has the line."""
    first, last = line, line
    least = None
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        end = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
        if node.lineno <= line <= end and (least is None or end - node.lineno < least):
            first, last, least = node.lineno, end, end - node.lineno
    return first, last

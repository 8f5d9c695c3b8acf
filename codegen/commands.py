"""The commands of the generator, one row each, and how a command line finds its command.

A command is a module with two functions: configure(parser) declares its arguments, and
run(options) does the work and returns the exit status. options.program is what the person typed to
get here. A module is imported only when its command is called. Help, man page and completions read
these rows.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any, Callable, List, NamedTuple, Optional, Protocol, cast

from .checking import suggestion


class Parser(argparse.ArgumentParser):
    """Remembers what was declared, for the man page and the completions."""

    def __init__(self, **arguments: Any) -> None:
        self.declared: List[argparse.Action] = []
        super().__init__(**arguments)
        self.declared.clear()  # --help is everywhere

    def add_argument(self, *names: Any, **arguments: Any) -> argparse.Action:
        action = super().add_argument(*names, **arguments)
        self.declared.append(action)
        return action


class Module(Protocol):
    """What the module of a command offers."""

    def configure(self, parser: Parser) -> None: ...

    def run(self, options: argparse.Namespace) -> int: ...


class Command(NamedTuple):
    name: str
    module: str
    summary: str


COMMANDS = [
    Command("init", "project.init", "lay out a repository here, with definitions from a database"),
    Command("build", "project.build", "compile the definitions to the program bqsync"),
    Command("generate", "generate", "write the C, SQL and JSON of table definitions"),
    Command("infer", "infer.command", "write table definitions for an SQLite database"),
    Command("explain", "explain", "say what changed definitions will do in BigQuery"),
    Command("emit", "emit", "print the tables as sources of dbt, Dataform and other tools"),
]
# What a command line without a command's name means, where it is not empty: the build calls it so.
DEFAULT = "generate"

EXIT_STATUS = """exit status:
  0 success; 1 a check found differences, or files cannot be read or written; 2 usage,
  or infer cannot read the database; 3 a definition is wrong"""


def load(command: Command) -> Module:
    return cast(Module, importlib.import_module("." + command.module, __package__))


def parser_of(command: Command, program: str) -> Parser:
    """The parser of one command's arguments."""
    parser = Parser(
        prog="%s %s" % (program, command.name),
        description=command.summary[0].upper() + command.summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(program=program)
    load(command).configure(parser)
    return parser


def help_text(program: str) -> str:
    width = max(len(command.name) for command in COMMANDS)
    lines = ["usage: %s COMMAND [options]" % program, "", "commands:"]
    lines += ["  %-*s  %s" % (width, command.name, command.summary) for command in COMMANDS]
    lines += ["", "%s COMMAND --help describes one of them." % program, "", EXIT_STATUS, ""]
    return "\n".join(lines)


def find(name: str) -> Optional[Command]:
    return next((command for command in COMMANDS if command.name == name), None)


def unknown(name: str, program: str) -> str:
    names = [command.name for command in COMMANDS]
    hint = suggestion(name, names, quote="")
    known = "" if hint.startswith(" (one of") else "\nThe commands are: %s" % ", ".join(names)
    return "%s: unknown command %s%s%s" % (program, name, hint, known)


def main(arguments: List[str], program: str, answers: "dict[str, Callable[[], str]]") -> int:
    """answers: what is printed for an option that stands alone, such as --version."""
    first = arguments[0] if arguments else ""
    if first in ("--help", "-h"):
        sys.stdout.write(help_text(program))
        return 0
    if first in answers:
        sys.stdout.write(answers[first]())
        return 0
    if first == "" or first.startswith("-"):
        command, rest = find(DEFAULT), arguments
    else:
        command, rest = find(first), arguments[1:]
    if command is None:
        print(unknown(first, program), file=sys.stderr)
        return 2
    return load(command).run(parser_of(command, program).parse_intermixed_args(rest))

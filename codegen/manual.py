"""The generator's man page and shell completions, made from the parsers of its commands, so they
are always up to date. The build prints them: bqsync-gen --help=man."""

from __future__ import annotations

import argparse
from typing import Callable, Dict, Iterator, List

from . import commands, place

NAME = "bqsync-gen"


def _parsers() -> "Iterator[tuple[commands.Command, commands.Parser]]":
    for command in commands.COMMANDS:
        yield command, commands.parser_of(command, NAME)


def _roff(text: str) -> str:
    """Hyphens as typed in a shell, and no line that looks like a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def _names(action: argparse.Action) -> str:
    value = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return value
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else "%s %s" % (names, value)


def _help(parser: commands.Parser, action: argparse.Action) -> str:
    return (action.help or "") % {"default": action.default, "prog": parser.prog}


def man() -> str:
    lines = [
        '.TH BQSYNC\\-GEN 1 "" "bqsync %s"' % place.version(), ".SH NAME",
        "bqsync\\-gen \\- from a SQLite database to a program that mirrors it in BigQuery",
        ".SH SYNOPSIS", ".B bqsync\\-gen", ".I COMMAND", "[options]", ".SH COMMANDS"]
    for command, parser in _parsers():
        lines += [".TP", ".B " + _roff(command.name), _roff(command.summary), ".RS"]
        for action in parser.declared:
            lines += [".TP", ".B " + _roff(_names(action)), _roff(_help(parser, action))]
        lines.append(".RE")
    lines += [
        ".SH EXIT STATUS", _roff(commands.EXIT_STATUS.split(":", 1)[1].strip()),
        ".SH SEE ALSO", ".BR bqsync (1)", ""]
    return "\n".join(lines)


def _options(parser: commands.Parser) -> List[str]:
    return [name for action in parser.declared for name in action.option_strings] + ["--help"]


def bash() -> str:
    names = " ".join(command.name for command in commands.COMMANDS)
    cases = "".join(
        "    %s) options='%s' ;;\n" % (command.name, " ".join(_options(parser)))
        for command, parser in _parsers())
    return (
        "# bash completion of bqsync-gen\n_bqsync_gen()\n{\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} options='--help --version'\n"
        "    case ${COMP_WORDS[1]} in\n" + cases + "    esac\n"
        "    if [[ $word == -* ]]; then\n"
        "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
        "    elif [[ $COMP_CWORD -eq 1 ]]; then\n"
        "        COMPREPLY=($(compgen -W '" + names + "' -- \"$word\"))\n"
        "    fi\n}\ncomplete -o default -F _bqsync_gen bqsync-gen\n")


def _quoted(text: str) -> str:
    """A text in single quotes of zsh or fish, without what _describe would read."""
    for character in "[]:":
        text = text.replace(character, " ")
    return "'%s'" % text.replace("'", "'\\''")


def zsh() -> str:
    lines = ["#compdef bqsync-gen", "local -a commands options", "commands=("]
    lines += [
        "    %s:%s" % (command.name, _quoted(command.summary)) for command in commands.COMMANDS]
    lines += [")", "options=('--help' '--version')", "case $words[2] in"]
    for command, parser in _parsers():
        options = " ".join("'%s'" % name for name in _options(parser))
        lines.append("%s) options=(%s) ;;" % (command.name, options))
    lines += [
        "esac", "if [[ $words[CURRENT] == -* ]]; then", "    _describe option options",
        "elif (( CURRENT == 2 )); then", "    _describe command commands", "else", "    _files", "fi",
        ""]
    return "\n".join(lines)


def fish() -> str:
    lines = ["# fish completion of bqsync-gen"]
    for command, parser in _parsers():
        lines.append("complete -c bqsync-gen -f -n __fish_use_subcommand -a %s -d %s" % (
            command.name, _quoted(command.summary)))
        for action in parser.declared:
            for name in action.option_strings:
                kind = "-l " + name[2:] if name.startswith("--") else "-s " + name[1:]
                lines.append(
                    "complete -c bqsync-gen -n '__fish_seen_subcommand_from %s'%s %s -d %s" % (
                        command.name, "" if action.nargs == 0 else " -r", kind,
                        _quoted(_help(parser, action))))
    return "\n".join(lines) + "\n"


FORMATS: Dict[str, Callable[[], str]] = {"man": man, "bash": bash, "zsh": zsh, "fish": fish}

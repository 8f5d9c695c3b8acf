"""Generated C and the installed libraries -> a program, with a C compiler and nothing else.

What has not changed is not compiled again: an object's key is a hash of everything that it is made
from, so neither clocks nor copied folders matter.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import shlex
import shutil
import subprocess
from typing import Dict, List, NamedTuple, Sequence, Tuple

from ..place import Layout

_STATE = "state.json"


class Failed(Exception):
    """For people: what could not be compiled or linked. said: what the compiler has printed, whose lines
    begin with a place in a file."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class Tools(NamedTuple):
    """The compiler and the options that the environment adds: CC, CFLAGS and LDFLAGS."""

    compiler: List[str]
    compile_options: List[str]
    link_options: List[str]


def tools(environment: "os._Environ[str]") -> Tools:
    compiler = shlex.split(environment.get("CC", "")) or ["cc"]
    if shutil.which(compiler[0]) is None:
        raise Failed("there is no C compiler %s; install one (Debian: apt-get install gcc libc6-dev),"
                     " or name another in CC" % compiler[0])
    return Tools(compiler, shlex.split(environment.get("CFLAGS", "")),
                 shlex.split(environment.get("LDFLAGS", "")))


class Builder:
    """Compiles and links into one folder of objects. Raises Failed, and OSError."""

    def __init__(self, layout: Layout, chosen: Tools, objects: str) -> None:
        self._layout = layout
        self._tools = chosen
        self._objects = objects
        self._state: Dict[str, str] = {}
        os.makedirs(objects, exist_ok=True)
        try:
            with open(os.path.join(objects, _STATE), encoding="utf-8") as file:
                self._state = dict(json.load(file))
        except (OSError, ValueError):
            pass  # the first build, or an interrupted one: everything is compiled

    def build(self, sources: Sequence[str], program: str) -> str:
        """Makes the program of these files in C. Returns the warnings."""
        try:
            objects, warnings = self._compile_all(sources)
            return warnings + self._link(objects, program)
        finally:
            self._save()

    def _compile_all(self, sources: Sequence[str]) -> Tuple[List[str], str]:
        command = [*self._tools.compiler, *self._layout.compile_options, *self._tools.compile_options]
        for folder in self._layout.includes:
            command += ["-iquote", folder]
        common = [*command, _identity(self._tools.compiler[0]), *map(_content, self._headers())]
        work: Dict[str, List[str]] = {}
        keys: Dict[str, str] = {}
        for source in sources:
            target = self._object(source)
            headers = [_content(os.path.splitext(source)[0] + ".h"), _content(source)]
            keys[target] = _key([*common, source, *headers])
            if self._state.get(target) != keys[target] or not os.path.exists(target):
                work[target] = [*command, "-c", "-o", target + ".new", source]
        self._remove_others(keys)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            running = {
                target: threads.submit(_run, arguments, target) for target, arguments in work.items()}
        problems = []
        warnings = ""
        for target, future in running.items():
            try:
                warnings += future.result()
                self._state[target] = keys[target]
            except Failed as problem:
                problems.append(problem)
        if problems:
            # What is wrong with the compiler or its options is wrong with each file.
            others = len(problems) - 1
            more = "\n%d other %s failed too" % (others, "file" if others == 1 else "files") if others else ""
            raise Failed(str(problems[0]) + more, problems[0].said)
        return list(keys), warnings

    def _link(self, objects: List[str], program: str) -> str:
        layout = self._layout
        command = [*self._tools.compiler, *self._tools.compile_options, *self._tools.link_options]
        arguments = [*command, "-o", program + ".new", *objects, layout.archive, *layout.link_options]
        key = _key([*arguments, _content(layout.archive), *(self._state[name] for name in objects)])
        if self._state.get(program) == key and os.path.exists(program):
            return ""
        # Renamed, because a running program cannot be written to.
        warnings = _run(arguments, program)
        self._state[program] = key
        return warnings

    def _object(self, source: str) -> str:
        name = os.path.splitext(os.path.basename(source))[0] + ".o"
        return os.path.join(self._objects, name)

    def _remove_others(self, wanted: Dict[str, str]) -> None:
        """Objects of tables that are no longer defined."""
        for name in os.listdir(self._objects):
            path = os.path.join(self._objects, name)
            if name.endswith((".o", ".o.new")) and path not in wanted:
                os.remove(path)
        self._state = {
            name: key for name, key in self._state.items() if os.path.exists(name)}

    def _headers(self) -> List[str]:
        return [
            os.path.join(folder, group, name)
            for folder in self._layout.includes for group in ("base", "encode")
            for name in sorted(os.listdir(os.path.join(folder, group))) if name.endswith(".h")]

    def _save(self) -> None:
        path = os.path.join(self._objects, _STATE)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self._state, file, indent=1, sort_keys=True)
        os.replace(path + ".new", path)


def _run(arguments: List[str], target: str) -> str:
    """Runs the compiler, which writes <target>.new. Returns what it has printed."""
    ended = subprocess.run(arguments, capture_output=True, encoding="utf-8", errors="replace")
    if ended.returncode != 0:
        raise Failed("%s failed with status %d: %s" % (
            arguments[0], ended.returncode, " ".join(map(shlex.quote, arguments))), ended.stderr)
    os.replace(target + ".new", target)
    return ended.stderr


def _identity(compiler: str) -> str:
    """Tells one compiler from another, without asking it."""
    path = os.path.realpath(shutil.which(compiler) or compiler)
    found = os.stat(path)
    return "%s %d %d" % (path, found.st_size, found.st_mtime_ns)


def _content(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _key(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

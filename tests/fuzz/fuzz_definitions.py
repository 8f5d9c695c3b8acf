"""Definitions of tables, mutated: each is either right, and then what is generated from it is C that a compiler takes
and JSON, or it is wrong, and then every message names its file and line. Nothing else may happen.

python3 -m tests.fuzz.fuzz_definitions [--seconds S | --runs N] [--seed N] [FILE]

Prints the seed, and keeps a definition that breaks this in the folder that --found names. FILE runs one again.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
from typing import Any, Iterator, List, Tuple

from codegen import output, schema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# One in so many right definitions is compiled: a compiler takes longer than all the rest.
COMPILED = 40
POOL: List[Any] = [
    None, True, False, 0, -1, 1, 1.5, 2 ** 63, 10 ** 30, "", "id", "ID", "a\"b", "x y", "é", "\ud800", "\x00", "`",
    "'", "${project}", "*/", "//", "??/", "%s", "a" * 301, [], {}, [[]], ["id"], ["id", "id"], "INT64", "JSON",
    "STRING", "upsert", "append", "replace", "sha256", "truncate:3", "redact", "hmac_sha256:K", "julian", "unix_s",
    "go", "Europe/Berlin", "1 = 1", "id > 0", "id in (select 1)", "/*", "--", ";", "mark", "keep", "column", "fail",
    "scan", "triggers"]


def seeds() -> List[bytes]:
    """The definitions of the golden cases; those that are right count more, as a mutation seldom makes one right."""
    kinds = ("good_*", "good_*", "good_*", "bad_*")
    return [path.read_bytes() for kind in kinds
            for path in sorted((ROOT / "tests" / "golden").glob(kind + "/schemas/*.json"))
            if path.name != "table.schema.json"]


def places(value: Any) -> Iterator[Tuple[Any, Any]]:
    """Every member of every object and array: its container and its key or index."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def mutate_tree(rng: random.Random, content: bytes, other: bytes) -> bytes:
    try:
        tree, donor = json.loads(content), json.loads(other)
    except (ValueError, RecursionError):
        return mutate_bytes(rng, content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        found = list(places(tree))
        if not found:
            break
        container, key = rng.choice(found)
        kind = rng.randrange(6)
        if kind == 0:
            del container[key]
        elif kind == 1 and isinstance(container, dict):
            container[rng.choice([name for name in POOL if isinstance(name, str)])] = container.pop(key)
        elif kind == 2 and isinstance(container, list):
            container.insert(rng.randrange(len(container) + 1), copy.deepcopy(container[key]))
        elif kind == 3:
            taken = list(places(donor))
            if taken:
                source, name = rng.choice(taken)
                named = isinstance(container, dict) and isinstance(name, str)
                container[name if named else key] = copy.deepcopy(source[name])
        else:
            container[key] = copy.deepcopy(rng.choice(POOL))
    text = json.dumps(tree, indent=rng.choice((None, 2)), ensure_ascii=rng.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def mutate_bytes(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(changed) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            del changed[at:at + rng.choice((1, 1, 5, 100))]
        elif kind == 1:
            changed[at:at] = rng.choice(
                (b"{", b"}", b"[", b",", b":", b"\"", b"\\u00", b"\xff", b"\n", b"\x00", b"1e999", b"//"))
        elif kind == 2:
            changed[at:at + 1] = bytes([rng.randrange(256)])
        else:
            end = at + rng.randrange(1, 40)
            changed[at:at] = changed[at:end]
    return bytes(changed)


class Fuzzer:
    def __init__(self, folder: str):
        self.folder = folder
        self.right = self.compiled = 0

    def run(self, content: bytes) -> None:
        """Raises an exception if the promise does not hold."""
        schemas = os.path.join(self.folder, "schemas")
        os.makedirs(schemas, exist_ok=True)
        for name in os.listdir(schemas):
            os.unlink(os.path.join(schemas, name))
        pathlib.Path(schemas, self.name_of(content)).write_bytes(content)
        loaded = schema.load(schemas, "schemas")
        for message in loaded.messages:
            if not re.match(r"schemas/[^:]*\.json:[0-9]+(:[0-9]+)?: .", message) or "\n" in message:
                raise AssertionError("a message without a place: %r" % message)
        if not loaded.messages:
            self.right += 1
            self.check_files(output.render(loaded.tables))

    def name_of(self, content: bytes) -> str:
        """A definition stands in the file of its table's name, where that can be one."""
        found = re.search(rb'"table"\s*:\s*"([A-Za-z_][A-Za-z0-9_]{0,60})"', content)
        return (found[1].decode() if found else "t") + ".json"

    def check_files(self, files: "dict[str, str]") -> None:
        for name, text in files.items():
            text.encode("utf-8")
            if name.endswith(".json"):
                json.loads(text)
        if self.right % COMPILED != 1:
            return
        self.compiled += 1
        generated = os.path.join(self.folder, "generated")
        os.makedirs(generated, exist_ok=True)
        for name in os.listdir(generated):
            os.unlink(os.path.join(generated, name))
        for name, text in files.items():
            pathlib.Path(generated, name).write_text(text, "utf-8")
        sources = [os.path.join(generated, name) for name in files if name.endswith(".c")]
        subprocess.run(["cc", "-std=c17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I" + str(ROOT / "runtime"),
                        "-I" + generated, *sources], check=True)


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.fuzz.fuzz_definitions")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(2 ** 32))
    parser.add_argument("--found", default=".")
    parser.add_argument("file", nargs="?")
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    corpus = seeds()
    end = time.monotonic() + options.seconds
    runs = 0
    print("seed %d" % options.seed)
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(folder)
        if options.file:
            fuzzer.run(pathlib.Path(options.file).read_bytes())
        while not options.file and (runs < options.runs if options.runs else time.monotonic() < end):
            content = rng.choice(corpus)
            if rng.random() < 0.8:
                content = mutate_tree(rng, content, rng.choice(corpus))
            else:
                content = mutate_bytes(rng, content)
            runs += 1
            try:
                fuzzer.run(content)
            except Exception:
                path = pathlib.Path(options.found, "definitions-%d-%d.json" % (options.seed, runs))
                path.write_bytes(content)
                print("%s breaks a promise" % path, file=sys.stderr)
                raise
    print("%d definitions, %d right, %d compiled" % (runs, fuzzer.right, fuzzer.compiled))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

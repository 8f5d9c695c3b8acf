"""The definitions at a git ref, or in a folder: what `explain` compares with. Runs git and reads
files; writes to a temporary folder only."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import Tuple

from . import schema


class Unreadable(Exception):
    """Why there is nothing to compare with, for people."""


def load(base: str, directory: str) -> schema.Loaded:
    """The definitions of `base`: of that folder if there is one, else those that `directory` held at
    that ref. A ref at which there were none has no tables. Raises Unreadable."""
    if os.path.isdir(base):
        try:
            return schema.load(base)
        except OSError as error:
            raise Unreadable("%s: cannot be read: %s" % (base, error.strerror)) from None
    return _load_ref(base, directory)


def _load_ref(ref: str, directory: str) -> schema.Loaded:
    commit, complaint = _git(
        directory, "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}")
    if complaint:
        raise Unreadable("%s is not a folder, and git says: %s" % (ref, complaint))
    if not commit:
        raise Unreadable(
            "%s is neither a folder nor a commit of the repository that holds %s; a shallow clone has "
            "to fetch it first" % (ref, directory))
    name = commit.decode("ascii").strip()
    listed, _ = _git(directory, "ls-tree", "-z", name, "./")
    with tempfile.TemporaryDirectory(prefix="bqsync-gen-") as copy:
        found = [
            _copy(directory, name, entry, copy) for entry in listed.split(b"\0")
            if _is_definition(entry)]
        if not found:
            return schema.Loaded((), ())
        return schema.load(copy, shown="%s:%s" % (ref, os.path.normpath(directory)))


def _is_definition(entry: bytes) -> bool:
    """entry: mode, type, object, a tab, path. Links and folders are no definitions."""
    head, _, path = entry.partition(b"\t")
    return b" blob " in head and head[:3] == b"100" and schema.is_definition(
        os.path.basename(os.fsdecode(path)))


def _copy(directory: str, commit: str, entry: bytes, copy: str) -> str:
    head, _, path = entry.partition(b"\t")
    name = os.path.basename(os.fsdecode(path))
    content, complaint = _git(directory, "cat-file", "blob", head.split()[2].decode("ascii"))
    if complaint:
        raise Unreadable("%s:%s cannot be read: %s" % (commit, name, complaint))
    with open(os.path.join(copy, name), "wb") as file:
        file.write(content)
    return name


def _git(directory: str, *arguments: str) -> Tuple[bytes, str]:
    """What git prints, and the first line of what it complains of if it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", directory, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
            check=False)
    except OSError as error:
        raise Unreadable("git cannot be run: %s" % error.strerror) from None
    if done.returncode == 0:
        return done.stdout, ""
    return b"", done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]

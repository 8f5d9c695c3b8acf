"""Keeps what programs print and the secrets that tests hand to them, so that the last test of a run can look for
the ones in the others (no_secret.py).

ctest names the folder in $BQSYNC_PRINTED; without it nothing is kept. Each test program has files of its own:
    ran/WHO                 it had a program to run
    keys/WHO                its secrets, "NAME<TAB>VALUE" a line
    bqsync/WHO, bqlocal/WHO what these printed or answered
"""

import base64
import json
import os
import pathlib
import re
import sys

# A dump of debugging output is looked at up to here; what goes beyond is counted and told.
KEPT_BYTES_MAX = 16_000_000
# Anything shorter occurs by chance, and a test that hands it over could not be told from one that leaks it.
SECRET_LENGTH_MIN = 8

_SCHEMAS = pathlib.Path(__file__).resolve().parent.parent
_known = set()


def folder():
    """Where to keep it; None: nowhere."""
    name = os.environ.get("BQSYNC_PRINTED")
    return pathlib.Path(name) if name else None


def _append(kind, data):
    if folder() is None:
        return
    path = folder() / kind / f"{pathlib.Path(sys.argv[-1]).stem}-{os.getpid()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        file.write(data)


def ran():
    """This test program runs programs of ours: output and secrets of it have to be there at the end."""
    _append("ran", b"")


def keep(kind, what, *texts):
    """Keeps what a program ("bqsync" or "bqlocal") printed or answered; bytes, str or None each."""
    data = b"".join(text.encode(errors="replace") if isinstance(text, str) else text or b"" for text in texts)
    if len(data) > KEPT_BYTES_MAX:
        data = data[:KEPT_BYTES_MAX] + f"\n== cut: {len(data) - KEPT_BYTES_MAX} bytes not kept".encode()
    if data:
        _append(kind, f"== {what}\n".encode() + data + b"\n")


def secret(name, value):
    """This test program knows a secret from here on; of a text of several lines each is one."""
    for line in value.splitlines():
        line = line.strip()
        if not line or line.startswith("-----") or (name, line) in _known:
            continue
        if len(line) < SECRET_LENGTH_MIN:
            if line == value:
                raise ValueError(f"{name} is too short to be found again: take {SECRET_LENGTH_MIN} characters or more")
            continue
        _known.add((name, line))
        _append("keys", f"{name}\t{line}\n".encode())


def _credentials(text):
    """The secrets of a credentials file, or of a variable that holds one, perhaps in base64."""
    if not text.lstrip().startswith("{"):
        try:
            text = base64.b64decode(text + "===", altchars="-_" if set("-_") & set(text) else None).decode()
        except ValueError:
            return
    try:
        document = json.loads(text)
    except ValueError:
        return
    for name in ("private_key", "client_secret", "refresh_token"):
        if isinstance(document, dict) and isinstance(document.get(name), str):
            secret(name, document[name])


def _settings(text):
    """The variables of a .env file, as far as tests write them."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs}


def _read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _pepper_variables():
    """The variables from which the tests' definitions take keys."""
    for path in _SCHEMAS.glob("**/schemas/*.json"):
        yield from re.findall(r"hmac_sha256:(\w+)", _read(path))


def _dsn_key(dsn):
    """What a DSN holds in front of its host; all of one that has another form."""
    found = re.match(r"\w+://([^@/]+)@", dsn)
    return found[1].replace(":", "\n") if found else dsn


def secrets_of(environment, working_folder):
    """Takes note of every secret that a program started so is given."""
    if folder() is None:
        return
    env_file = pathlib.Path(working_folder) / ".env"
    # A pipe gives its text only once.
    given = {**_settings(_read(env_file) if env_file.is_file() else ""), **environment}
    for name in {"BQ_ADMIN_TOKEN", "BUGSNAG_API_KEY", *_pepper_variables()}:
        secret(name, given.get(name, ""))
    secret("SENTRY_DSN", _dsn_key(given.get("SENTRY_DSN", "")))
    credentials = given.get("GOOGLE_APPLICATION_CREDENTIALS") or "/nonexistent"
    _credentials(_read(credentials) or credentials)

"""Secrets and personal data by the shape of values: what the columns of any name may hold."""

from __future__ import annotations

import re
from collections import Counter
from typing import Tuple

_SHAPE = re.compile(
    r"""(?P<password_hash>\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{53} | \$argon2(?:id|i|d)\$\S+
          | \$(?:1|5|6|7|y|gy|P|H|S|wp|apr1|sha1|md5|scrypt|pbkdf2\S*)\$\S+ | pbkdf2_\w+\$\S+
          | bcrypt(?:_sha256)?\$\S+ | argon2\$\S+ | scrypt[:$]\S+ | pbkdf2:\w+\S*
          | \{(?:SSHA|SHA|SMD5|MD5|CRYPT|ARGON2|PBKDF2|bcrypt)[0-9]*\}\S+ | SCRAM-SHA-[0-9]+\$\S+
          | (?:sha1|sha256|md5)\$[^\s$]*\$[0-9a-f]{32,64} | md5[0-9a-f]{32} | \*[0-9A-F]{40})
      | (?P<token>eyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]* | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_\w{20,}
          | gl(?:pat|dt|rt)-[\w-]{20,} | xox[abeprs]-[\w-]{10,} | xapp-[\w-]{20,} | [sr]k_(?:live|test)_\w{10,}
          | sk-[\w-]{20,} | A[KS]IA[0-9A-Z]{16} | AIza[\w-]{35} | SG\.[\w-]{16,}\.[\w-]{16,}
          | ya29\.[\w-]{20,} | GOCSPX-[\w-]{20,} | npm_[A-Za-z0-9]{20,} | pypi-AgE[\w-]{12,}
          | hf_[A-Za-z0-9]{20,} | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{24,} | do[opr]_v1_[0-9a-f]{32,}
          | dckr_pat_[\w-]{20,} | whsec_[\w+/=-]{20,} | [0-9]{8,10}:AA[\w-]{30,}
          | [MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,} | Bearer\ [\w.~+/=-]{20,}
          | https://hooks\.slack\.com/(?:services|workflows|triggers)/\S+
          | https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/\S+)
      | (?P<key>-----BEGIN\ (?:[A-Z0-9]+\ )*PRIVATE\ KEY[\s\S]* | PuTTY-User-Key-File-[\s\S]*
          | (?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]+)\ AAAA[\s\S]* | AGE-SECRET-KEY-1[A-Z0-9]{40,}
          | otpauth(?:-migration)?://\S+)""", re.VERBOSE).fullmatch
_SHAPE_FIRST = frozenset("$*-{0123456789ABDGMNOPSabdeghmnopswxy")
# user:password@ in an address, and what programs connect to databases and stores with.
_LOGIN_URL = re.compile(r"[A-Za-z][\w+.-]*://[^\s/:@?#]*:[^\s/@]+@\S+").fullmatch
_CONNECTION = re.compile(
    r"""(?: (?:[A-Za-z\ ]+=[^;]*;\s*)* (?:password|pwd|accountkey|sharedaccesskey)\s*=\s*[^;\s].*
          | (?:\w+=\S*\s+)* password=\S.* | jdbc:\S+[?&;]password=[^&;\s]\S* )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL).fullmatch
_EMAIL = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:.]+(?:\.[^\s@<>\"(),;:.]+)*\.[^\W\d_]{2,}").fullmatch
_CARD = re.compile(r"[2-6](?:[ -]?[0-9]){12,18}").fullmatch
_PHONE = re.compile(
    r"\+[1-9][0-9 ().-]{5,18}[0-9] | (?:1[ .-])?\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}",
    re.VERBOSE).fullmatch
_LENGTH_MAX = 16384
# What else is worth note_shape's time has an @ or a = in it.
SHAPE_FIRST = _SHAPE_FIRST | frozenset("+(")

SECRET_SHAPES = {
    "password_hash": "a password hash", "token": "a token", "key": "a key",
    "login": "an address with a password in it"}
PERSONAL_SHAPES = {
    "email": "an e-mail address", "phone": "a phone number", "card": "a card number"}


def note_shape(text: str, count: int, shapes: "Counter[str]") -> None:
    """Counts the text if it has the shape of a secret or of personal data."""
    length = len(text)
    if length < 7 or length > _LENGTH_MAX:
        return
    first = text[0]
    if text.isalnum():
        # Hashes and identifiers, of which a database has many.
        if text.isdigit() and _CARD(text):
            shapes["card" if has_check_digit(text) else "no_card"] += count
        elif first in "Am":
            found = _SHAPE(text)
            if found:
                shapes[found.lastgroup or ""] += count
        return
    if first in _SHAPE_FIRST and length >= 15:
        found = _SHAPE(text)
        if found:
            shapes[found.lastgroup or ""] += count
            return
    if ("@" in text and _LOGIN_URL(text)) or (
            "=" in text and (";" in text or "assword" in text) and _CONNECTION(text)):
        shapes["login"] += count
    elif "@" in text:
        if _EMAIL(text):
            shapes["email"] += count
    elif length <= 40 and (first.isdigit() or first in "+("):
        if length >= 13 and _CARD(text):
            shapes["card" if has_check_digit(text) else "no_card"] += count
        elif _PHONE(text):
            shapes["phone"] += count


def has_check_digit(text: str) -> bool:
    """Luhn's formula (ISO/IEC 7812-1, annex B), for a number of an issuer that exists."""
    digits = [int(char) for char in text if char.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def secret_by_shape(shapes: "Counter[str]") -> Tuple[str, int]:
    """One such value is enough. What it is, and how many there are."""
    for shape, what in SECRET_SHAPES.items():
        if shapes[shape]:
            return what, shapes[shape]
    return "", 0


def personal_by_shape(shapes: "Counter[str]", values: int) -> Tuple[str, int]:
    """A fifth of the values has to look so. Any number has a right check digit once in ten times, so
    of what could be cards nearly all have to."""
    for shape, what in PERSONAL_SHAPES.items():
        count = shapes[shape]
        if shape == "card" and count < 10 * shapes["no_card"]:
            continue
        if count and count * 5 >= values:
            return what, count
    return "", 0

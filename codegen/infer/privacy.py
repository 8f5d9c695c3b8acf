"""Secrets and personal data by the name of a column; shapes.py knows them by their values.

A secret (a password, its hash, a token, a private key) has no use in a warehouse and is left out.
Data of persons (an address, a number) is hashed, so that it can still be counted and joined.
"""

from __future__ import annotations

from .names import words

# A name that ends so speaks about a secret, and is none: token_type, email_verified_at.
_ABOUT = frozenset(
    """type kind algorithm algo method status count template subject body format length policy label
    version provider scope scopes id ids at on by url uri path enabled verified confirmed required
    expiry expires expiration expired date time iterations limit attempts state name changed""".split())
_SECRET_PARTS = ("password", "passwd", "passphrase", "secret", "apikey", "privatekey", "accesskey",
                 "authtoken", "accesstoken", "refreshtoken", "passcode", "securitystamp")
_SECRET_WORDS = frozenset(
    """pwd pass token secret salt otp totp hotp mfa csrf jwt credential credentials cvv cvc
    pin rands secure encrypted""".split())
_KEY_WORDS = frozenset("api private access auth encryption secret signing ssh session hmac".split())
_HASH_OWNERS = frozenset(
    """user users account accounts member members customer customers admin admins login logins auth
    person people employee employees credential credentials""".split())
# Tables whose content is secret as a whole, and what it is called there.
_JARS = ("cookie", "session", "secret", "credential", "apikey", "accesskey", "accesstoken", "authtoken",
         "refreshtoken", "resettoken", "twofactor", "totp", "recoverycode")
_JAR_COLUMNS = frozenset("value payload data key code".split())
_PERSONAL_WORDS = {
    "email": "an e-mail address", "mail": "an e-mail address", "phone": "a phone number",
    "mobile": "a phone number", "telephone": "a phone number", "tel": "a phone number",
    "fax": "a phone number", "msisdn": "a phone number", "iban": "a bank account",
    "ssn": "a social security number", "passport": "a passport's number"}
_PERSONAL_PARTS = {
    "email": "an e-mail address", "phonenumber": "a phone number", "cardnumber": "a card number",
    "creditcard": "a card number", "socialsecurity": "a social security number",
    "nationalid": "an identity number", "taxid": "a tax number", "bankaccount": "a bank account"}


def secret_by_name(table: str, column: str) -> str:
    """What the column seems to hold, "" if its name says nothing."""
    found = words(column)
    if found == ("id",) and words(table)[-1:] in (("session",), ("sessions",)):
        return "a session, and who knows its id is logged in"
    if not found or found[-1] in _ABOUT:
        return ""
    flat = "".join(found).replace("secretar", "")
    if any(part in flat for part in _SECRET_PARTS):
        return "a password or a secret"
    if set(found) & _SECRET_WORDS:
        return "a password or a secret"
    if "key" in found and set(found) & _KEY_WORDS:
        return "a key"
    if found[-1] in ("hash", "digest") and (len(found) == 1 or found[-2] in ("pw", "login")):
        if len(found) > 1 or set(words(table)) & _HASH_OWNERS:
            return "a password hash"
    jar = "".join(words(table))
    if any(word in jar for word in _JARS) and found[-1] in _JAR_COLUMNS | {"hash"}:
        return "what is secret in such a table"
    return ""


def personal_by_name(column: str) -> str:
    found = words(column)
    if not found or found[-1] in _ABOUT - {"id"}:
        return ""
    flat = "".join(found)
    for part, what in _PERSONAL_PARTS.items():
        if part in flat:
            return what
    if found[-1] == "id":
        return ""
    if "card" in found and found[-1] in ("number", "no", "num", "pan"):
        return "a card number"
    return next((what for word, what in _PERSONAL_WORDS.items() if word in found), "")

"""Secrets and personal data by the name of a column; shapes.py knows them by their values.

A secret (a password, its hash, a token, a private key) has no use in a warehouse and is left out.
Data of persons (an address, a number) is hashed, so that it can still be counted and joined.
"""

from __future__ import annotations

from typing import Tuple

from .names import asks, words

# A name that ends so speaks about a secret, and is none: token_type, email_verified_at.
_ABOUT = frozenset(
    """type kind algorithm algo method status count template subject body format length policy label
    version provider scope scopes id ids at on by url uri path enabled verified confirmed required
    expiry expires expiration expired date time iterations limit attempts state name changed""".split())
_SECRET_PARTS = ("password", "passwd", "passphrase", "secret", "apikey", "privatekey", "privkey", "accesskey",
                 "authtoken", "accesstoken", "refreshtoken", "idtoken", "passcode", "securitystamp",
                 "pwhash", "userpass", "dbpass", "smtppass", "connectionstring", "connstring", "securityanswer",
                 "codeverifier", "presharedkey", "masterkey", "seedphrase", "walletseed", "recoveryphrase", "mnemonic",
                 "passwort", "kennwort", "contrasena", "motdepasse", "wachtwoord")
_SECRET_WORDS = frozenset(
    """pwd pw pass token secret salt otp totp hotp mfa csrf jwt credential credentials creds cvv cvc
    pin rands secure encrypted psk jwk xprv senha""".split())
# Words of ordinary names that are secrets if nothing else stands beside them.
_SECRET_NAMES = frozenset("auth authorization bearer cookie cookies crypt dsn nonce pem pepper".split())
_KEY_WORDS = frozenset(
    """api private access auth encryption enc secret signing ssh session hmac master aes pgp gpg wpa
    wifi shared recovery activation tls ssl rsa stripe openai""".split())
_CODE_WORDS = frozenset(
    "recovery backup unlock security reset verification activation login auth access".split())
# What is secret although it is a number; others, such as salt or token, may count something.
_NUMBER_PARTS = ("password", "passwd", "passcode", "securitycode", "unlockcode", "verificationcode",
                 "accesscode", "recoverycode", "backupcode")
_NUMBER_WORDS = frozenset("pwd pw pin cvv cvc otp totp".split())
_STORES = frozenset("database db connection jdbc mongo mongodb redis postgres postgresql mysql amqp".split())
_SESSION_IDS = frozenset("id uid uuid guid hash identifier".split())
_SESSIONS = frozenset("session sid sess sessid sessionid phpsessid jsessionid".split())
_HASH_OWNERS = frozenset(
    """user users account accounts member members customer customers admin admins login logins auth
    person people employee employees credential credentials""".split())
# Tables whose content is secret as a whole, and what it is called there.
_JARS = ("cookie", "session", "secret", "credential", "apikey", "accesskey", "accesstoken", "authtoken",
         "refreshtoken", "resettoken", "twofactor", "totp", "recoverycode", "otpcode", "passwordreset", "invite")
_JAR_COLUMNS = frozenset("value payload data key code sess".split())
_PERSONAL_WORDS = {
    "email": "an e-mail address", "mail": "an e-mail address", "phone": "a phone number",
    "mobile": "a phone number", "telephone": "a phone number", "tel": "a phone number",
    "fax": "a phone number", "msisdn": "a phone number", "iban": "a bank account",
    "ssn": "a social security number", "passport": "a passport's number"}
_PERSONAL_PARTS = {
    "email": "an e-mail address", "phonenumber": "a phone number",
    "creditcard": "a card number", "socialsecurity": "a social security number",
    "cardnum": "a card number", "ccnum": "a card number", "accountnumber": "a bank account",
    "routingnumber": "a bank account", "aadhaar": "an identity number", "aadhar": "an identity number",
    "nationalid": "an identity number", "taxid": "a tax number", "bankaccount": "a bank account"}


def secret_by_name(table: str, column: str) -> str:
    """What the column seems to hold, "" if its name says nothing."""
    found = words(column)
    if _is_address(found):
        return "an address that lets people in"
    if not found or found[-1] in _ABOUT:
        return ""
    flat = "".join(found).replace("secretar", "")
    if any(part in flat for part in _SECRET_PARTS) or flat in _SECRET_NAMES:
        return "a password or a secret"
    if set(found) & _SECRET_WORDS or found[-1].endswith("token"):
        return "a password or a secret"
    if {"key", "keys"} & set(found) and set(found) & _KEY_WORDS:
        return "a key"
    if found[-1] in ("code", "codes") and set(found) & _CODE_WORDS:
        return "a code that lets people in"
    if found[-1] in ("hash", "digest") and (len(found) == 1 or found[-2] == "login"):
        if len(found) > 1 or set(words(table)) & _HASH_OWNERS:
            return "a password hash"
    jar = "".join(words(table))
    if any(word in jar for word in _JARS) and found[-1] in _JAR_COLUMNS | {"hash"} or (
            "wallet" in jar and found[-1] == "seed"):
        return "what is secret in such a table"
    return ""


def _is_address(found: Tuple[str, ...]) -> bool:
    """magic_link, reset_url, database_url, connection_string."""
    last, others = found[-1:], set(found[:-1])
    if last in (("link",), ("url",)):
        return bool(others & {"magic", "reset"}) or last == ("url",) and bool(others & _STORES)
    return last in (("uri",), ("string",)) and bool(others & _STORES)


def is_secret_number(column: str) -> bool:
    """Whether a column of numbers that secret_by_name knows is one, and neither counts nor asks."""
    found = words(column)
    flat = "".join(found)
    return not asks(column) and (
        bool(set(found) & _NUMBER_WORDS) or any(part in flat for part in _NUMBER_PARTS))


def session_by_name(table: str, column: str) -> str:
    """Who knows the id of a session is logged in. It cannot be guessed, so its hash does no harm."""
    found = words(column)
    named = len(found) == 1 and found[0] in _SESSIONS
    identified = len(found) > 1 and found[-1] in _SESSION_IDS and found[-2] in ("session", "sess")
    own = found == ("id",) and words(table)[-1:] in (("session",), ("sessions",))
    if named or identified or own or (len(found) > 1 and found[-1] in _SESSIONS - {"session", "sid", "sess"}):
        return "a session, and who knows its id is logged in"
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
    if found[-1] in ("number", "no", "num", "pan") and {"card", "cc", "pan"} & set(found):
        return "a card number"
    return next((what for word, what in _PERSONAL_WORDS.items() if word in found), "")

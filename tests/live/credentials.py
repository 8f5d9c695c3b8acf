"""An access token for the live test: of a service account's key, else of gcloud's login."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

SCOPE = "https://www.googleapis.com/auth/bigquery"


def url_safe(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(key):
    """The assertion that a service account's key signs (RFC 7523); Python has no RSA, so openssl signs."""
    now = int(time.time())
    claims = {"iss": key["client_email"], "scope": SCOPE, "aud": key["token_uri"], "iat": now, "exp": now + 3600}
    parts = ({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]}, claims)
    text = b".".join(url_safe(json.dumps(part).encode()) for part in parts)
    with tempfile.NamedTemporaryFile("w") as file:  # readable by this user only
        file.write(key["private_key"])
        file.flush()
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", file.name], input=text, capture_output=True, check=True)
    return (text + b"." + url_safe(signature.stdout)).decode()


def token(path):
    """path: a credentials file, or None for gcloud's login."""
    if path is not None:
        with open(path) as file:
            key = json.load(file)
        if key.get("type") == "service_account":
            body = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed(key)}
            with urllib.request.urlopen(key["token_uri"], urllib.parse.urlencode(body).encode(), timeout=60) as answer:
                return json.load(answer)["access_token"]
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise AssertionError(
            "set GOOGLE_APPLICATION_CREDENTIALS to the key of a service account, or install gcloud and log in")
    command = [gcloud, "auth", "application-default", "print-access-token"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

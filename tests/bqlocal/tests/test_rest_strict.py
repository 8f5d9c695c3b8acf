"""Strict mode of bqlocal: tokens as Google hands them out, and TLS."""

import base64
import json
import pathlib
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from tests.support.bqlocal import Bqlocal, HttpError

SCOPE = "https://www.googleapis.com/auth/bigquery"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EMAIL = "robot@p.iam.gserviceaccount.com"


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, capture_output=True).stdout


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


class RestStrict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name)
        for name in ("key", "other"):
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
                    str(path / f"{name}.pem"))
        openssl("pkey", "-in", str(path / "key.pem"), "-pubout", "-out", str(path / "public.pem"))
        cls.path = path

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def serve(self, **options):
        document = {"accounts": [{"client_email": EMAIL, "public_key_file": "public.pem",
                                  "private_key_id": "k1"}], **options}
        file = self.path / "strict.json"
        file.write_text(json.dumps(document))
        bq = Bqlocal(args=["--strict", file])
        if "tls" in options:
            bq.scheme = "https"
            bq.context = ssl.create_default_context(cafile=str(self.path / "ca.pem"))
        bq.start()
        self.addCleanup(bq.stop)
        return bq

    def sign(self, bq, key="key", header=None, **claims):
        now = int(time.time())
        claims = {"iss": EMAIL, "scope": SCOPE, "aud": bq.url + "/token", "iat": now,
                  "exp": now + 3600, **claims}
        claims = {k: v for k, v in claims.items() if v is not None}
        header = {"alg": "RS256", "typ": "JWT", "kid": "k1", **(header or {})}
        text = part({k: v for k, v in header.items() if v is not None}) + b"." + part(claims)
        signature = openssl("dgst", "-sha256", "-sign", str(self.path / f"{key}.pem"), data=text)
        return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()

    def exchange(self, bq, **form):
        status, _, body = bq.raw("POST", "/token", urllib.parse.urlencode(form).encode(),
                                 {"Content-Type": "application/x-www-form-urlencoded"})
        return status, json.loads(body)

    def grant(self, bq, **claims):
        return self.exchange(bq, grant_type=GRANT, assertion=self.sign(bq, **claims))

    def test_a_signed_assertion_buys_a_token_that_opens_everything(self):
        bq = self.serve()

        status, answer = self.grant(bq)
        self.assertEqual((status, answer["token_type"], answer["expires_in"]), (200, "Bearer", 3600))
        bq.token = answer["access_token"]
        bq.post("datasets", {"datasetReference": {"datasetId": "x"}})

        self.assertEqual(bq.get("datasets/x")["id"], "p:x")
        self.assertEqual(bq.get("/bqlocal/tokens")["tokens"][0]["uses"], 2)

    def test_without_a_good_token_nothing_opens(self):
        bq = self.serve()

        for token in (None, "ya29.guess"):
            bq.token = token
            with self.assertRaises(HttpError) as caught:
                bq.get("datasets")
            self.assertEqual((caught.exception.status, caught.exception.reason), (401, "authError"))
            with self.assertRaises(HttpError) as caught:
                bq.load("d", "t", b"")
            self.assertEqual(caught.exception.status, 401)
        self.assertEqual([r["status"] for r in bq.requests()], [401] * 4)

    def test_an_assertion_that_names_no_key_is_tried_with_those_of_its_account(self):
        bq = self.serve()

        status, answer = self.grant(bq, header={"kid": None})

        self.assertEqual((status, answer["token_type"]), (200, "Bearer"))
        self.assertIn("access_token", answer)
        self.assertEqual(self.grant(bq, header={"kid": None}, key="other")[1]["error"], "invalid_grant")

    def test_bad_assertions_are_refused_in_googles_words(self):
        bq = self.serve()
        now = int(time.time())
        cases = [
            ({"key": "other"}, "invalid_grant", "Invalid JWT Signature."),
            ({"iss": "who@p"}, "invalid_grant", "account not found"),
            ({"header": {"kid": "k2"}}, "invalid_grant", "account not found"),
            ({"header": {"alg": "none"}}, "invalid_grant", "RS256"),
            ({"iat": now - 7200, "exp": now - 3600}, "invalid_grant", "reasonable timeframe"),
            ({"iat": now + 3000, "exp": now + 6000}, "invalid_grant", "reasonable timeframe"),
            ({"exp": now + 90000}, "invalid_grant", "reasonable timeframe"),
            ({"aud": "https://example.com/token"}, "invalid_grant", "audience"),
            ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope", "scope"),
        ]
        for claims, error, words in cases:
            with self.subTest(claims):
                status, answer = self.grant(bq, **claims)
                self.assertEqual((status, answer["error"]), (400, error))
                self.assertIn(words, answer["error_description"])
        self.assertEqual(self.exchange(bq, grant_type="magic")[1]["error"], "unsupported_grant_type")
        self.assertEqual(self.exchange(bq, grant_type=GRANT)[1]["error"], "invalid_request")
        self.assertEqual(self.exchange(bq, grant_type=GRANT, assertion="a.b")[1]["error"],
                         "invalid_grant")

    def test_a_token_expires_and_can_be_revoked(self):
        bq = self.serve(token_lifetime=60)
        bq.token = self.grant(bq)[1]["access_token"]
        bq.get("datasets")

        bq.faults({"path": "/datasets/skew", "action": "clock_skew", "ms": 61000})
        with self.assertRaises(HttpError):
            bq.get("datasets/skew")
        with self.assertRaises(HttpError) as expired:
            bq.get("datasets")
        bq.clear_faults()
        bq.get("datasets")
        bq.delete("/bqlocal/tokens")
        with self.assertRaises(HttpError) as revoked:
            bq.get("datasets")

        self.assertEqual((expired.exception.status, revoked.exception.status), (401, 401))
        bq.token = self.grant(bq)[1]["access_token"]
        bq.get("datasets")

    def test_a_self_signed_token_opens_unless_forbidden(self):
        bq = self.serve()
        good = [{"sub": EMAIL, "aud": None}, {"sub": EMAIL, "scope": None,
                                              "aud": "https://bigquery.googleapis.com/"}]
        bad = [{"aud": None}, {"sub": EMAIL}, {"sub": EMAIL, "aud": None, "key": "other"},
               {"sub": EMAIL, "aud": None, "exp": int(time.time()) - 1}]

        for claims in good:
            bq.token = self.sign(bq, **claims)
            bq.get("datasets")
        for claims in bad:
            with self.subTest(claims):
                bq.token = self.sign(bq, **claims)
                with self.assertRaises(HttpError) as caught:
                    bq.get("datasets")
                self.assertEqual(caught.exception.status, 401)
        closed = self.serve(self_signed=False)
        closed.token = self.sign(closed, **good[0])
        with self.assertRaises(HttpError):
            closed.get("datasets")

    def test_a_refresh_token_buys_a_token(self):
        user = {"client_id": "c&1", "client_secret": "s+2", "refresh_token": "r/3"}
        bq = self.serve(users=[user])

        status, answer = self.exchange(bq, grant_type="refresh_token", **user)
        wrong, refused = self.exchange(bq, grant_type="refresh_token",
                                       **{**user, "refresh_token": "no"})

        self.assertEqual(status, 200)
        bq.token = answer["access_token"]
        bq.get("datasets")
        self.assertEqual((wrong, refused["error"]), (400, "invalid_grant"))

    def test_tls_is_served_with_a_certificate_of_ones_own(self):
        ca, key, leaf = (str(self.path / n) for n in ("ca.pem", "tls.pem", "leaf.pem"))
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", leaf,
                "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
        pathlib.Path(ca).write_text(pathlib.Path(leaf).read_text())
        bq = self.serve(tls={"key_file": "tls.pem", "certificate_file": "leaf.pem"})

        bq.token = self.grant(bq)[1]["access_token"]

        self.assertTrue(bq.ready_line.startswith("https://127.0.0.1:"))
        self.assertEqual(bq.get("datasets/d")["id"], "p:d")
        bq.context = ssl.create_default_context()
        with self.assertRaises(OSError):
            bq.get("datasets/d")

    def test_bad_files_are_refused_by_name(self):
        cases = [
            ({"acounts": []}, 'unknown key "acounts"'),
            ({"accounts": [{"client_email": "x"}]}, "needs client_email and one of public_key"),
            ({"accounts": [{"client_email": "x", "public_key": "no"}]}, "neither a PEM public key"),
            ({"accounts": [{"client_email": "x", "public_key_file": "none"}]}, "cannot read"),
            ({"tls": {"key_file": "key.pem"}}, "tls needs key_file and certificate_file"),
        ]
        for document, words in cases:
            with self.subTest(words):
                file = self.path / "bad.json"
                file.write_text(json.dumps(document))
                with self.assertRaises(RuntimeError) as caught:
                    Bqlocal(args=["--strict", file]).start()
                self.assertIn("ended with 2", str(caught.exception))
                self.assertIn(words, str(caught.exception))


if __name__ == "__main__":
    unittest.main()

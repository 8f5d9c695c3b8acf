"""The way to Google as it is: bqsync asks https://oauth2.googleapis.com for a token and speaks to
https://bigquery.googleapis.com, through a proxy whose tunnels end at bqlocal, which verifies signatures, claims
and times as Google does and serves TLS under an authority of the test's own. No setting for tests is in use."""

import base64
import http.server
import json
import pathlib
import secrets
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

from tests.support import printed
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.tunnel import Tunnel

EMAIL = "robot@p.iam.gserviceaccount.com"
HOSTS = ["bigquery.googleapis.com", "oauth2.googleapis.com"]


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def make_key(path):
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)


def make_authority(folder, name):
    make_key(folder / f"{name}.key")
    openssl("req", "-x509", "-key", folder / f"{name}.key", "-subj", f"/CN={name}", "-days", "2",
            "-addext", "basicConstraints=critical,CA:true", "-out", folder / f"{name}.pem")


def make_certificate(folder, authority, hosts):
    make_key(folder / "server.key")
    (folder / "server.ext").write_text("subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts))
    openssl("req", "-new", "-key", folder / "server.key", "-subj", "/CN=" + hosts[0], "-out", folder / "server.csr")
    openssl("x509", "-req", "-in", folder / "server.csr", "-CA", folder / f"{authority}.pem", "-CAkey",
            folder / f"{authority}.key", "-CAcreateserial", "-days", "2", "-extfile", folder / "server.ext",
            "-out", folder / "server.pem")


class StrictDeployment(Deployment):
    """A deployment that knows nothing of an emulator."""

    @property
    def environment(self):
        environment = super().environment
        del environment["BIGQUERY_EMULATOR_HOST"]
        return environment


class Quoting:
    """Google, if it gave out a token and refused everything with a text that quotes it."""

    def __init__(self, folder):
        quoting = self
        self.status, self.quoted = 403, str
        self.token = "ya99.opaque/" + secrets.token_urlsafe(60)

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/token":
                    return self.send(200, {"access_token": quoting.token, "expires_in": 3600})
                text = f"Refused: {quoting.quoted(self.headers['Authorization'])}; try again"
                return self.send(quoting.status, {"error": {"message": text, "errors": [{"reason": "oddity"}]}})

            do_GET = do_POST = answer

            def send(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class StrictTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="bqsync-strict-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        for name in ("account.pem", "other.pem"):
            make_key(cls.path / name)
        openssl("pkey", "-in", cls.path / "account.pem", "-pubout", "-out", cls.path / "public.pem")
        make_authority(cls.path, "authority")
        make_authority(cls.path, "stranger")

    def serve(self, hosts=None, latency=None, **options):
        """bqlocal as Google, and a deployment that reaches it through a tunnel."""
        make_certificate(self.path, "authority", hosts or HOSTS)
        document = {"accounts": [{"client_email": EMAIL, "public_key_file": "public.pem", "private_key_id": "k1"}],
                    "audience": "https://oauth2.googleapis.com/token", "self_signed": False,
                    "tls": {"key_file": "server.key", "certificate_file": "server.pem"}, **options}
        (self.path / "strict.json").write_text(json.dumps(document))
        bq = Bqlocal(latency=latency, args=["--strict", self.path / "strict.json"])
        bq.scheme = "https"
        bq.context = unverified()
        self.bq = self.enterContext(bq)
        self.tunnel = self.enterContext(Tunnel(bq.port))
        self.app = self.enterContext(StrictDeployment(bq, environment={
            "GOOGLE_APPLICATION_CREDENTIALS": self.credentials(), "BQ_RETRY_BUDGET": "5s",
            "HTTPS_PROXY": self.tunnel.url, "SSL_CERT_FILE": str(self.path / "authority.pem")}))
        self.app.execute("insert into accounts values (1, 'a@x', 1.5, null), (2, 'b@x', 2, 'two')")

    def credentials(self, key="account.pem", **fields):
        path = self.path / "credentials.json"
        path.write_text(json.dumps({
            "type": "service_account", "project_id": "p", "private_key_id": "k1", "client_email": EMAIL,
            "private_key": (self.path / key).read_text(), "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token", **fields}))
        return str(path)

    def tokens(self):
        """What was handed out, and the use of each."""
        return self.bq.get("/bqlocal/tokens")["tokens"]

    def content(self):
        """The table's rows, read with a token of bqsync's own making: by verify."""
        return self.app.table(self.app.json("verify", "accounts"), "accounts")

    def test_a_whole_life_with_a_service_account(self):
        self.serve()

        self.assertTrue(self.app.sync()["ok"])
        self.app.execute("update accounts set note = 'x' where id = 1")
        self.assertEqual("merge", self.app.table(self.app.sync(), "accounts")["mode"])

        self.assertEqual((True, 2), (self.content()["equal"], self.content()["warehouse_rows"]))
        self.assertEqual({f"{host}:443" for host in HOSTS}, set(self.tunnel.hosts))

    def test_one_token_serves_a_whole_pass(self):
        self.serve()

        self.app.sync()

        self.assertEqual(1, len(self.tokens()))
        self.assertGreater(self.tokens()[0]["uses"], 5)

    def test_a_token_that_ends_during_a_pass_is_renewed(self):
        self.serve(token_lifetime=1, latency="1200ms")

        self.assertTrue(self.app.sync()["ok"])

        self.assertGreater(len(self.tokens()), 1)
        self.assertTrue(self.content()["equal"])

    def test_a_token_that_bigquery_quotes_is_cut_out(self):
        self.serve()
        google = Quoting(self.path)
        self.addCleanup(google.close)
        tunnel = self.enterContext(Tunnel(google.port))
        token = google.token
        printed.secret("an access token", token)
        for status, quoted in ((400, str), (401, lambda line: line.split()[1]), (403, lambda line: line[-20:]),
                               (403, lambda line: line[:30]), (500, urllib.parse.quote),
                               (400, lambda line: base64.b64encode(line.encode()).decode())):
            google.status, google.quoted = status, quoted
            ended = self.app.run("sync", "--json", HTTPS_PROXY=tunnel.url, BQ_RETRY_BUDGET="1s")
            why = self.app.run("status", "--why")[1]
            kept = json.dumps(self.app.execute("select document from bq_sync_runs order by rowid desc limit 1"))
            for text in (*ended[1:], why, kept):
                self.assertIn(f"http {status}", text)
                self.assertIn("Refused: ", text)
                self.assertIn("[secret]", text)
                self.assertEqual([], [token[at:at + 16] for at in range(len(token) - 15) if token[at:at + 16] in text])
                self.assertNotIn(base64.b64encode(token.encode()).decode()[20:40], text)
            self.assertIn("; try again", kept)

    def test_a_token_refused_in_the_middle_is_renewed_and_nothing_is_lost(self):
        self.serve()
        self.bq.faults({"method": "GET", "path": "/jobs/", "action": "token_expired"},
                       {"method": "POST", "path": "/upload/", "action": "token_expired"})

        self.assertTrue(self.app.sync()["ok"])

        self.assertGreater(len(self.tokens()), 1)
        self.assertTrue(self.content()["equal"])

    def test_tokens_revoked_between_two_passes_do_no_harm(self):
        self.serve()
        self.app.sync()
        self.bq.delete("/bqlocal/tokens")
        self.app.execute("insert into accounts values (3, 'c@x', 3, null)")

        self.assertTrue(self.app.sync()["ok"])

    def test_a_key_that_is_not_the_account_s_is_refused_with_exit_4(self):
        self.serve()
        self.credentials(key="other.pem")

        status, _, message = self.app.run("sync")

        self.assertEqual(4, status, message)
        self.assertIn("Invalid JWT Signature", message)
        self.assertNotIn("PRIVATE KEY", message)

    def test_an_unknown_account_is_refused_with_exit_4(self):
        self.serve()
        self.credentials(client_email="nobody@p.iam.gserviceaccount.com")

        self.assertEqual(4, self.app.run("sync")[0])

    def test_a_clock_that_is_wrong_is_told(self):
        self.serve()
        self.bq.faults({"path": "nothing", "action": "delay", "ms": 1},
                       {"path": "/token", "count": 0, "action": "clock_skew", "ms": -7200000})

        status, _, message = self.app.run("sync")

        self.assertEqual(4, status, message)
        self.assertIn("clock", message)

    def test_another_authority_is_not_trusted_whatever_the_environment_says(self):
        self.serve()

        status, _, message = self.app.run(
            "sync", SSL_CERT_FILE=str(self.path / "stranger.pem"), CURL_INSECURE="1", PYTHONHTTPSVERIFY="0",
            BQ_ALLOW_ANY_TOKEN_HOST="1")

        self.assertEqual(5, status, message)
        self.assertIn("certificate", message.lower())
        self.assertEqual([], self.tokens())

    def test_a_certificate_of_another_host_is_not_trusted(self):
        self.serve(hosts=["bigquery.example.com", "oauth2.example.com"])

        self.assertEqual(5, self.app.run("sync")[0])
        self.assertEqual([], self.tokens())

    def test_check_says_who_we_are(self):
        self.serve()
        self.app.sync()

        status, out, message = self.app.run("check")

        self.assertEqual(0, status, out + message)
        self.assertIn(EMAIL, out)


def unverified():
    """For the test's own look at bqlocal by its address, which its certificate does not name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    unittest.main()

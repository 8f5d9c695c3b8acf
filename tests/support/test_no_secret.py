"""The search for secrets finds them, and does not pass where there was nothing to search."""

import base64
import contextlib
import io
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import urllib.parse
from unittest import mock

from tests.support import no_secret, printed

TOKEN = 'tok"en/with + 0dd'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n"


class NoSecretTest(unittest.TestCase):
    def setUp(self) -> None:
        root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-printed-")))
        self.folder, self.logs = root / "printed", root / "logs"
        no_secret.empty(self.folder)
        self.logs.mkdir()
        self.log = self.logs / "LastTest.log.tmp"
        self.log.write_text("1/2 Test: a_test\n")
        self.enterContext(mock.patch.dict(os.environ, BQSYNC_PRINTED=str(self.folder)))
        self.enterContext(mock.patch.object(printed, "_known", set()))

    def check(self) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = no_secret.check(self.folder, self.logs)
        return status, said.getvalue()

    def ran(self, **environment: str) -> None:
        """A test program that started one of ours."""
        printed.ran()
        printed.secrets_of({"BQ_ADMIN_TOKEN": TOKEN, **environment}, self.folder)
        printed.keep("bqsync", "bqsync sync", "level=info msg=done\n")

    def assert_found(self, name: str, secret: str) -> None:
        status, said = self.check()
        self.assertEqual(1, status, said)
        self.assertIn(name, said)
        self.assertNotIn(secret, said)

    def test_nothing_is_found_where_nothing_is(self) -> None:
        self.ran()
        status, said = self.check()
        self.assertEqual(0, status, said)

    def test_a_secret_is_found_in_every_form_with_its_place_and_name(self) -> None:
        for shown in (TOKEN, urllib.parse.quote(TOKEN, safe=""), TOKEN.replace('"', '\\"'),
                      base64.b64encode(TOKEN.encode()).decode()):
            for kind in ("bqsync", "bqlocal"):
                with self.subTest(shown=shown, kind=kind):
                    no_secret.empty(self.folder)
                    printed._known.clear()
                    self.ran()
                    printed.keep(kind, "it", "first\nx" + shown + "y\n")
                    self.log.touch()
                    self.assert_found("BQ_ADMIN_TOKEN", shown)

    def test_a_secret_is_found_in_what_the_tests_say(self) -> None:
        self.ran()
        self.log.write_text("one\ntwo\nAssertionError: 'Bearer " + TOKEN + "'\n")
        self.assert_found(f"{self.log}:3: holds BQ_ADMIN_TOKEN", TOKEN)

    def test_every_secret_that_a_program_is_given_is_known(self) -> None:
        credentials = self.folder / "key.json"
        for setting, name, shown in (
                ({"BUGSNAG_API_KEY": "0123456789abcdef"}, "BUGSNAG_API_KEY", "0123456789abcdef"),
                ({"SENTRY_DSN": "https://public-key:private-key@host/4"}, "SENTRY_DSN", "private-key"),
                ({"SENTRY_DSN": "no dsn at all"}, "SENTRY_DSN", "no dsn at all"),
                ({"EMAIL_PEPPER": "pepper-and-salt"}, "EMAIL_PEPPER", "pepper-and-salt"),
                ({"GOOGLE_APPLICATION_CREDENTIALS": str(credentials)}, "private_key", PEM.split("\n")[1]),
                ({"GOOGLE_APPLICATION_CREDENTIALS": json.dumps({"private_key": PEM})}, "private_key",
                 PEM.split("\n")[1]),
                ({"GOOGLE_APPLICATION_CREDENTIALS": base64.b64encode(json.dumps({"private_key": PEM}).encode()).decode()},
                 "private_key", PEM.split("\n")[1]),
                ({"GOOGLE_APPLICATION_CREDENTIALS": str(credentials)}, "refresh_token", "1//refresh")):
            with self.subTest(setting=setting):
                no_secret.empty(self.folder)
                printed._known.clear()
                credentials.write_text(no_secret.json.dumps({"private_key": PEM, "refresh_token": "1//refresh"}))
                (self.folder / ".env").write_text("BQ_ADMIN_TOKEN=another-token\n")
                self.ran(**setting)
                self.log.touch()
                self.assertEqual(0, self.check()[0])
                printed.keep("bqsync", "it", "x" + shown)
                self.assert_found(name, shown)

    def test_what_is_always_a_secret_is_found_without_being_known(self) -> None:
        for shown in ("ya29.a0AfH6SMB", "Authorization: Bearer abcdefghijk", PEM, "eyJhbGciOiJSUzI1.eyJpc3MiOiJhQ.x",
                      "client_secret=hidden&x"):
            with self.subTest(shown=shown):
                no_secret.empty(self.folder)
                printed._known.clear()
                self.ran()
                printed.keep("bqsync", "it", shown)
                self.log.touch()
                self.assert_found("bqsync/", shown)

    def test_a_search_without_anything_to_search_fails(self) -> None:
        printed.ran()
        self.assertEqual(1, self.check()[0])
        printed.keep("bqsync", "it", "output")
        self.assertIn("no test named a secret", self.check()[1])
        printed.secret("NAME", "12345678")
        self.assertEqual(0, self.check()[0])
        self.log.unlink()
        self.assertIn("no log", self.check()[1])

    def test_what_an_earlier_run_left_does_not_count(self) -> None:
        self.ran()
        printed.keep("bqsync", "it", TOKEN)
        no_secret.empty(self.folder)
        (self.logs / "LastTest.log").write_text(TOKEN)
        old = self.logs / "LastTest_1.log.tmp"
        old.write_text(TOKEN)
        os.utime(old, (0, 0))
        printed._known.clear()
        self.ran()
        self.log.touch()
        self.assertEqual(0, self.check()[0])

    def test_a_folder_that_no_run_has_emptied_is_refused(self) -> None:
        (self.folder / no_secret.STARTED).unlink()
        self.assertEqual(1, self.check()[0])

    def test_a_secret_too_short_to_be_searched_for_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            printed.secret("BQ_ADMIN_TOKEN", "short")

    def test_a_text_too_long_is_cut_and_the_cut_is_told(self) -> None:
        self.ran()
        with mock.patch.object(printed, "KEPT_BYTES_MAX", 10):
            printed.keep("bqsync", "it", "0123456789 and more")
        status, said = self.check()
        self.assertEqual(0, status)
        self.assertIn("1 texts were too long", said)


class CoverageTest(unittest.TestCase):
    def test_every_test_of_every_folder_is_searched(self) -> None:
        # ctest truncates the log of its folder even when it only lists: the running ctest's own must stay.
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-listed-")))
        build = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()
        (folder / "CTestTestfile.cmake").write_text(f'subdirs("{build}")\n')
        listed = subprocess.run(
            ["ctest", "--test-dir", str(folder), "--show-only=json-v1"], capture_output=True, text=True, check=True
        )
        tests = json.loads(listed.stdout)["tests"]
        self.assertGreater(len(tests), 100)
        for test in tests:
            properties = {found["name"]: found["value"] for found in test["properties"]}
            labels = properties["LABELS"]
            with self.subTest(test["name"]):
                if labels != ["secrets"]:
                    self.assertEqual(["printed"], properties["FIXTURES_REQUIRED"])
                    keeps = any(text.startswith("BQSYNC_PRINTED=") for text in properties.get("ENVIRONMENT", []))
                    self.assertEqual(labels != ["live"], keeps)


if __name__ == "__main__":
    unittest.main()

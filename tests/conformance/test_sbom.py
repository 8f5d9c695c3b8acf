"""spdx-tools of the SPDX project reads the bill of materials that is installed, and binutils says whether it is true."""

import hashlib
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.conformance.emitted import Packages
from tests.support import foreign

JUDGE = foreign.CONFORMANCE / "clients" / "spdx" / "judge.py"
PLACE = "share/doc/bqsync/bqsync.spdx.json"
# Parts of the C library, which is one component.
OF_LIBC = ("libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64")


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, **options).stdout


def judge(path):
    """What the judge reads in a document."""
    ended = Packages("spdx").run(JUDGE.read_text(), path)
    if ended.returncode != 0:
        raise AssertionError(ended.stderr[-4000:])
    return json.loads(ended.stdout)


class SbomTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="bqsync-sbom-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.prefix = cls.folder / "installed"
        run("cmake", "--install", foreign.BUILD, "--prefix", cls.prefix)
        cls.seen = judge(cls.prefix / PLACE)

    def test_the_document_is_valid(self):
        self.assertEqual([], self.seen["problems"])

    def test_the_judge_finds_a_wrong_document(self):
        document = json.loads((self.prefix / PLACE).read_text())
        del document["packages"][0]["packageVerificationCode"]
        document["files"][0]["checksums"].pop(0)
        wrong = self.folder / "wrong.spdx.json"
        wrong.write_text(json.dumps(document))

        self.assertNotEqual([], judge(wrong)["problems"])

    def test_the_checksums_are_those_of_the_installed_files(self):
        for name in ("./bin/bqsync", "./bin/bqlocal", "./lib/libbqsync.a", "./lib/libbqsync_program.a"):
            content = (self.prefix / name).read_bytes()

            self.assertEqual({"SHA1": hashlib.sha1(content).hexdigest(), "SHA256": hashlib.sha256(content).hexdigest()},
                             self.seen["files"][name], name)

    def test_the_programs_are_linked_with_the_libraries_that_it_names_and_no_others(self):
        for program in ("bqsync", "bqlocal"):
            headers = run(foreign.tool("readelf", "binutils"), "-W", "-d", self.prefix / "bin" / program)
            needed = {re.sub(r"\.so.*", "", name) for name in re.findall(r"\(NEEDED\).*\[(.*)\]", headers)}
            needed = {"libc" if name in OF_LIBC else name for name in needed}

            named = {self.seen["packages"][library][0] for file, library in self.seen["links"]
                     if file == f"SPDXRef-File-{program}"}

            self.assertEqual(needed, named, program)

    def test_the_versions_are_those_that_debian_has_installed(self):
        if not pathlib.Path("/var/lib/dpkg/status").exists():
            foreign.absent("this is not Debian")
        for library, package in (("libsqlite3", "libsqlite3-dev"), ("libcurl", "libcurl4-openssl-dev"),
                                 ("libcjson", "libcjson-dev"), ("libcrypto", "libssl-dev"), ("libz", "zlib1g-dev"),
                                 ("libmicrohttpd", "libmicrohttpd-dev"), ("libisal", "libisal-dev"),
                                 ("libzstd", "libzstd-dev"), ("libavro", "libavro-dev"), ("libc", "libc6-dev")):
            [version] = [version for name, version, *_ in self.seen["packages"].values() if name == library]

            installed = run("dpkg-query", "-W", "-f", "${Version}", package)

            self.assertRegex(installed, rf"^(\d+:)?{re.escape(version)}(\.?[^\d.]|$)", package)

    def test_it_names_the_commit_of_the_sources(self):
        told = self.seen["packages"]["SPDXRef-Package-bqsync"][3]
        git = subprocess.run(["git", "-C", foreign.SOURCE, "rev-parse", "HEAD"], capture_output=True, text=True)

        self.assertIn(git.stdout.strip() if git.returncode == 0 else "without a git repository", told)


if __name__ == "__main__":
    unittest.main()

"""SQLite's own binary JSON, of a version that has it, read by bqsync: it prints what SQLite prints."""

import json
import os
import random
import subprocess
import unittest

from tests.support import foreign

HERE = foreign.CONFORMANCE / "clients" / "sqlite"
DOCUMENTS = 20_000
# What JSON5 allows and JSON does not; SQLite keeps it in the binary form and writes JSON.
JSON5 = ["0x1F", "-0xff", "+5", ".5", "-.5", "5.", "+.5e3", "5.e3", r"'it\'s'", r"'say \"no\"'", "'say \"no\"'", r"'\x41'",
         r"'\v'", r"'\0'", r"'\u0041'", r"'a\nb'", "{a: 1}", "{'a': [1, 2,],}", "[]", "{}", "null", "true", "false",
         r'"\u0000"', r'"\/"', '"\u2028"', '"' + "x" * 300 + '"', '"' + "x" * 70_000 + '"', "0xFFFFFFFFFFFFFFFF"]


class JsonbTest(unittest.TestCase):
    def setUp(self):
        self.python = foreign.python_with("pip", "python3-pip")
        self.packages = foreign.installed(
            "sqlite", [HERE / "requirements.txt"],
            [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--only-binary=:all:", "--target", "packages", "--requirement", "requirements.txt"],
            foreign.absent) / "packages"

    def value(self, rng, depth=0):
        kind = rng.randrange(8 if depth < 6 else 6)
        if kind == 0:
            return rng.choice([None, True, False])
        if kind < 3:
            return rng.choice([rng.randrange(-2**63, 2**63), rng.random() * 10.0 ** rng.randrange(-30, 30), 0, -1])
        if kind < 6:
            return "".join(rng.choice("ab \"\\\n\x01\x1f/é€😀'") for _ in range(rng.randrange(20)))
        if kind == 6:
            return [self.value(rng, depth + 1) for _ in range(rng.randrange(8))]
        return {"k%d\"" % i: self.value(rng, depth + 1) for i in range(rng.randrange(8))}

    def test_it_prints_what_sqlite_prints(self):
        rng = random.Random(14)
        documents = JSON5 + [json.dumps(self.value(rng), ensure_ascii=rng.random() < 0.5) for _ in range(DOCUMENTS)]

        theirs = subprocess.run([self.python, HERE / "jsonb.py"], input="\n".join(documents) + "\n", text=True,
                                capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(self.packages)})
        blobs, texts = zip(*(line.split("\t", 1) for line in theirs.stdout.split("\n")[:-1]))
        ours = subprocess.run([foreign.build_output("jsonb_oracle")], input="\n".join(blobs) + "\n", text=True,
                              capture_output=True, check=True).stdout.split("\n")[:-1]

        self.assertEqual(len(documents), len(ours))
        for document, text, our in zip(documents, texts, ours):
            self.assertEqual(json.loads(text), json.loads(our), document)
            self.assertEqual(text, our, document)


if __name__ == "__main__":
    unittest.main()

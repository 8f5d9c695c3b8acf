"""Google's engine reads thousands of random texts back from the strings and names that bqsync makes of them."""

import os
import random
import subprocess
import unittest

from tests.conformance.engine import Engine
from tests.support import foreign
from tests.support.deployment import BUILD

SEED = int(os.environ.get("BQSYNC_SEED", random.SystemRandom().randrange(10**6)))
TEXTS = int(os.environ.get("BQSYNC_TEXTS", 20_000))
TEXTS_A_STATEMENT = 500
# What ends a string or a name, begins an escape, a comment or a placeholder, or may not stand in a string as it is.
PIECES = ["'", '"', '"""', "'''", "`", "\\", "\\n", "\\x41", "\\u0041", "\\U0001F600", "\\101", "\\`", "\n", "\r", "\r\n",
          "\t", "\x01", "\x08", "\x1b", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffd", "\uffff", "ü", "日",
          "💥", "\U0010ffff", "--", "#", "/*", "*/", ";", ",", ")", "]", "${project}", "@p", "@@x", "?", "r\"", "b'", " ", "a",
          "0", "_", "%s", "$t"]


def some_text(rng):
    text = "".join(rng.choice(PIECES) for _ in range(rng.choice([1, 2, 3, 5, 8, 20])))
    return text[:rng.randrange(1, 60)]


def quoted(texts):
    """[(string, identifier)] as bqsync writes them."""
    lines = "".join(text.encode().hex() + "\n" for text in texts)
    printed = subprocess.run([BUILD / "quoted"], input=lines, capture_output=True, text=True,
                             check=True).stdout
    return [tuple(bytes.fromhex(part).decode() for part in line.split(" ")) for line in printed.splitlines()]


class QuotingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = foreign.Stage("googlesql")
        cls.addClassCleanup(cls.stage.close)

    def setUp(self):
        print(f"\nBQSYNC_SEED={SEED}", flush=True)
        self.rng = random.Random(SEED)
        self.engine = self.enterContext(Engine(self.stage))

    def batches(self):
        for _ in range(0, TEXTS, TEXTS_A_STATEMENT):
            yield [some_text(self.rng) for _ in range(TEXTS_A_STATEMENT)]

    def test_strings(self):
        for texts in self.batches():
            strings = ", ".join(string for string, _ in quoted(texts))
            rows = self.engine.rows(f"select to_hex(cast(text as bytes)) from unnest([{strings}]) as text with offset as place"
                                    " order by place")
            self.assertEqual([text.encode().hex() for text in texts], [text for text, in rows])

    def test_names(self):
        for texts in self.batches():
            # The engine gives names that begin with $ to columns without one.
            names = ["n" + text for text in texts]
            columns = ", ".join(f"1 as {identifier}" for _, identifier in quoted(names))
            self.assertEqual(names, self.engine.run(f"select {columns}")["columns"])


if __name__ == "__main__":
    unittest.main()

"""JSON texts printed by bqsync and by the JSON library of Google's SQL engine, nlohmann::json."""

import json
import random
import struct
import subprocess
import unittest

from tests.support import foreign

DOCUMENTS = 200_000


class JsonTextTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.oracle = foreign.BUILD / "json_oracle"
        if not cls.oracle.exists():
            foreign.unavailable("json_oracle was not built: nlohmann-json3-dev or a C++ compiler is missing")

    def test_both_print_the_same(self):
        rng = random.Random(5)
        texts = [self.text(rng) for _ in range(DOCUMENTS)]
        ended = subprocess.run([self.oracle], input="\n".join(texts) + "\n", capture_output=True, text=True, check=True)

        lines = ended.stdout.split("\n")[:-1]
        self.assertEqual(len(texts), len(lines))
        for text, line in zip(texts, lines):
            ours, theirs = line.split("\t")
            self.assertEqual(theirs, ours, text)

    def text(self, rng):
        kind = rng.random()
        if kind < 0.4:
            return self.number(rng)
        if kind < 0.5:
            return json.dumps(self.name(rng), ensure_ascii=rng.random() < 0.5)
        # Python keeps the last of equal names, so none occurs twice here.
        members = {self.name(rng): self.number(rng) for _ in range(rng.randrange(6))}
        inner = ",".join(f"{json.dumps(name, ensure_ascii=rng.random() < 0.5)} : {value}"
                         for name, value in members.items())
        return f"[{{{inner}}}, null]"

    def name(self, rng):
        return "".join(rng.choice("ab! \"\\\n\x01\x1f\x00/A\x7f\u00e9\u20ac\U0001f600") for _ in range(rng.randrange(4)))

    def number(self, rng):
        kind = rng.randrange(5)
        if kind == 0:
            value = struct.unpack("d", rng.randbytes(8))[0]
            return repr(value) if value == value and abs(value) != float("inf") else "0.5"
        if kind == 1:
            return f"{rng.uniform(-200, 200):.{rng.randrange(1, 8)}f}"
        if kind == 2:
            return str(rng.randrange(-2**63, 2**64))
        if kind == 3:
            return f"{rng.randrange(10)}e{rng.randrange(-25, 25)}"
        return f"{rng.randrange(10**rng.randrange(1, 20))}.{rng.randrange(10**rng.randrange(1, 20))}"


if __name__ == "__main__":
    unittest.main()

"""The check of layers accepts the one direction and names includes against it and cycles."""

import pathlib
import tempfile
import unittest

from tests import check_layers


class Layers(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("base/table.h", "encode/column.h", "source/database.h", "sync/pass.h"):
            self.write("runtime/" + name, "")
        self.write("generated/registry.h", "")
        self.write("generated/users.h", '#include "base/table.h"\n')

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def problems(self) -> list[str]:
        return list(check_layers.problems(self.root))

    def test_the_one_direction_is_accepted(self) -> None:
        self.write("runtime/sync/pass.c", '#include "sync/pass.h"\n#include "encode/column.h"\n#include <stdio.h>\n')
        self.write("runtime/cli/main.c", '#include "registry.h"\n#include "sync/pass.h"\n')
        self.write("runtime/api/bqsync.c", '#include "registry.h"\n#include "sync/pass.h"\n')
        self.write("tests/bqlocal/http/server.c", '#include "bqlocal/http/server.h"\n#include "base/table.h"\n')
        self.write("generated/users.c", '#include "users.h"\n#include "encode/column.h"\n')

        self.assertEqual(self.problems(), [])

    def test_each_wrong_include_is_named_with_its_line(self) -> None:
        cases = {
            "runtime/base/a.c": ("source/database.h", "base must not include source"),
            "runtime/encode/a.c": ("source/database.h", "encode must not include source"),
            "runtime/sync/a.c": ("registry.h", "only api and cli may include registry.h"),
            "runtime/source/a.c": ("users.h", "the runtime must not know the generated users.h"),
            "tests/bqlocal/sql/a.c": ("encode/column.h", "bqlocal includes base/ and its own headers only"),
            "tests/bqlocal/jobs/a.c": ("bqlocal/http/exchange.h", "bqlocal's jobs must not include its http"),
            "runtime/warehouse/a.c": ("http.h", "write warehouse/http.h"),
            "runtime/api/a.c": ("service/a.h", "api must not include service"),
            "runtime/service/a.c": ("odd/a.h", "odd/ is not a group of the runtime"),
            "generated/a.c": (
                "sync/pass.h",
                "generated code includes table.h, value.h and slice.h of base, encode/ and its own headers only",
            ),
        }
        for name, (included, problem) in cases.items():
            with self.subTest(name):
                self.write(name, f'/* top */\n#include "{included}"\n')
                self.assertEqual(self.problems(), [f"{name}:2: {problem}"])
                (self.root / name).unlink()

    def test_a_cycle_is_named_once_where_it_closes(self) -> None:
        self.write("runtime/sync/pass/a.c", '#include "sync/pass/a.h"\n#include "sync/pass/b.h"\n')
        self.write("runtime/sync/pass/a.h", "")
        self.write("runtime/sync/pass/b.h", '\n#include "sync/pass/a.h"\n')

        a, b = "runtime/sync/pass/a", "runtime/sync/pass/b"
        self.assertEqual(self.problems(), [f"{b}.h:2: closes the cycle {a} -> {b} -> {a}"])


if __name__ == "__main__":
    unittest.main()

"""The check of sizes accepts what is within the limits and names what is not."""

import pathlib
import tempfile
import unittest

from tests import check_shape


def function(name: str, lines: int, parameters: str = "void") -> str:
    """A function of that many lines, signature and braces included."""
    return f"static int {name}({parameters})\n{{\n" + "    work();\n" * (lines - 3) + "}\n\n"


class Shape(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def assert_problems(self, *expected: str) -> None:
        self.assertEqual(list(check_shape.problems(self.root)), list(expected))

    def test_sizes_at_the_limits_are_accepted(self) -> None:
        text = function("long_one", 60, "int a, int b, int c, int d, int e, int f")
        self.write("runtime/base/a.c", text + "".join(function(f"f{i}", 5) for i in range(49)))
        self.write("runtime/base/a.h", "int a(void);\n")
        self.write("runtime/sync/b.h", "/* one */\nint b(void);\nint c(void);\n")
        self.write("codegen/a.py", "pass\n" * 600)
        self.write("tests/unit/base/test_a.c", "\n" * 600)

        self.assert_problems()

    def test_a_long_function_is_named_with_the_line_of_its_signature(self) -> None:
        self.write("runtime/base/a.c", "/* top */\n\n" + function("f", 61) + function("g", 5) * 49)

        self.assert_problems("runtime/base/a.c:3: f has 61 lines, more than 60")

    def test_too_many_functions_over_40_lines_are_listed(self) -> None:
        self.write("runtime/base/a.c", function("f", 41) + function("g", 5) * 48)

        self.assert_problems(
            "runtime/base/a.c:1: f has 41 lines, one of 1 of 49 with more than 40, at most 2 % are allowed"
        )

    def test_parameters_are_counted_over_lines_and_through_function_pointers(self) -> None:
        self.write("runtime/base/a.c", "bool f(\n    int a, void (*b)(int, int), int c, // d, e\n    int d)\n{\n}\n")
        self.write("runtime/base/b.c", "bool g(\n    int a, int b, int c, int d,\n    int e, int f, int g)\n{\n}\n")

        self.assert_problems("runtime/base/b.c:1: g has 7 parameters, more than 6")

    def test_a_callback_of_a_library_may_have_more_parameters(self) -> None:
        text = function("on_request", 5, "int a, int b, int c, int d, int e, int f, int g")
        self.write("runtime/service/server.c", text)
        self.write("runtime/service/other.c", text)

        self.assert_problems("runtime/service/other.c:1: on_request has 7 parameters, more than 6")

    def test_braces_and_parentheses_in_comments_and_literals_do_not_count(self) -> None:
        self.write("runtime/base/a.c", 'int f(int a /* , b ( */)\n{\n    say("}{,(");\n    /*\n{\n}\n*/\n}\n')

        self.assertEqual(
            [(f.name, f.line, f.lines) for f in check_shape.functions((self.root / "runtime/base/a.c").read_text())],
            [("f", 1, 8)],
        )

    def test_headers_with_few_comments_are_named_by_group(self) -> None:
        self.write("runtime/sync/pass/a.h", "/* one\n * two */\nint a(void);\n")
        self.write("runtime/sync/pass/b.h", "int b(void); /* beside code */\n" * 4)

        self.assert_problems("runtime/sync:1: 2 of 7 lines of its headers are comments, less than a third")

    def test_long_files_are_named_also_those_of_tests(self) -> None:
        self.write("runtime/base/a.c", "\n" * 601)
        self.write("tests/support/a.py", "\n" * 601)
        self.write("tests/support/test_a.py", "\n" * 601)

        self.assert_problems(
            "runtime/base/a.c:601: the file has 601 lines, more than 600",
            "tests/support/a.py:601: the file has 601 lines, more than 600",
            "tests/support/test_a.py:601: the file has 601 lines, more than 600",
        )

    def test_a_folder_over_its_limit_is_named_without_its_tests(self) -> None:
        limit = check_shape.FOLDER_LINES_MAX["tests/bqlocal"]
        for i in range(limit // 100):
            self.write(f"tests/bqlocal/sql/a{i}.c", "\n" * 100)
        self.write("tests/bqlocal/tests/driver.c", "\n" * 600)

        self.assert_problems(f"tests/bqlocal:1: the folder has {limit} lines of C, not less than {limit}")

    def test_two_modules_of_one_name_are_named_once(self) -> None:
        for name in ("base/http.h", "base/http.c", "service/http.c"):
            self.write("runtime/" + name, "")

        self.assert_problems("runtime/service/http.c:1: runtime/base/http.c has the same name")

    def test_a_unit_test_that_includes_cmocka_itself_is_named(self) -> None:
        self.write("tests/support/prelude.h", "#include <cmocka.h>\n")
        self.write("tests/unit/base/test_a.c", "\n#include <cmocka.h>\n")

        self.assert_problems("tests/unit/base/test_a.c:2: include support/prelude.h first instead of cmocka.h")


if __name__ == "__main__":
    unittest.main()

"""The mutants of small sources are exactly the expected ones, and one that no test kills is reported."""

import argparse
import contextlib
import io
import pathlib
import tempfile
import unittest

from tests.mutants import __main__ as command
from tests.mutants import judge_c, mutate_c, mutate_python, results, running
from tests.mutants.areas import AREAS, ROOT, Area
from tests.mutants.programs import Program, Programs
from tests.mutants.results import KILLED, NO_PROGRAM, SAME, SURVIVES, Verdict
from tests.mutants.whole import Whole
from tests.support import foreign

IN_C = """\
#include <stdbool.h>
#define TEN (9 + 1) // 1 < 2

static const int table[] = {1, 2};

/* Whether a < b && c. */
static bool within(int a, const char *text)
{
    char copy[8];

    if (a >= 0x0f && !text[a - 1])
        return true; // not "a < 1"
    log_debug("a < 1");
    while (1)
        break;
    if (within(a,
               "b"))
        fill(copy,
             '0');
    return a == 010UL;
}
"""

IN_PYTHON = '''\
"""What 1 < 2 says."""
TABLE = {"one": 1}


def within(value: int = 0, *rest) -> bool:
    """Whether 1 < 2."""
    for one in rest:
        if one not in TABLE:
            continue
        print("1 < 2", f"{one + 1}")
    if (value < 10 and
            rest):
        return True
    return not (value - 2)


if __name__ == "__main__":
    within(1)
'''


def named(mutants):
    """Where each mutant is, and what it is called."""
    return [(mutant.line, mutant.name.rsplit(" [", 1)[1].replace("]", "")) for mutant in mutants]


class MutantsOfC(unittest.TestCase):
    def test_bodies_of_functions_are_mutated_and_nothing_else(self):
        mutants = mutate_c.mutants_of("a.c", IN_C)

        self.assertEqual(named(mutants), [
            (11, "negated"), (11, ">= to <"), (11, ">= to >"), (11, "0x0f to 0x10"), (11, "&& to ||"),
            (11, "without !"), (11, "- to +"), (11, "1 to 0"),
            (12, "true to false"), (14, "negated"), (14, "1 to 0"), (15, "break to continue"),
            (16, "negated"), (18, "deleted"), (20, "== to !="), (20, "010UL to 011UL")])
        self.assertEqual({mutant.function for mutant in mutants}, {"within"})

    def test_a_mutant_differs_in_one_place_and_keeps_the_lines(self):
        changed = [mutant.apply(IN_C).splitlines() for mutant in mutate_c.mutants_of("a.c", IN_C)]

        whole = IN_C.splitlines()
        self.assertEqual({len(lines) for lines in changed}, {len(whole)})
        self.assertIn("    if (!(a >= 0x0f && !text[a - 1]))", [lines[10] for lines in changed])
        self.assertIn(["        ", ";"], [lines[17:19] for lines in changed])
        for lines in changed:
            self.assertIn(sum(one != other for one, other in zip(lines, whole)), (1, 2))

    def test_equal_mutations_of_equal_lines_have_names_of_their_own(self):
        mutants = mutate_c.mutants_of("a.c", "void f(void)\n{\n    g();\n    g();\n}\n")

        self.assertEqual([mutant.name for mutant in mutants], ["a.c f: g(); [deleted]", "a.c f: g(); [deleted] 2"])


class MutantsOfPython(unittest.TestCase):
    def test_texts_annotations_and_the_call_of_the_program_are_left_alone(self):
        self.assertEqual(named(mutate_python.mutants_of("a.py", IN_PYTHON)), [
            (2, "1 to 0"), (5, "0 to 1"), (8, "not in to in"), (9, "continue to break"),
            (10, "deleted"), (11, "negated"), (11, "and to or"), (11, "< to <="), (11, "< to >="),
            (11, "10 to 11"), (13, "True to False"), (14, "without not"), (14, "- to +"), (14, "2 to 3")])

    def test_every_mutant_can_be_compiled_to_another_program(self):
        for mutant in mutate_python.mutants_of("a.py", IN_PYTHON):
            with self.subTest(mutant.name):
                self.assertFalse(mutate_python.same_program(IN_PYTHON, mutant.apply(IN_PYTHON)))
        self.assertTrue(mutate_python.same_program("a = 1\n", "a  =  (1)\n"))


# Its one test of e2e that can be passed looks at 10, and the other fails for a reason of its own.
END_TO_END = """\
import os
import subprocess
import unittest


class ProgramTest(unittest.TestCase):
    def test_the_limit(self):
        program = os.path.join(os.environ["BQSYNC_BUILD"], "{program}")
        self.assertEqual(subprocess.run([program]).returncode, {status})
"""
# The library is tested at 9 and 11, so nobody sees where the limit is.
PROJECT = {
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
enable_testing()
add_library(limit STATIC runtime/limit.c)
add_executable(test_limit test_limit.c)
target_link_options(test_limit PRIVATE -fsanitize=leak)
target_link_libraries(test_limit PRIVATE limit)
foreach(name bqsync_shapes bqsync_lives bqsync_histories)
  add_executable(${name} main.c)
  target_link_options(${name} PRIVATE -fsanitize=leak)
  target_link_libraries(${name} PRIVATE limit)
endforeach()
add_custom_target(unit_tests DEPENDS test_limit bqsync_shapes bqsync_lives bqsync_histories)
add_custom_target(fuzzers)
add_test(NAME test_limit COMMAND test_limit WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
set_tests_properties(test_limit PROPERTIES LABELS unit)
""",
    "runtime/limit.c": """\
#include <stdlib.h>

int is_above(int value);
int nobody_asks(int value);

int is_above(int value)
{
    char *lost = malloc(1);

    free(lost);
    if (value < 0)
        for (;;)
            ;
    return value > 10 && sizeof value > 1;
}

int nobody_asks(int value)
{
    return value + 2;
}
""",
    "test_limit.c": """\
int is_above(int value);

int main(void)
{
    return is_above(9) || !is_above(11);
}
""",
    "main.c": """\
int is_above(int value);

int main(void)
{
    return is_above(10);
}
""",
    # As in the project, whose own packages come second then.
    **{f"{folder}/__init__.py": "" for folder in ("tests", "tests/fault")},
    "tests/e2e/test_broken.py": END_TO_END.format(program="bqsync_shapes", status=2),
    "tests/e2e/test_limit.py": END_TO_END.format(program="bqsync_shapes", status=0),
    "tests/fault/test_property.py": END_TO_END.format(program="bqsync_lives", status=0),
}


class Small(unittest.TestCase):
    """A project with one program and one test."""

    @classmethod
    def setUpClass(cls):
        for tool, package in ("clang", "clang"), ("llvm-cov", "llvm"), ("cmake", "cmake"):
            foreign.tool(tool, package)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name).resolve()
        for name, text in PROJECT.items():
            (cls.root / name).parent.mkdir(parents=True, exist_ok=True)
            (cls.root / name).write_text(text)
        cls.programs = Programs(cls.root, cls.root / "build", {"unit"}, 1)
        cls.judge = judge_c.Judge(cls.programs)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = pathlib.Path(folder.name)
        area = Area("small", ("runtime/limit.c",), whole=("test_broken", "test_limit"))
        self.cases = [(area, mutant) for mutant in self.judge.mutants("runtime/limit.c")]

    def run_all(self):
        """The verdicts by name of mutation, and what was printed of survivors."""
        options = argparse.Namespace(all=True, sample=0, again=False, jobs=2)
        run = command.Run(options, self.root, self.results)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            verdicts = list(run.all_verdicts({"small": self.judge}, self.cases))
        return {mutant.name.split(": ", 1)[1]: verdict for _, mutant, verdict in verdicts}, out.getvalue()

    def test_what_no_test_notices_survives_and_is_reported(self):
        killed = Verdict(KILLED, "test_limit")

        verdicts, printed = self.run_all()

        self.assertEqual(verdicts, {
            "char *lost = malloc(1); [1 to 0]": Verdict(SAME),
            "free(lost); [deleted]": killed,
            "if (value < 0) [< to <=]": Verdict(SURVIVES),
            "if (value < 0) [< to >=]": killed,
            "if (value < 0) [0 to 1]": Verdict(SURVIVES),
            "return value > 10 && sizeof value > 1; [> to >=]": Verdict(SURVIVES),
            "return value > 10 && sizeof value > 1; [> to <=]": killed,
            "return value > 10 && sizeof value > 1; [10 to 11]": killed,
            "return value > 10 && sizeof value > 1; [&& to ||]": killed,
            "return value > 10 && sizeof value > 1; [> to >=] 2": Verdict(SAME),
            "return value > 10 && sizeof value > 1; [> to <=] 2": killed,
            "return value > 10 && sizeof value > 1; [1 to 0]": Verdict(SAME),
            "return value + 2; [+ to -]": Verdict(SURVIVES),
            "return value + 2; [2 to 3]": Verdict(SURVIVES),
        })
        self.assertIn("survives: runtime/limit.c:19: nobody_asks: return value + 2; [+ to -]\n", printed)
        self.assertEqual(printed.count("survives: "), 5)

    def test_results_are_kept_as_long_as_the_source_is_the_same(self):
        self.cases = self.cases[2:4]
        first, printed = self.run_all()

        self.assertEqual(printed.count("survives: "), 1)
        self.assertEqual(self.run_all(), (first, ""))
        source = self.root / "runtime/limit.c"
        self.addCleanup(source.write_text, source.read_text())
        source.write_text(source.read_text() + "no C\n")
        self.assertEqual(set(self.run_all()[0].values()), {Verdict(NO_PROGRAM)})

    def test_a_test_that_fails_without_a_mutant_kills_none(self):
        self.judge = judge_c.Judge(self.programs, Whole(self.root, self.root / "build"))
        self.cases = [case for case in self.cases if case[1].function == "nobody_asks" or "[> to >=]" in case[1].name]

        verdicts, printed = self.run_all()

        self.assertEqual(verdicts, {
            "return value > 10 && sizeof value > 1; [> to >=]": Verdict(KILLED, "test_limit"),
            "return value > 10 && sizeof value > 1; [> to >=] 2": Verdict(SAME),
            "return value + 2; [+ to -]": Verdict(SURVIVES),
            "return value + 2; [2 to 3]": Verdict(SURVIVES),
        })
        self.assertEqual(printed.count("test_broken is left out, it fails without a mutant\n"), 1)

    def test_a_program_that_fails_with_sanitizers_without_a_mutant_kills_none(self):
        source = self.root / "runtime/limit.c"
        self.addCleanup(source.write_text, source.read_text())
        source.write_text(source.read_text().replace("free(lost);", "free(lost), value += *lost == 'x' && value > 99;"))
        self.judge = judge_c.Judge(self.programs, Whole(self.root, self.root / "build"))
        self.cases = [(self.cases[0][0], mutant) for mutant in self.judge.mutants("runtime/limit.c")
                      if "value < 0" in mutant.name]

        verdicts, printed = self.run_all()

        self.assertEqual([verdict.outcome for verdict in verdicts.values()], [SURVIVES, KILLED, SURVIVES])
        self.assertIn("test_limit with sanitizers in runtime/limit.c is left out, it fails without a mutant\n", printed)


class Nearest(unittest.TestCase):
    def test_all_programs_of_the_group_are_near_and_others_up_to_a_number(self):
        def program(name, label, seconds):
            return Program(name, [], "", ["unit", label], seconds, {"runtime/source/lock.c": [7]})

        programs = Programs.__new__(Programs)
        programs.programs = [
            *(program(f"unit_source_test_{index}", "source", 9 - index / 9) for index in range(9)),
            program("unit_source_test_lock", "source", 20), program("unit_sync_test_a", "sync", 1)]
        ran = programs.that_run("runtime/source/lock.c", 7)
        few = [program(f"unit_sync_test_{index}", "sync", index) for index in range(9)]

        names = [one.name for one in programs.nearest("runtime/source/lock.c", ran)]
        self.assertEqual(names, ["unit_source_test_lock", *(f"unit_source_test_{index}" for index in range(8, -1, -1))])
        self.assertEqual(programs.nearest("runtime/source/lock.c", few), few[:8])
        self.assertEqual(programs.that_run("runtime/source/lock.c", 8), [])


class Running(unittest.TestCase):
    def test_another_user_comes_through_the_folder_of_temporary_files(self):
        look = ["sh", "-c", 'test "$(stat -c %a "$TMPDIR")" = 755']

        self.assertTrue(running.passes(look, ROOT, {}, 1.0))


class Reports(unittest.TestCase):
    def setUp(self):
        self.mutants = mutate_c.mutants_of("a.c", "void f(void)\n{\n    g(1 + 2);\n}\n")

    def test_equal_programs_are_not_counted(self):
        outcomes = [SURVIVES, KILLED, SURVIVES, SAME]
        verdicts = [("one", mutant, Verdict(outcome)) for mutant, outcome in zip(self.mutants, outcomes)]

        report = results.table(verdicts, {self.mutants[0].name: "why"})

        self.assertEqual(report.splitlines()[2:], [
            "| one | 2 | 1 | 1 | 50.0 % | 1 | 1 | 0 |", "| all | 2 | 1 | 1 | 50.0 % | 1 | 1 | 0 |"])

    def test_the_order_stays_when_a_mutant_goes(self):
        cases = [(None, mutant) for mutant in self.mutants]

        order = command.ranked(cases, 1)

        self.assertEqual(command.ranked(cases[1:], 1), [case for case in order if case is not cases[0]])
        self.assertNotEqual([command.ranked(cases, seed) for seed in range(9)], [order] * 9)

    def test_every_equal_program_of_the_list_is_a_mutant_of_the_sources_and_has_a_reason(self):
        listed = results.equivalents(results.EQUIVALENTS.read_text())

        names = set()
        for file in {name.split(" ", 1)[0] for name in listed}:
            mutants_of = mutate_python.mutants_of if file.endswith(".py") else mutate_c.mutants_of
            names |= {mutant.name for mutant in mutants_of(file, (ROOT / file).read_text())}
        self.assertEqual(sorted(set(listed) - names), [])

    def test_every_area_has_files(self):
        for area in AREAS:
            for pattern in area.patterns:
                self.assertTrue(list(ROOT.glob(pattern)), pattern)


if __name__ == "__main__":
    unittest.main()

"""`./dev build`: what a person reads. The real script, CMake, Ninja, compiler and generator, in a small project that
has the targets and the settings of this one."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
USERS = {"table": "users", "key": ["id"], "sync": {"mode": "upsert"}, "columns": [{"name": "id", "type": "INT64"}]}
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(small VERSION 1.0 LANGUAGES C)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
set(samples ${PROJECT_SOURCE_DIR}/schemas)
set(BQSYNC_SCHEMAS ${samples} CACHE PATH "")
set(BQSYNC_GENERATED ${PROJECT_BINARY_DIR}/generated CACHE PATH "")
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBRARY REQUIRED IMPORTED_TARGET @LIBRARY@)
add_compile_options(-Wall)
set_property(GLOBAL PROPERTY BQSYNC_GENERATOR
  ${CMAKE_COMMAND} -E env PYTHONPATH=@ROOT@ PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE} -m codegen)
include(@ROOT@/runtime/deploy/cmake/bqsyncTables.cmake)
function(tables name schemas output)
  _bqsync_table_library(${name} ${schemas} ${output})
  target_include_directories(${name} PRIVATE @ROOT@/runtime)
  add_executable(${name}_program main.c other.c)
  add_dependencies(${name}_program ${name})
endfunction()
tables(bqsync_sample_tables ${samples} ${PROJECT_SOURCE_DIR}/generated)
if(NOT BQSYNC_SCHEMAS STREQUAL samples)
  tables(bqsync_own_tables ${BQSYNC_SCHEMAS} ${BQSYNC_GENERATED})
endif()
add_custom_target(installable DEPENDS bqsync_sample_tables_program)
"""


class DevBuildTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        for name in ("dev", "CMakePresets.json"):
            shutil.copy(os.path.join(ROOT, name), self.folder)
        os.symlink(os.path.join(ROOT, "codegen"), os.path.join(self.folder, "codegen"))
        self.project("sqlite3")
        self.write("main.c", "int main(void)\n{\n    return 0;\n}\n")
        self.write("other.c", "int other(void);\nint other(void)\n{\n    return 1;\n}\n")
        self.define("schemas/users.json", USERS)

    def project(self, library):
        self.write("CMakeLists.txt", PROJECT.replace("@LIBRARY@", library).replace("@ROOT@", ROOT))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def define(self, name, document, **more):
        self.write(name, json.dumps({**document, **more}, indent=1))

    def build(self, *arguments, where=""):
        """Exit status, stdout, stderr."""
        environment = {name: value for name, value in os.environ.items() if name not in ("CFLAGS", "BQSYNC_CI")}
        ended = subprocess.run(
            [os.path.join(self.folder, "dev"), "build", *arguments], cwd=os.path.join(self.folder, where),
            env=environment, capture_output=True, encoding="utf-8")
        return ended.returncode, ended.stdout, ended.stderr

    def test_one_line_says_what_was_built(self):
        built = (0, "built build/bqsync and build/bqlocal: 1 table from schemas/\n", "")
        self.assertEqual(built, self.build())
        self.assertEqual(built, self.build())
        self.define("schemas/orders.json", USERS, table="orders")
        self.write("schemas/table.schema.json", "{}")
        self.assertEqual((0, "built build/bqsync and build/bqlocal: 2 tables from schemas/\n", ""), self.build())

    def test_another_folder_is_named_as_the_caller_sees_it(self):
        self.define("mine/own/users.json", USERS)

        self.assertEqual((0, "built build/bqsync and build/bqlocal: 1 table from own/\n", ""),
                         self.build("--schemas", "own", where="mine"))
        self.assertEqual((0, "built build/bqsync and build/bqlocal: 1 table from mine/own/\n", ""), self.build())

    def test_wrong_definitions_are_all_that_is_printed(self):
        self.define("schemas/users.json", USERS, colour="red", key=["idd"])
        self.write("main.c", "int main(void)\n{\n    return nothing;\n}\n")

        self.assertEqual((1, "", (
            'schemas/users.json:4: key[0]: no column "idd" (did you mean "id"?)\n'
            'schemas/users.json:15: colour: unknown key (did you mean "columns"?)\n')), self.build())

    def test_wrong_definitions_of_another_folder(self):
        self.define("own/users.json", USERS, colour="red")

        for arguments in (("--schemas", "own"), ()):
            self.assertEqual(
                (1, "", 'own/users.json:15: colour: unknown key (did you mean "columns"?)\n'), self.build(*arguments))

    def test_errors_of_the_compiler_come_without_the_commands(self):
        self.write("main.c", "int main(void)\n{\n    int left;\n    return nothing;\n}\n")

        status, stdout, stderr = self.build()

        self.assertEqual((1, ""), (status, stdout))
        self.assertRegex(stderr, r"(?m)^main\.c:4:12: error: .*nothing")
        self.assertNotRegex(stderr, r"FAILED|ninja|^\[|/cc |-Wall -|Building")
        self.assertIn("the whole log is " + os.path.join("build", "build.log"), stderr)

    def test_warnings_are_shown_when_it_worked(self):
        self.write("other.c", "static int unused(void)\n{\n    return 1;\n}\n")

        status, stdout, stderr = self.build()

        self.assertEqual((0, "built build/bqsync and build/bqlocal: 1 table from schemas/\n"), (status, stdout))
        self.assertRegex(stderr, r"(?m)^other\.c:1:12: warning: ")
        self.assertFalse(re.search(r"(?m)^\[|^--|^ninja", stderr), stderr)

    def test_a_missing_library_is_named_at_once(self):
        self.project("no-such-library")

        for _ in range(2):
            status, stdout, stderr = self.build()

            self.assertEqual((1, ""), (status, stdout))
            self.assertIn("no-such-library", stderr)
            self.assertNotIn("-- ", stderr)
            self.assertLess(len(stderr.splitlines()), 12, stderr)

    def test_a_missing_library_of_a_later_build(self):
        self.assertEqual(0, self.build()[0])
        self.project("no-such-library")

        status, stdout, stderr = self.build()

        self.assertEqual((1, ""), (status, stdout))
        self.assertIn("no-such-library", stderr)
        self.assertNotIn("-- ", stderr)


if __name__ == "__main__":
    unittest.main()

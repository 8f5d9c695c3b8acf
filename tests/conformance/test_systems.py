"""Every source of the product compiles for macOS and for Alpine's C library, by a compiler that brings their headers.

It is compiled and not linked: there are no libraries of these systems here. Nothing is said of what it does there."""

import concurrent.futures
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

from tests.conformance import emitted
from tests.support import foreign

SYSTEMS = {
    # What runtime/deploy/cmake/system.cmake gives the compiler there.
    "aarch64-macos": ["-D_DARWIN_C_SOURCE", "-D__STDC_WANT_LIB_EXT1__=1", "-include", "runtime/base/apple.h"],
    "x86_64-linux-musl": [],
}
# Headers of libraries, which are the same everywhere; other headers of this machine must not be found.
LIBRARIES = ("sqlite3.h", "curl", "cjson", "openssl", "microhttpd.h", "isa-l", "isa-l.h", "zstd.h")


def headers(folder):
    """A folder with the libraries' headers alone."""
    usual = [pathlib.Path("/usr/include")] + sorted(pathlib.Path("/usr/include").glob("*-linux-gnu"))
    said = subprocess.run(["pkg-config", "--cflags-only-I", "--keep-system-cflags", "libcurl", "sqlite3", "libcjson",
                           "libcrypto", "libmicrohttpd", "libisal", "libzstd"], capture_output=True, text=True, check=True).stdout
    places = [*usual, *(pathlib.Path(word[2:]) for word in shlex.split(said))]
    for name in LIBRARIES:
        for place in places:
            if (place / name).is_dir():
                shutil.copytree(place / name, folder / name, dirs_exist_ok=True)
            elif (place / name).exists():
                shutil.copy(place / name, folder)
    return folder


class SystemsTest(unittest.TestCase):
    def test_every_source_compiles(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the plain build does this")
        zig = emitted.Packages("zig").path / "ziglang" / "zig"
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-systems-")))
        (folder / "include").mkdir()
        headers(folder / "include")
        sources = sorted((foreign.SOURCE / "runtime").rglob("*.c"))
        self.assertGreater(len(sources), 150)

        def compile_one(system, number, source):
            return subprocess.run(
                [zig, "cc", "-target", system, "-std=c17", "-D_GNU_SOURCE", *SYSTEMS[system],
                 '-DBQSYNC_VERSION="0"', "-DBQSYNC_SQLITE_COMPILED_IN=0", "-Iruntime", "-iquote", "generated",
                 "-isystem", folder / "include", "-Wall", "-Wextra", "-Werror",
                 # What zig adds by itself, and nobody runs.
                 "-g0", "-fno-sanitize=undefined", "-c", source, "-o", folder / f"{system}-{number}.o"],
                cwd=foreign.SOURCE, capture_output=True, text=True,
                env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)})

        for system in SYSTEMS:
            with self.subTest(system), concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                done = pool.map(lambda entry: compile_one(system, *entry), enumerate(sources))
                self.assertEqual([], [one.stderr[-1500:] for one in done if one.returncode != 0])


if __name__ == "__main__":
    unittest.main()

"""Debian's, systemd's and groff's own tools judge what is installed."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.support import foreign, hardened

DEPLOY = foreign.SOURCE / "runtime" / "deploy"
UNITS = ("bqsync.service", "bqsync-sync.service", "bqsync.timer")
SERVICES = UNITS[:2]
EXPOSURE_MAX = 1.5
# What the two services may differ in: how they are started, and what follows from it.
OWN = {"Type", "Environment", "ExecStart", "Restart", "RestartSec", "RestartPreventExitStatus", "WatchdogSec", "User"}


def run(*command, timeout=120, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, **options)


def section(name, heading):
    """The settings of a unit's section: pairs of key and value, in their order."""
    text = re.search(rf"^\[{heading}\]\n(.*?)(?=^\[|\Z)", (DEPLOY / name).read_text(), re.M | re.S)[1]
    return [tuple(line.split("=", 1)) for line in text.splitlines() if line and not line.startswith("#")]


def cached(name):
    """A value that this build was configured with."""
    return re.search(rf"^{name}:\w+=(.*)$", (foreign.BUILD / "CMakeCache.txt").read_text(), re.M)[1]


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="bqsync-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.root = cls.folder / "root"
        foreign.build_output("bqsync")
        foreign.build_output("bqlocal")
        foreign.tool("dpkg-deb", "dpkg")
        foreign.tool("dpkg-shlibdeps", "dpkg-dev")
        built = run("cpack", "-G", "DEB", "-B", cls.folder, cwd=foreign.BUILD, timeout=600)
        if built.returncode != 0:
            raise AssertionError(built.stdout[-3000:] + built.stderr[-3000:])
        cls.package = next(cls.folder.glob("*.deb"))
        unpacked = run("dpkg-deb", "-x", cls.package, cls.root)
        if unpacked.returncode != 0:
            raise AssertionError(unpacked.stderr)

    def test_the_package_names_the_libraries_it_needs(self):
        fields = run("dpkg-deb", "-f", self.package).stdout

        depends = re.search(r"^Depends: (.*)$", fields, re.M)[1]
        for package in ("libc6", "libsqlite3-0", "libcurl4", "libzstd1", "libavro", "ca-certificates", "tzdata",
                        # For bqsync-gen, which compiles the tables.
                        "python3", "gcc | c-compiler", "libc6-dev | libc-dev"):
            self.assertIn(package, depends)
        self.assertEqual("/etc/bqsync/bqsync.env", run("dpkg-deb", "-I", self.package, "conffiles").stdout.strip())

    def test_dpkg_installs_and_removes_it_in_a_root_of_its_own(self):
        if os.geteuid() != 0:
            self.skipTest("*** SKIPPED: only root may run dpkg ***")
        root = self.folder / "dpkg"
        (root / "var/lib/dpkg").mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()

        installed = run("dpkg", f"--root={root}", "--force-depends", "--force-script-chrootless", "-i", self.package)
        self.assertEqual(0, installed.returncode, installed.stderr)
        self.assertTrue((root / "etc/bqsync/bqsync.env").exists())
        # The secret's folder and settings are not for everybody's eyes.
        self.assertEqual(0, (root / "etc/bqsync/bqsync.env").stat().st_mode & 0o007)
        purged = run("dpkg", f"--root={root}", "--force-script-chrootless", "-P", "bqsync")

        self.assertEqual(0, purged.returncode, purged.stderr)
        self.assertFalse((root / "usr/bin/bqsync").exists())
        self.assertFalse((root / "usr/bin/bqlocal").exists())
        self.assertFalse((root / "etc/bqsync/bqsync.env").exists())

    def test_the_installed_programs_run(self):
        for program in ("bqsync", "bqlocal", "bqsync-gen"):
            with self.subTest(program=program):
                ended = run(self.root / "usr/bin" / program, "--version")

                self.assertEqual(0, ended.returncode, ended.stderr)
                self.assertRegex(ended.stdout, rf"^{program} \d+\.\d+\.\d+")

    def test_the_programs_are_hardened(self):
        installed = self.folder / "installed"
        ended = run("cmake", "--install", foreign.BUILD, "--prefix", installed)
        self.assertEqual(0, ended.returncode, ended.stderr)
        for program in (self.root / "usr/bin/bqsync", self.root / "usr/bin/bqlocal",
                        installed / "bin/bqsync", installed / "bin/bqlocal"):
            with self.subTest(program=program):
                self.assertEqual([], hardened.missing(program))

    def test_what_is_not_hardened_is_found(self):
        source = self.folder / "plain.c"
        source.write_text("int main(void) { return 0; }")
        plain = self.folder / "plain"
        made = run("cc", "-no-pie", "-z", "norelro", "-z", "lazy", "-z", "execstack", "-fcf-protection=none",
                   "-Wl,--build-id=none", "-o", plain, source)
        self.assertEqual(0, made.returncode, made.stderr)

        self.assertEqual({*hardened.SIGNS, "marked targets of jumps"}, set(hardened.missing(plain)))

    def test_sizes_are_checked_as_far_as_the_compiler_can(self):
        probe = self.folder / "level.c"
        probe.write_text("#include <string.h>\n__USE_FORTIFY_LEVEL\n")
        known = run("cc", "-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-E", "-P", probe).stdout.split()[-1]
        commands = json.loads((foreign.BUILD / "compile_commands.json").read_text())

        levels = {re.findall(r"-D_FORTIFY_SOURCE=(\d)", entry["command"])[-1] for entry in commands
                  if "/runtime/" in entry["file"]}

        self.assertEqual({known}, levels)

    def test_systemd_finds_nothing_wrong_with_the_units(self):
        analyze = foreign.tool("systemd-analyze", "systemd")
        copies = []
        for name in UNITS:
            unit = self.root / "usr/lib/systemd/system" / name
            self.assertEqual((DEPLOY / name).read_text(), unit.read_text())
            # The program has to be where the unit says.
            copies.append(self.folder / name)
            copies[-1].write_text(unit.read_text().replace("/usr/bin/bqsync", str(self.root / "usr/bin/bqsync")))

        ended = run(analyze, "verify", "--man=no", "--recursive-errors=no", *copies)

        self.assertEqual(0, ended.returncode, ended.stderr)
        for name in UNITS:
            self.assertNotIn(name, ended.stderr)

    def test_systemd_rates_the_units_as_well_confined(self):
        analyze = foreign.tool("systemd-analyze", "systemd")
        for name in SERVICES:
            with self.subTest(unit=name):
                ended = run(analyze, "security", "--offline=true", DEPLOY / name)

                level = re.search(rf"Overall exposure level for {name}: ([\d.]+)", ended.stdout)
                self.assertIsNotNone(level, ended.stdout + ended.stderr)
                self.assertLess(float(level[1]), EXPOSURE_MAX, ended.stdout)

    def test_both_services_are_confined_alike(self):
        first, second = ([line for line in section(name, "Service") if line[0] not in OWN] for name in SERVICES)

        self.assertEqual(first, second)

    def test_the_service_is_not_restarted_where_a_person_must_act_first(self):
        table = (foreign.SOURCE / "runtime/base/error.c").read_text()
        status = dict(re.findall(r'\{"(\w+)",\s+\w+,\s+(\d+),', table))

        [stays] = [value for key, value in section("bqsync.service", "Service") if key == "RestartPreventExitStatus"]

        self.assertEqual([status[code] for code in ("usage", "config", "auth")], stays.split())

    def test_nothing_is_enabled_by_the_installation(self):
        self.assertEqual([], [path for path in self.root.rglob("*.wants")])
        scripts = run("dpkg-deb", "-I", self.package).stdout
        for script in ("preinst", "postinst"):
            self.assertNotIn(script, scripts)

    def test_the_maintainer_has_no_invented_address(self):
        maintainer = run("dpkg-deb", "-f", self.package, "Maintainer").stdout.strip()

        self.assertEqual(cached("BQSYNC_MAINTAINER"), maintainer)
        self.assertNotIn("localhost", maintainer)

    def test_the_man_pages_are_set_without_a_warning(self):
        groff = foreign.tool("groff", "groff-base")
        for name, words in (("bqsync", ("NAME", "--full", "BQ_SQLITE_PATH", "EXIT STATUS")),
                            ("bqsync-gen", ("NAME", "--schemas", "generate", "EXIT STATUS")),
                            ("bqlocal", ("NAME", "--listen", "--job-latency"))):
            with self.subTest(name=name):
                page = next(self.root.glob(f"usr/share/man/man1/{name}.1*"))
                text = page
                if page.suffix == ".gz":
                    text = self.folder / f"{name}.1"
                    text.write_bytes(subprocess.run(["gzip", "-dc", page], capture_output=True, check=True).stdout)

                ended = run(groff, "-man", "-Tutf8", "-ww", "-Kutf8", text)

                self.assertEqual((0, ""), (ended.returncode, ended.stderr))
                shown = re.sub(".\x08", "", ended.stdout)
                for word in words:
                    self.assertIn(word, shown)

    def test_bash_completes_commands(self):
        for program, typed, completed in (("bqsync", "ver", "verify\nversion"), ("bqsync-gen", "gen", "generate")):
            with self.subTest(program=program):
                script = self.root / "usr/share/bash-completion/completions" / program
                self.assertEqual(0, run("bash", "-n", script).returncode)

                ended = run("bash", "-c", f"""
                    source {script}
                    name=$(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')
                    COMP_WORDS=({program} {typed}); COMP_CWORD=1; COMP_LINE='{program} {typed}'; COMP_POINT=12
                    $name {program} {typed} {program}
                    printf '%s\\n' "${{COMPREPLY[@]}}" """)

                self.assertEqual(completed, ended.stdout.strip(), ended.stderr)


if __name__ == "__main__":
    unittest.main()

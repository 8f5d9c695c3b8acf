"""From a SQLite file to its mirror, as a user goes: infer, generate, compile, sync, verify. No file is edited.

    with Bqlocal(datasets=["d"]) as bq, Journey(bq, path) as journey:
        journey.infer()
        journey.build()
        journey.app.sync()

The program is linked from the parts of the build, which databases.json of its folder names, and the generated tables.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from tests.support import mirror
from tests.support.deployment import BUILD, Deployment

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")


class StepFailed(Exception):
    """A step ended with another status than it should."""


class Journey:
    def __init__(self, bqlocal: Any, database: pathlib.Path, environment: dict[str, str] | None = None) -> None:
        self._bq = bqlocal
        self._database = database
        self._environment = environment

    def __enter__(self) -> "Journey":
        self._folder = tempfile.TemporaryDirectory(prefix="bqsync-databases-")
        self.folder = pathlib.Path(self._folder.name)
        self.schemas = self.folder / "schemas"
        self.app = Deployment(self._bq, schema="", journal="delete", environment=self._environment)
        self.app.__enter__()
        shutil.copy(self._database, self.app.path)
        return self

    def __exit__(self, *_: Any) -> None:
        self.app.__exit__()
        self._folder.cleanup()

    def _run(self, command: list[str], status: int, **options: Any) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=300, **options)
        if ended.returncode != status:
            shown = (ended.stdout + ended.stderr)[-8000:]
            raise StepFailed(f"{' '.join(command)[:300]} ended with {ended.returncode}, not {status}:\n{shown}")
        return ended

    def infer(self, *options: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "codegen", "infer", *options, str(self.app.path), "--out", str(self.schemas)]
        return self._run(command, status)

    def build(self) -> None:
        """Compiles what is generated, with warnings as errors, and links the program."""
        generated = self.folder / "generated"
        self._run([sys.executable, "-m", "codegen", "--schemas", str(self.schemas), "--output", str(generated)], 0)
        parts = json.loads((BUILD / "databases.json").read_text())
        sanitize = [parts["sanitize"]] if parts["sanitize"] else []
        sources = sorted(str(path) for path in generated.glob("*.c"))
        objects = self.folder / "objects"
        objects.mkdir(exist_ok=True)
        compile_ = [parts["compiler"], "-std=c17", "-D_GNU_SOURCE", "-c", *sanitize, *STRICT, f"-I{parts['include']}",
                    "-iquote", str(generated), *sources]
        ended = subprocess.run(compile_, cwd=objects, capture_output=True, text=True, timeout=300)
        if ended.returncode != 0:
            raise StepFailed(f"what was generated does not compile:\n{ended.stderr[:8000]}")
        made = sorted(str(path) for path in objects.glob("*.o"))
        self.app.program = str(self.folder / "bqsync")
        link = [parts["compiler"], *sanitize, "-Wl,--build-id=sha1", "-o", self.app.program, *made]
        self._run([*link, *parts["parts"].split(";")], 0)

    def problems(self) -> list[str]:
        """The whole way, and what was not as it should be."""
        found = []
        self.infer()
        written = self.written()
        left = self.tables() - set(self.definitions())
        found += [f"{table}: infer passes it over" for table in sorted(left)]
        self.build()
        status, out, err = self.app.run("sync", "--json")
        for table in json.loads(out)["tables"] if out else []:
            if table["error"]:
                found.append(f"{table['table']}: {table['error']['message']}")
            if table["rows_rejected"]:
                found.append(f"{table['table']}: {table['rows_rejected']} rows rejected")
        if status != 0 and not found:
            found.append(f"sync ended with {status}: {err[-2000:]}")
        found += [f"{table['table']}: verify calls it different" for table in self._verified() if not table["equal"]]
        reports = mirror.compare(str(self.app.path), self._bq.host, self._bq.project, "d", self.schemas)
        found += [str(report) for report in reports if not report.equal]
        self.infer()
        if written != self.written():
            found.append("a second infer changes the definitions")
        return found

    def _verified(self) -> list[dict[str, Any]]:
        _, out, _ = self.app.run("verify", "--json")
        return json.loads(out)["tables"] if out else [{"table": "all tables", "equal": False}]

    # What is there

    def definitions(self, folder: pathlib.Path | None = None) -> dict[str, dict[str, Any]]:
        """By the tables' names in SQLite."""
        found = {}
        for path in sorted((folder or self.schemas).glob("*.json")):
            if path.name != "table.schema.json":
                definition = json.loads(path.read_text("utf-8"))
                found[definition["table"]] = definition
        return found

    def written(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.schemas.iterdir())}

    def tables(self) -> set[str]:
        """The application's own tables: no views, no virtual tables and none that those keep their content in."""
        rows = self.app.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                                "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'bq!_sync!_%' ESCAPE '!'")
        return {name for name, in rows}

    def traces(self) -> dict[str, str]:
        """The files at the database, and a hash of each: whether a step left anything behind."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self.app.folder.iterdir())}

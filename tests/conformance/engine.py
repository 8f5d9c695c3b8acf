"""Google's engine, ZetaSQL's reference implementation, runs GoogleSQL over tables of its own.

    with Engine(stage) as engine:
        engine.run("create table d.t (id int64)")
        engine.rows("select count(*) from d.t")

googlesql/README.md says what is Google's in it and what is ours.
"""

import json
import math
import subprocess
import tempfile

from tests.support import foreign


class Refused(Exception):
    """Google's engine refuses the statement."""


class Unsupported(Exception):
    """The engine does not run statements of this kind, whether BigQuery does or not."""


class Engine:
    """Tables of one project, in the memory of a process; stage is a foreign.Stage("googlesql")."""

    def __init__(self, stage, project="p", time_zone="UTC"):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [foreign.node(), "googlesql-execute.js", "--project", project, "--time-zone", time_zone],
            cwd=stage.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()

    def run(self, sql, parameters=()):
        """The answer of a script's last statement: {"columns", "types", "rows"}, or {"inserted", ...} of DML."""
        return self._ask(sql=sql, parameters=list(parameters))

    def forget(self):
        """Drops all tables."""
        self._ask(forget=True)

    def set_time_zone(self, name):
        """The default time zone of all statements from now on; the tables stay."""
        self._ask(timeZone=name)

    def _ask(self, **request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"Google's engine ended at {str(request)[:2000]}: {self._errors.read()[-2000:]}")
        answer = json.loads(line)
        if "unsupported" in answer:
            raise Unsupported(answer["unsupported"])
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def rows(self, sql, parameters=()):
        """The rows of a query as tuples of texts, as REST would show them."""
        return [tuple(row) for row in self.run(sql, parameters)["rows"]]


def comparable(kind, text):
    """A value such that equal values of both sides are equal: FLOAT64 has more than one right text."""
    if text is None or kind not in ("FLOAT", "FLOAT64", "TYPE_DOUBLE"):
        return text
    number = float(text)
    return "NaN" if math.isnan(number) else number

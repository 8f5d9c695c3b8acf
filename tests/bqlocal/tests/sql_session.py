"""Runs GoogleSQL on bqlocal's store through the program sql_driver."""

import json
import os
import pathlib
import subprocess


class SqlFailed(Exception):
    """The statement failed; message, reason and status as REST would show them."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.message = answer["error"]
        self.reason = answer["reason"]
        self.status = answer["status"]


class Session:
    """One database (in memory unless a file is named) with the dataset `d` in project `p`."""

    def __init__(self, *file):
        program = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")) / "sql_driver"
        self.process = subprocess.Popen(
            [str(program), *file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self.ask(dataset="d", create=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the program and gives back its exit status."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()

    def ask(self, **request):
        """One request as it is, its answer as it is."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"sql_driver died at {request}")
        return json.loads(line)

    def run(self, sql, **more):
        """The whole answer, or SqlFailed."""
        answer = self.ask(sql=sql, **more)
        if "error" in answer:
            raise SqlFailed(answer)
        return answer

    def rows(self, sql, **more):
        """The rows as tuples of what REST would show."""
        return [tuple(row) for row in self.run(sql, **more)["rows"]]

    def value(self, expression, **more):
        """One expression's value."""
        return self.rows(f"SELECT {expression}", **more)[0][0]

    def dml(self, sql, **more):
        """(inserted, updated, deleted) of one statement."""
        statement = self.run(sql, **more)["statements"][-1]
        return statement["inserted"], statement["updated"], statement["deleted"]

    def table(self, name):
        """A Table resource."""
        return self.ask(dataset="d", table=name)["table"]

"""A `bqsync serve` from its start to its stop, whatever fails meanwhile."""

import threading
import time
import urllib.error
import urllib.request

SETTINGS = {"BQ_SYNC_INTERVAL": "8784h", "BQ_SYNC_DAILY_AT": "off", "BQ_ADMIN_LISTEN": "127.0.0.1:0",
            "BQ_LOG_LEVEL": "info"}
# A service that cannot start its first pass tells so and tries again later: then nothing is to be waited for.
PASS_SECONDS = 5
STOP_SECONDS = 60
ROUTES = ("/admin/bigquery/sync/status", "/admin/bigquery/sync/runs", "/metrics", "/healthz")


class Serving:
    def __init__(self, app, environment):
        self._process = app.start("serve", **{**SETTINGS, **environment})
        self._lines = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._lines.append("")
            self._changed.notify_all()

    def _wait(self, *texts):
        """The first line with one of the texts; None if there is none in time or the service has ended."""
        def found():
            return next((line for line in self._lines if line == "" or any(text in line for text in texts)), None)
        with self._changed:
            self._changed.wait_for(lambda: found() is not None, PASS_SECONDS)
            return found() or None

    def wait_pass(self):
        return self._wait("pass done", "pass ended early", "pass failed", "cannot start") is not None

    def look(self):
        """What a monitor asks for. An answer may say that there is no memory, or fail to come."""
        line = self._wait("admin api listening")
        for route in ROUTES if line else ():
            try:
                with urllib.request.urlopen(line.split("url=")[1].split()[0] + route, timeout=5) as answer:
                    answer.read()
            except (urllib.error.URLError, OSError, ValueError):
                pass

    def end(self):
        """Asks it to stop; (exit status, what it has printed on stderr)."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._process.stderr.close()
        return self._process.returncode, "".join(self._lines)


def serve(app, environment):
    """(exit status, "", stderr) of a service that is asked to stop after its first pass."""
    began = time.monotonic()
    service = Serving(app, environment)
    service.wait_pass()
    service.look()
    status, err = service.end()
    if time.monotonic() - began > PASS_SECONDS + STOP_SECONDS:
        err += "\n(it took longer than it should)"
    return status, "", err

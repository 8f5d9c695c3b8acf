"""Clients of bqlocal that keep one connection, for the random lives: they ask hundreds of times a second.

As Bqlocal and mirror.Endpoint, without urllib: no handlers, no header objects, one connection for all requests.
"""

import json
import socket
import urllib.parse

from tests.support import mirror
from tests.support.bqlocal import Bqlocal


class Wire:
    """HTTP/1.1 with a server of this machine, which sends a Content-Length with each answer."""

    def __init__(self, host, port):
        self._address = (host, port)
        self._socket = None
        self._file = None

    def close(self):
        if self._socket is not None:
            self._file.close()
            self._socket.close()
        self._socket = self._file = None

    def _connect(self, timeout):
        if self._socket is None:
            self._socket = socket.create_connection(self._address)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._file = self._socket.makefile("rb")
        self._socket.settimeout(timeout)

    def request(self, method, target, body, headers, timeout):
        """(status, headers by their names in lower case, content). A connection that the server has closed while it
        was not used is opened again."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._address[0]}", f"Content-Length: {len(body)}",
                 *(f"{name}: {value}" for name, value in headers.items()), "\r\n"]
        data = "\r\n".join(lines).encode() + body
        used = self._socket is not None
        try:
            first = self._send(data, timeout)
        except OSError:
            if not used:
                raise
            first = b""
        if not first and used:
            self.close()
            first = self._send(data, timeout)
        if not first:
            raise ConnectionError(f"no answer to {method} {target}")
        return self._answer(method, first)

    def _send(self, data, timeout):
        self._connect(timeout)
        self._socket.sendall(data)
        return self._file.readline()

    def _answer(self, method, first):
        headers = {}
        while (line := self._file.readline().rstrip(b"\r\n")):
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.lower()] = value.strip()
        status = int(first.split()[1])
        content = b""
        if method != "HEAD" and status != 204:
            content = self._file.read(int(headers["content-length"]))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, content


class KeptBqlocal(Bqlocal):
    """A running bqlocal and one connection to it."""

    def start(self, port=0):
        super().start(port)
        self.wire = Wire("127.0.0.1", self.port)

    def stop(self):
        if self._process is not None and hasattr(self, "wire"):
            self.wire.close()
        return super().stop()

    def raw(self, method, path, body=None, headers=None, timeout=60):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        return self.wire.request(method, path, body or b"", headers or {}, timeout)


class KeptEndpoint(mirror.Endpoint):
    """The reads of the outside check, through the connection of a KeptBqlocal."""

    def __init__(self, bq, dataset):
        super().__init__(bq.url, bq.project, dataset)
        self._wire = bq.wire
        self._path = urllib.parse.urlsplit(self.base).path

    def get(self, path, **parameters):
        target = f"{self._path}/{path}?{urllib.parse.urlencode(parameters)}"
        status, _, content = self._wire.request("GET", target, b"", {}, timeout=60)
        if status >= 300:
            raise mirror.Refused(status, content)
        return json.loads(content)

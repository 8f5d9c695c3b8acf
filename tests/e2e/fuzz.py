"""Hostile clients of the admin API, as a program of its own so that several can run beside a test.

    python3 -m tests.e2e.fuzz PORT COUNT SEED

sends COUNT requests and prints one JSON document: how often each status came, and every answer that was not the one
the request deserves. Half of the requests are well-formed and have one right status; the other half is nonsense,
which may be refused in any way but not with a server's error.
"""

import collections
import contextlib
import json
import random
import re
import socket
import sys

from tests.support import printed

TIMEOUT_SECONDS = 60
# A request that was cut off has no answer to wait for; one that has comes sooner than this, as a rule.
NONSENSE_SECONDS = 0.05
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

SYNC = "/admin/bigquery/sync"
READS = ["/", "/healthz", "/readyz", "/metrics", "/admin/bigquery/tables", f"{SYNC}/status", f"{SYNC}/runs",
         f"{SYNC}/runs?limit=3"]
STARTS = [f"{SYNC}/manual", f"{SYNC}/incremental"]
NOWHERE = ["/nothing", "/admin", f"{SYNC}/runs/", f"{SYNC}/runs/a/b", "//", "/healthz/", "/%68ealthz%00", f"{SYNC}/statu",
           "/" + "a" * 3000]
STARTED = {202, 409}


def deserved(source):
    """A well-formed request: (method, path, headers, body, the statuses that are right)."""
    kind = source.randrange(10)
    if kind < 3:
        return "GET", source.choice(READS), [], b"", {200}
    if kind == 3:
        return "HEAD", source.choice(READS), [], b"", {200}
    if kind == 4:
        return source.choice(["GET", "POST", "PUT"]), source.choice(NOWHERE), [], b"", {404}
    if kind == 5:
        method, path = source.choice([("POST", source.choice(READS)), ("GET", source.choice(STARTS)),
                                      ("DELETE", source.choice(READS + STARTS)), ("PATCH", "/healthz")])
        return method, path, [], b"{}", {405}
    if kind == 6:
        body = source.choice([b"{", b"[1,]", b"nul", b"\xff\xfe", b"[" * 500, b"[]]", b"{\"a\":}"])
        return "POST", source.choice(STARTS + [f"{SYNC}/tables"]), [], body, {400}
    if kind == 7:
        body = source.choice([b"[]", b"{}", b"[\"nobody\"]", b"[1]", b"\"accounts\"", b"[null]", b"", b"[[\"accounts\"]]"])
        return "POST", f"{SYNC}/tables", [], body, {400}
    if kind == 8:
        header = source.choice(["Host: evil.example", "Host: 127.0.0.1.evil.example", "Host: localhost:80x"])
        return "GET", source.choice(READS + NOWHERE), [header], b"", {403}
    body = b"[" + b" " * source.choice([65536, 70000, 200000]) + b"]"
    return "POST", f"{SYNC}/tables", [], body, {413}


def seldom(source):
    """What is right but costs a pass."""
    if source.randrange(2):
        return "POST", source.choice(STARTS), [], b"", STARTED
    return "POST", f"{SYNC}/tables", [], b"[\"accounts\"]", STARTED


def well_formed(method, path, headers, body):
    lines = [f"{method} {path} HTTP/1.1", *(headers or ["Host: localhost"])]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def nonsense(source):
    """Bytes that are wrong in one of many ways."""
    paths = READS + STARTS + NOWHERE + ["/%", "/%zz", "/%00", "/..%2f..", "*", "", f"{SYNC}/runs?limit=" + "9" * 30,
                                        f"{SYNC}/runs?" + "&" * 200, f"{SYNC}/runs/%2e%2e", "http://x/healthz"]
    methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "G E T", "", "X" * 500]
    headers = ["Host: localhost", "Host: evil.example", "Content-Length: 5", "Content-Length: -1",
               "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Expect: 100-continue",
               "Authorization: Bearer " + "x" * 2000, "Cookie: " + "c" * 40000, "A" * 2000, ": x", "\x00: y",
               "Connection: close", "Connection: upgrade", "Origin: null", "X: \xff\xfe"]
    bodies = ["", "", "[]", "{", "[" * 2000, "5\r\nhello\r\n0\r\n\r\n", "\x00" * 50, "x" * 70000]
    line = f"{source.choice(methods)} {source.choice(paths)} HTTP/{source.choice(['1.1', '1.0', '9', ''])}"
    chosen = source.sample(headers, source.randint(0, 4))
    text = line + "\r\n" + "".join(header + "\r\n" for header in chosen) + "\r\n" + source.choice(bodies)
    data = bytearray(text.encode("latin-1"))
    for _ in range(source.choice([0, 0, 0, 1, 5, 50])):
        data[source.randrange(len(data))] = source.randrange(256)
    return bytes(data[:source.choice([len(data), len(data), source.randrange(len(data) + 1)])])


class Client:
    """One connection, kept as long as the server likes."""

    def __init__(self, port):
        self._port = port
        self._socket = None

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def exchange(self, data, has_body):
        """Sends a well-formed request and returns its status; None if the connection was closed first."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_SECONDS)
        self._socket.sendall(data)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            more = self._socket.recv(65536)
            if not more:
                self.close()
                return None
            answer += more
        head = answer[:end]
        left = int(LENGTH.search(head).group(1)) - (len(answer) - end - 4) if has_body else 0
        while left > 0:
            left -= len(self._socket.recv(min(left, 65536))) or left
        if b"\r\nConnection: close" in head:
            self.close()
        return int(STATUS_LINE.match(head).group(1))


def send_nonsense(port, data):
    """Sends it on a connection of its own; the status of the first answer, or None."""
    answer = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        client.settimeout(NONSENSE_SECONDS)
        answer = client.recv(65536)
        printed.keep("bqsync", "an answer to nonsense", answer)
    match = STATUS_LINE.match(answer)
    return int(match.group(1)) if match else None


def send_well_formed(client, request):
    method, path, headers, body, _ = request
    data = well_formed(method, path, headers, body)
    for _ in range(3):
        # A kept connection may have been closed for its age just now; the request is then sent again.
        try:
            status = client.exchange(data, method != "HEAD")
        except ConnectionError:
            client.close()
            continue
        if status is not None:
            return status
    return None


def main(port, count, seed):
    source = random.Random(seed)
    statuses = collections.Counter()
    wrong = []
    client = Client(port)
    for number in range(count):
        if number % 2:
            statuses[str(send_nonsense(port, nonsense(source)))] += 1
            continue
        request = seldom(source) if number % 1000 == 0 else deserved(source)
        status = send_well_formed(client, request)
        statuses[str(status)] += 1
        if status not in request[4]:
            wrong.append({"request": f"{request[0]} {request[1][:80]}", "headers": request[2],
                          "body": repr(request[3][:40]), "status": status, "right": sorted(request[4])})
    client.close()
    print(json.dumps({"statuses": statuses, "wrong": wrong[:20], "wrong_count": len(wrong)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""A steady client of the admin API, as a program of its own so that its clock is not held up by a test's threads.

    python3 -m tests.e2e.hammer PORT RATE SEED

asks RATE times a second, over all routes, until its standard input ends, and then prints one JSON document: the
milliseconds that each answer of a route took, and the answers that were not right. Latency counts from the moment when a
request was due, so that a stalled server cannot hide behind the requests it delayed.
"""

import collections
import http.client
import json
import random
import sys
import threading
import time

from tests.e2e.serving import INCREMENTAL, MANUAL, RUNS, STATUS, TABLES

ROUTES = [("GET", STATUS, None, {200}, 30), ("GET", RUNS + "?limit=5", None, {200}, 10), ("GET", RUNS, None, {200}, 2),
          ("GET", RUNS + "/none", None, {404}, 3), ("GET", "/metrics", None, {200}, 10), ("GET", "/healthz", None, {200}, 10),
          ("GET", "/admin/bigquery/rejects", None, {200}, 3),
          ("GET", "/readyz", None, {200}, 5), ("GET", "/", None, {200}, 5), ("GET", "/nothing", None, {404}, 5),
          ("GET", "/admin/bigquery/tables", None, {200}, 5), ("GET", "/admin/bigquery/verify", None, {200}, 3),
          ("POST", "/admin/bigquery/verify", None, {202, 409}, 0.2), ("POST", INCREMENTAL, None, {202, 409}, 3),
          ("POST", TABLES, '["accounts"]', {202, 409}, 2), ("POST", TABLES, '["nobody"]', {400}, 2),
          ("POST", MANUAL, None, {202, 409}, 0.05), ("PUT", STATUS, None, {405}, 2)]


def main(port, rate, seed):
    source = random.Random(seed)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    weights = [route[4] for route in ROUTES]
    times = collections.defaultdict(list)
    wrong = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    due = time.monotonic() + source.random() / rate
    while not stop.wait(max(0, due - time.monotonic())):
        method, path, body, right, _ = source.choices(ROUTES, weights)[0]
        connection.request(method, path, body)
        answer = connection.getresponse()
        answer.read()
        times[f"{method} {path}"].append(round((time.monotonic() - due) * 1000, 2))
        if answer.status not in right:
            wrong.append([method, path, answer.status])
        due += 1 / rate
    connection.close()
    json.dump({"times": times, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

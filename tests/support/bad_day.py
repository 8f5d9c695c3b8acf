"""Faults that BigQuery and the network between have on a bad day, for tests that run long."""


def some_fault(source, tables):
    """A rule for bqlocal, chosen by a random.Random. Of the tables ("dataset.table") one may vanish."""
    nth = source.randrange(1, 6)
    place = source.choice([{}, {"method": "POST"}, {"method": "GET"}, {"path": "/jobs"}, {"path": "upload"}, {"path": "queries"}])
    kind = source.randrange(10)
    if kind == 0:
        return {"action": "job_fail", "reason": source.choice(["backendError", "internalError", "rateLimitExceeded"]),
                "message": "bad day", "nth": nth}
    if kind == 1:
        return {"action": "job_delay", "ms": source.choice([300, 2500]), "nth": nth}
    if kind == 2:
        return {"action": "upload_vanish", "path": "upload_id=", "nth": nth}
    if kind == 3:
        return {"action": "table_vanish", "table": source.choice(tables), "nth": nth}
    return {**place, "nth": nth, "count": source.randrange(1, 4), **source.choice([
        {"action": "status", "status": source.choice([500, 502, 503, 504, 429]), "processed": source.random() < 0.3},
        {"action": "status", "status": 403, "reason": "rateLimitExceeded"},
        {"action": "delay", "ms": source.choice([50, 1500])},
        {"action": "reset_before"}, {"action": "reset_after"}, {"action": "truncate"}, {"action": "not_json"}])}

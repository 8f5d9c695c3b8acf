"""The history of every table that can have one."""

from __future__ import annotations

from tests.fault.dimension import Dimension
from tests.fault.life import DEFINITIONS, Broken
from tests.support import changelog
from tests.support.keepalive import KeptEndpoint
from tests.support.with_history import can_have_history


class History(Dimension):
    """After each sync in peace, the log has each version once, and shows the table as it is."""

    name = "history"
    program = "bqsync_histories"

    def after_peace(self, run, rejected):
        endpoint = KeptEndpoint(self.life.bq, self.life.app.dataset)
        # What was changed by hand in BigQuery may make an update of an insert.
        strict = not (self.life.damaged or
                      any(dimension.name in ("hands", "verify") for dimension in self.life.dimensions))
        rejects = {report.table: len(report.rejected) for report in self.life.reports()} if rejected else {}
        for table in self.life.tables:
            if can_have_history(DEFINITIONS[table]) and table not in self.life.owed:
                unnoticed = rejects.get(table, 0) if self.life.damaged else 0
                found = changelog.problems(endpoint, DEFINITIONS[table], strict, unnoticed)
                self.life.counts["logs"] += 1
                if found:
                    raise Broken("\n".join(["The log is not what it should be:", *found]))

"""A filter that fails for a row: its table fails and names the row, and the others go on."""

from __future__ import annotations

import json

from tests.fault.dimension import Dimension
from tests.fault.life import Broken
from tests.support.workload_tables import CLASSIC

TABLE = "judged"
BROKEN_DOCUMENT = "{broken"


class Filters(Dimension):
    """Rows that enter and leave a filter, and one for which it cannot be evaluated until it is corrected."""

    name = "filters"

    def __init__(self, life):
        super().__init__(life)
        self.trials = [self.fail_for_a_row]

    def tables(self):
        return [TABLE, *self.some(CLASSIC, 1)]

    def step(self, application):
        """Some rows enter the filter, or leave it."""
        application.run(f"update {TABLE} set doc = ? where id % 4 = ?",
                        [self.rng.choice(['{"hidden": 1}', "{}", None]), self.rng.randrange(4)])

    def break_rows(self, application):
        for _ in range(self.rng.randrange(1, 4)):
            application.run(f"insert or replace into {TABLE}(id, doc) values (?, ?)",
                            [self.rng.randrange(1, 60), BROKEN_DOCUMENT])

    def correct_rows(self, application):
        application.run(f"update {TABLE} set doc = '{{}}' where doc = ?", [BROKEN_DOCUMENT])

    def fail_for_a_row(self, arguments):
        life = self.life
        self.application(self.break_rows)
        first = life.app.execute(f"select min(id) from {TABLE} where doc = ?", [BROKEN_DOCUMENT])[0][0]
        life.log.append(f"sync {arguments} while the filter fails, first for {first}")
        status, out, life.err = life.app.run("sync", "--json", *arguments)
        self.application(self.correct_rows)
        if status != 1:
            raise Broken(f"a sync whose filter fails ended with {status}: {out}")
        parts = {part["table"]: part for part in json.loads(out)["tables"]}
        error = parts.pop(TABLE)["error"]
        if not error or error["code"] != "schema" or not error["message"].endswith(f"(the row with id = {first})"):
            raise Broken(f"the filter fails for row {first}, the sync says {error}")
        failed = [part for part in parts.values() if part["status"] == "failed"]
        if failed:
            raise Broken(f"other tables failed as well: {failed}")

"""One scenario's source and warehouse, set up once and restored before every kill, and the comparison afterwards."""

import pathlib
import tempfile

from tests.support import changelog, mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import SHAPES, Deployment
from tests.support.killing import count_commits
from tests.support.scenarios import checkpoint
from tests.support.with_history import can_have_history

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
DEFINITIONS = {definition["table"]: definition for folder in (SCHEMAS, SCHEMAS / "lives")
               for definition in mirror.load_definitions(folder)}
# For a run that meets a fault: a request is repeated at most once, as these tests do not measure what a missing answer
# costs. The runs that must end well have the time that a busy machine takes.
HURRY = {"BQ_RETRY_BUDGET": "300ms"}


class World:
    """A source and a warehouse that can be restored to the start of a scenario."""

    program = "bqsync_lives"
    schema = SHAPES
    deployment = Deployment

    def __init__(self, stack, scenario, state=None, **environment):
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bqsync-crash-")))
        self.scenario = scenario
        self.held = {}  # what BigQuery held before the change, of each table
        self.all_held = {}  # the same, with rows that are deleted in SQLite and stay
        self.bq = stack.enter_context(Bqlocal(datasets=["d"], data=self.folder / "bq.db"))
        self.app = stack.enter_context(self.deployment(
            self.bq, self.program, self.schema, environment={"BQ_PARALLEL": "1", **environment}, state=state))
        if scenario.before is not None:
            self.app.script(scenario.before)
            self.app.run("sync", *scenario.tables)
            reports = self.reports({})
            self.held = {report.table: report.held for report in reports}
            self.all_held = {report.table: report.all_held for report in reports}
            self.note()
        self.app.script(scenario.change)
        if scenario.accident is not None:
            scenario.accident(self.bq, self.app)
        checkpoint(self.app)
        self.bq.stop()
        self.saved = {path: path.read_bytes() for path in self.files()}
        self.arguments = [*scenario.options, *scenario.tables]

    def note(self):
        """After the sync before the change."""

    def files(self):
        return [path for folder in (self.folder, self.app.folder) for path in folder.iterdir()]

    def restore(self):
        self.bq.stop()
        for path in self.files():
            if path not in self.saved:
                path.unlink()
        for path, content in self.saved.items():
            path.write_bytes(content)
        self.bq.start()

    def count(self):
        """The number of requests and of commits of the whole run."""
        self.restore()
        commits = count_commits(self.app, self.folder / "commits", self.arguments, self.scenario.status)
        return len(self.bq.requests()), commits

    def reports(self, held):
        endpoint = mirror.Endpoint(self.bq.url, "p", "d")
        source = mirror.open_source(str(self.app.path))
        try:
            return [mirror.compare_table(source, endpoint, DEFINITIONS[table], held.get(table, {}),
                                         self.all_held.get(table) if self.scenario.accident is None else None)
                    for table in self.scenario.tables]
        finally:
            source.close()

    def difference(self):
        """None, or how BigQuery differs from SQLite, or what it has lost of rejected rows."""
        return next((str(report) for report in self.reports(self.held) if not report.equal), None)

    def outcome(self):
        """Runs the sync again; "equal", or what is wrong."""
        status, _, err = self.app.run("sync", *self.scenario.tables)
        if status != self.scenario.status:
            return f"the second run ended with {status}: {err.strip().splitlines()[-2:]}"
        different = self.difference()
        if different:
            return f"different: {different}"
        left = [name for name in self.bq.tables("d")
                if "staging" in name and "expirationTime" not in self.bq.table("d", name)]
        if left:
            return f"staging left: {left}"
        self.bq.clear_requests()
        status, _, err = self.app.run("sync", *self.scenario.tables)
        made = len(self.bq.requests())
        if status != self.scenario.status or made != 1:
            return f"the third run ended with {status} after {made} requests"
        return "equal"


class HistoryWorld(World):
    """The same with the history of every table that can have one."""

    program = "bqsync_histories"

    def __init__(self, *arguments, **options):
        self.noted = {}  # the versions in each log before the change
        super().__init__(*arguments, **options)

    def logs(self):
        endpoint = mirror.Endpoint(self.bq.url, "p", "d")
        return [changelog.ChangeLog(endpoint, DEFINITIONS[table]) for table in self.scenario.tables
                if can_have_history(DEFINITIONS[table])]

    def note(self):
        self.noted = {log.target: {version[:-1] for version in log.versions} for log in self.logs()}

    def difference(self):
        """Besides, what is wrong with the logs: a version that was noted is never lost or changed."""
        different = super().difference()
        if different:
            return different
        for log in self.logs():
            found = log.problems()
            found += [f"{what}: {rows[:3]}" for what, rows in log.differs_from_target().items() if rows]
            lost = self.noted.get(log.target, set()) - {version[:-1] for version in log.versions}
            if found or lost:
                return f"the log of {log.target}: {found}, lost: {lost}"
        return None

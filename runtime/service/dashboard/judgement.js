/* --- what the numbers mean --- */
const ICONS = { good: "M5 14.5l5.5 5.5L23 8.5", warn: "M14 7v8.5M14 20.2v.3", bad: "M8 8l12 12M20 8L8 20", idle: "M14 7v7.5l5 3" };
function icon(kind) {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": "2.8", "stroke-linecap": "round", "stroke-linejoin": "round" };
  const root = svg("svg", { viewBox: "0 0 28 28" });
  if (kind === "busy") root.append(svg("g", { class: "turn" }, svg("path", { d: "M22.5 10.5A9.2 9.2 0 0 0 6.2 9M5.5 17.5A9.2 9.2 0 0 0 21.8 19M6 4.5V9h4.5M22 23.5V19h-4.5", ...line })));
  else root.append(svg("path", { d: ICONS[kind], ...line }));
  return root;
}

/* "every 15m" as seconds; null when off. */
function interval() {
  const job = view.status.jobs.find((item) => item.id === "incremental");
  const parts = /^every (\d+)(ms|s|m|h)$/.exec(job.schedule);
  return parts ? Number(parts[1]) * { ms: .001, s: 1, m: 60, h: 3600 }[parts[2]] : null;
}
const lateAfter = () => { const seconds = interval(); return seconds == null ? 26 * 3600 : seconds * 2 + 60; };
/* When the next pass over all tables starts, if one is planned. */
function nextRun() {
  const times = view.status.jobs.map((job) => job.next_run).filter(Boolean);
  return times.length ? times.reduce((a, b) => a < b ? a : b) : null;
}
const total = (name) => view.status.tables.reduce((sum, table) => sum + Number(table[name] || 0), 0);

/* The state of one table: how it is coloured, its name, and what the pill says. */
const STATES = [["failing", "bad"], ["differs", "bad"], ["unknown", "warn"], ["late", "warn"], ["rejects", "warn"],
  ["not synced", "idle"], ["behind", "idle"], ["scanned", "idle"], ["in sync", "good"]];
function stateName(table) {
  if (table.last_error || table.problem) return "failing";
  if (differing().some((found) => found.table === table.table)) return "differs";
  if (table.pending_changes == null && !table.scanned) return "unknown";
  if (isNew(table)) return "not synced";
  if (table.fresh_at && since(table.fresh_at) > lateAfter()) return "late";
  if (table.rejected > 0) return "rejects";
  if (table.pending_changes == null) return "scanned";
  return table.pending_changes > 0 ? "behind" : "in sync";
}
/* A table that was synced may have no fresh_at: since when is in no run that is kept. */
const isNew = (table) => !table.fresh_at && !table.last_synced_at;
const stateKind = (name) => STATES.find((state) => state[0] === name)[1];
const stateRank = (table) => STATES.findIndex((state) => state[0] === stateName(table));
/* As the pill shows it. */
function tableState(table) {
  const live = view.running && view.running.tables.find((item) => item.table === table.table);
  if (live && live.status === "running") return ["busy", live.phase];
  const name = stateName(table);
  const words = { behind: "behind (" + grouped.format(table.pending_changes) + " waiting)", scanned: "unknown until the next scan" };
  return [stateKind(name), words[name] || name];
}

/* What a verification found in a table. */
const FOUND = [["missing", "missing in BigQuery"], ["extra", "only in BigQuery"], ["different", "different"], ["duplicated", "more than once in BigQuery"], ["missing_columns", "columns missing in BigQuery"], ["unexplained", "groups of rows with different checksums"]];
const differences = (table) => FOUND.reduce((sum, [kind]) => sum + table[kind + "_count"], 0);
/* Tables that are known to differ: found so when they were last compared, and not replaced since. */
const differing = () => view.verify.differing;

/* Errors that pass by themselves: while they last, bqsync tries again. */
const PASSING = ["unreachable", "transient"];
/* Runs that ended early for such a reason, one after the other, the newest first. */
function failedRuns() {
  const ended = view.runs.filter((run) => run.finished_at);
  const end = ended.findIndex((run) => !run.error || !PASSING.includes(run.error.code));
  return end < 0 ? ended : ended.slice(0, end);
}
/* BigQuery gives no answer, or none that is worth anything: how often it has been tried in vain, since when, and what
   it said last. One failure within a pass is no outage yet; a pass that gave up is. */
function outage() {
  const failed = failedRuns();
  const attempts = Math.max(view.outage ? view.outage.attempts : 0, failed.length);
  if (attempts === 0 || (!failed.length && attempts < 2)) return null;
  const newest = failed[0];
  return {
    attempts,
    since: view.outage ? view.outage.since : failed[failed.length - 1].started_at,
    message: view.outage ? view.outage.message : newest.error.message
  };
}
function outageWords(found) {
  const what = "BigQuery has given no good answer for " + span(since(found.since)) + ": " + found.message;
  const next = nextRun();
  if (!view.running && !next)
    return ["bad", "Outage: gave up after " + plural(found.attempts, "attempt"), what + ". No further sync is scheduled: start one when BigQuery can be reached."];
  return ["bad", "Outage: retrying, " + ordinal(found.attempts + 1) + " attempt", what + (view.running ? "" : ". Next attempt in " + span(-since(next)) + ".")];
}

function runningWords() {
  const run = view.running;
  const kind = { full: "Full sync", tables: "Sync of selected tables", incremental: "Sync" }[run.kind];
  const where = run.holder ? " in another process (" + run.holder + ")" : "";
  return kind + where + (run.state === "queued" ? " is about to start." : " started " + ago(run.started_at || view.status.now) + ".");
}
const someNames = (tables) => tables.slice(0, 3).map((table) => table.table).join(", ") + (tables.length > 3 ? " and others" : "");
/* What is wrong, or null. It is shown whether a pass runs or not. */
function failure() {
  const { status } = view;
  const failing = status.tables.filter((table) => table.last_error || table.problem);
  const found = outage();
  if (status.error) return ["bad", "Source not readable", status.error.message];
  if (found) return outageWords(found);
  if (status.last_run && status.last_run.error) return ["bad", "Failing", "The last sync ended early: " + status.last_run.error.message];
  if (status.budget && status.budget.waits_until && failing.length) return ["warn", "Budget used up", plural(failing.length, "table") + " not synced: tables that need a query wait until " + status.budget.waits_until.slice(0, 16).replace("T", " ") + " UTC, when the budget of the next day begins."];
  if (failing.length) return ["bad", "Failing", plural(failing.length, "table") + " could not be synced: " + someNames(failing) + "; the others go on."];
  const differ = differing();
  if (differ.length) return ["bad", "Differences found", plural(differ.length, "table") + (differ.length === 1 ? " does" : " do") + " not equal SQLite: " + someNames(differ) + "; verified " + ago(differ.map((found) => found.verified_at).sort().at(-1)) + "."];
  return null;
}
/* The state in one glance: colour, title, sentence. Failure outranks activity. */
function overall() {
  const { tables } = view.status;
  const wrong = failure();
  if (wrong && view.running && wrong[0] === "bad") return [wrong[0], wrong[1], wrong[2].replace(/\.?$/, ". ") + runningWords()];
  if (view.running) return ["busy", "Syncing", runningWords()];
  if (wrong) return wrong;
  const never = tables.filter(isNew);
  const late = tables.filter((table) => table.fresh_at && since(table.fresh_at) > lateAfter());
  const next = nextRun();
  if (!tables.length) return ["idle", "No tables", "This program was built without any table definitions."];
  if (never.length === tables.length) return ["idle", "Not synced yet", "No sync has finished so far."];
  if (late.length) return ["warn", "Late", plural(late.length, "table") + (late.length === 1 ? " is" : " are") + " older than the schedule promises."];
  if (never.length) return ["warn", "Partly synced", plural(never.length, "table") + " never synced."];
  const unknown = tables.filter((table) => table.pending_changes == null).length;
  if (total("rejected")) return ["warn", (total("pending_changes") ? "Behind" : unknown ? "Synced" : "In sync") + ", with rejects", plural(total("rejected"), "row") + " left out: values that do not fit their columns."];
  if (total("pending_changes")) return ["idle", "Behind", plural(total("pending_changes"), "change") + (total("pending_changes") === 1 ? " waits" : " wait") + " in " + plural(tables.filter((table) => table.pending_changes > 0).length, "table") + (next ? "; the next sync is in " + span(-since(next)) + "." : "; no sync is scheduled.")];
  if (unknown) return ["idle", "Synced", "What waits in " + plural(unknown, "table") + " is not known before the next sync."];
  return ["good", "In sync", "BigQuery equals SQLite for all " + tables.length + " tables."];
}

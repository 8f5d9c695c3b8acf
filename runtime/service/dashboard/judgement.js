/* --- the state in one glance --- */
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
function tableState(table) {
  const live = view.running && view.running.tables.find((item) => item.table === table.table);
  return live && live.status === "running" ? ["busy", live.phase] : restState(table);
}
function restState(table) {
  if (table.last_error || table.problem) return ["bad", "failing"];
  if (differing().some((found) => found.table === table.table)) return ["bad", "differs"];
  if (!table.fresh_at) return ["idle", "not synced"];
  if (since(table.fresh_at) > lateAfter()) return ["warn", "late"];
  if (table.rejected > 0) return ["warn", "rejects"];
  return ["good", "in sync"];
}
/* The differences of the last verification, without tables that were replaced since. */
const FOUND = [["missing", "missing in BigQuery"], ["extra", "only in BigQuery"], ["different", "different"], ["duplicated", "more than once in BigQuery"], ["unexplained", "groups of rows with different checksums"]];
const differences = (table) => FOUND.reduce((sum, [kind]) => sum + table[kind + "_count"], 0);
function differing() {
  const last = view.verify.last;
  const replaced = (name) => view.runs.some((run) => run.finished_at && run.started_at > last.finished_at &&
    run.tables.some((table) => table.table === name && table.mode === "replace" && table.status === "synced"));
  return last ? last.tables.filter((table) => differences(table) && !replaced(table.table)) : [];
}
function overall() {
  const tables = view.status.tables;
  const last = view.status.last_run;
  const failing = tables.filter((table) => table.last_error || table.problem);
  const never = tables.filter((table) => !table.fresh_at);
  const late = tables.filter((table) => table.fresh_at && since(table.fresh_at) > lateAfter());
  const rejected = tables.reduce((sum, table) => sum + (table.rejected || 0), 0);
  if (view.status.error) return ["bad", "Source not readable", view.status.error.message];
  if (view.running) {
    const kind = { full: "Full sync", tables: "Sync of selected tables", incremental: "Sync" }[view.running.kind];
    const where = view.running.holder ? " in another process (" + view.running.holder + ")" : "";
    return ["busy", "Syncing", kind + where + (view.running.state === "queued" ? " is about to start." : " started " + ago(view.running.started_at || view.status.now) + ".")];
  }
  if (last && last.error) return ["bad", "Failing", "The last sync ended early: " + last.error.message];
  const budget = view.status.budget;
  if (budget && budget.waits_until && failing.length) return ["warn", "Budget used up", plural(failing.length, "table") + " not synced: tables that need a query wait until " + budget.waits_until.slice(0, 16).replace("T", " ") + " UTC, when the budget of the next day begins."];
  if (failing.length) return ["bad", "Failing", plural(failing.length, "table") + " could not be synced; the others go on."];
  if (differing().length) return ["bad", "Differences found", plural(differing().length, "table") + (differing().length === 1 ? " does" : " do") + " not equal SQLite; verified " + ago(view.verify.last.finished_at) + "."];
  if (never.length === tables.length) return ["idle", "Not synced yet", "No sync has finished so far."];
  if (late.length) return ["warn", "Late", plural(late.length, "table") + (late.length === 1 ? " is" : " are") + " older than the schedule promises."];
  if (never.length) return ["warn", "Partly synced", plural(never.length, "table") + " never synced."];
  if (rejected) return ["warn", "In sync, with rejects", plural(rejected, "row") + " left out: values that do not fit their columns."];
  return ["good", "In sync", "BigQuery equals SQLite for all " + tables.length + " tables."];
}


/* --- the runs --- */
const RUNS_SHOWN = 20;

function runTotals(run) {
  const sum = (name) => run.tables.reduce((all, table) => all + Number(table[name] || 0), 0);
  return {
    rows: sum("rows_inserted") + sum("rows_updated") + sum("rows_deleted"), sent: sum("bytes_sent"), rejected: sum("rows_rejected"),
    failed: run.tables.filter((table) => table.status === "failed"), synced: run.tables.filter((table) => table.status === "synced").length
  };
}
/* A message that does not name its table gets the name in front. */
function whyFailed(table) {
  const message = table.error ? table.error.message : "no reason is recorded";
  const named = message.startsWith(table.table) && !/\w/.test(message.charAt(table.table.length));
  return named ? message : table.table + ": " + message;
}
function runFacts(run, totals) {
  if (run.error) return "ended early: " + run.error.message;
  const [first, ...others] = totals.failed;
  return [
    first && "failed: " + whyFailed(first) + (others.length ? " (and " + plural(others.length, "other table") + ": " + others.slice(0, 3).map((table) => table.table).join(", ") + (others.length > 3 ? " ..." : "") + ")" : ""),
    totals.synced ? plural(totals.rows, "row") + " in " + plural(totals.synced, "table") : !first && "nothing changed",
    totals.sent && bytes(totals.sent), run.bytes_billed && billed(run.bytes_billed) + " billed",
    totals.rejected && plural(totals.rejected, "row") + " rejected"
  ].filter(Boolean).join(" · ");
}
const RUN_COLUMNS = ["Table", "Status", "Way", "Inserted", "Updated", "Deleted", "Rejected", "Unfit", "Sent", "Billed", "Time"];
function drawRunTable(table) {
  const cells = [table.table, table.status, table.mode, grouped.format(table.rows_inserted), grouped.format(table.rows_updated), grouped.format(table.rows_deleted), grouped.format(table.rows_rejected), grouped.format(table.rows_unfit || 0), bytes(table.bytes_sent), billed(table.bytes_billed || 0), duration(table.duration_ms)];
  const row = el("tr", {}, ...cells.map((cell, index) => el("td", { class: index > 2 ? "r" : null }, index === 1 ? el("span", { class: cell === "failed" ? "bad" : "" }, cell) : cell)));
  if (!table.error) return [row];
  return [row, el("tr", { class: "why" }, el("td", { colspan: RUN_COLUMNS.length }, el("div", {}, table.error.message), FIXES[table.error.code] ? el("div", { class: "fix" }, ...prose(FIXES[table.error.code])) : null))];
}
function drawRunBody(run) {
  const quiet = run.tables.filter((table) => table.status === "unchanged" || table.status === "skipped");
  const shown = run.tables.filter((table) => !quiet.includes(table)).sort((a, b) => (b.status === "failed") - (a.status === "failed"));
  const note = quiet.length ? el("p", { class: "soft" }, plural(quiet.length, "table") + " unchanged or not reached" + (quiet.length <= 30 ? ": " + quiet.map((table) => table.table).join(", ") : "") + ".") : null;
  if (run.error) return el("div", { class: "body" }, el("p", { class: "bad" }, run.error.message), FIXES[run.error.code] ? el("p", { class: "fix" }, ...prose(FIXES[run.error.code])) : null, note);
  if (!shown.length) return el("div", { class: "body" }, note || el("p", { class: "soft" }, "It had no tables."));
  return el("div", { class: "body" }, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Tables of run " + run.run_id }, el("table", {},
    el("thead", {}, el("tr", {}, ...RUN_COLUMNS.map((name, index) => el("th", { scope: "col", class: index > 2 ? "r" : null }, name)))),
    el("tbody", {}, ...shown.flatMap(drawRunTable)))), note);
}
function drawRun(run, longest, open) {
  const totals = runTotals(run);
  const fill = el("div", {});
  fill.style.width = Math.max(1.5, run.duration_ms / longest * 100) + "%";
  const rejected = totals.rejected && !totals.failed.length && !run.error;
  const [kind, words] = run.state === "done" ? ["good", "ok"] : rejected ? ["warn", "rejects"] : ["bad", "failed"];
  const facts = runFacts(run, totals);
  return el("details", { class: "run", "data-run": run.run_id, open },
    el("summary", {}, el("span", {}, el("span", { class: "pill " + kind }, words)),
      el("span", { class: "kind" }, run.kind), el("span", { class: "soft num id", title: facts }, facts),
      el("span", { class: "dur num soft" }, el("span", { class: "track", "aria-hidden": "true" }, fill), duration(run.duration_ms)),
      el("span", { class: "soft num r", title: when(run.started_at) }, el("span", { "data-ago": run.started_at }, ago(run.started_at)))),
    drawRunBody(run));
}
function drawRuns() {
  const runs = view.runs.filter((run) => run.finished_at).slice(0, RUNS_SHOWN);
  const mark = runs.map((run) => run.run_id + run.state).join();
  if (mark === view.drawnRuns || !runs.length) return;
  view.drawnRuns = mark;
  const open = new Set([...document.querySelectorAll("details.run[open]")].map((node) => node.dataset.run));
  const longest = Math.max(1, ...runs.map((run) => run.duration_ms));
  $("runs").replaceChildren(...runs.map((run) => drawRun(run, longest, open.has(run.run_id))));
}

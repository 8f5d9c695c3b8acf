function runTotals(run) {
  return run.tables.reduce((sum, table) => ({
    rows: sum.rows + table.rows_inserted + table.rows_updated + table.rows_deleted,
    sent: sum.sent + table.bytes_sent,
    failed: sum.failed + (table.status === "failed" ? 1 : 0),
    synced: sum.synced + (table.status === "synced" ? 1 : 0),
    rejected: sum.rejected + table.rows_rejected
  }), { rows: 0, sent: 0, failed: 0, synced: 0, rejected: 0 });
}
function drawRunBody(run) {
  const shown = run.tables.filter((table) => table.status !== "unchanged" && table.status !== "skipped");
  if (run.error) return el("div", { class: "body" }, el("p", { class: "bad" }, run.error.message));
  if (!shown.length) return el("div", { class: "body soft" }, "All tables were unchanged.");
  const cells = (table) => [table.table, table.status, table.mode, grouped.format(table.rows_inserted), grouped.format(table.rows_updated), grouped.format(table.rows_deleted), grouped.format(table.rows_rejected), grouped.format(table.rows_unfit || 0), bytes(table.bytes_sent), billed(table.bytes_billed || 0), duration(table.duration_ms)];
  const names = ["Table", "Status", "Way", "Inserted", "Updated", "Deleted", "Rejected", "Unfit", "Sent", "Billed", "Time"];
  return el("div", { class: "body" }, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Tables of run " + run.run_id }, el("table", {},
    el("thead", {}, el("tr", {}, ...names.map((name, index) => el("th", { scope: "col", class: index > 2 ? "r" : null }, name)))),
    el("tbody", {}, ...shown.map((table) => el("tr", {}, ...cells(table).map((cell, index) => el("td", { class: index > 2 ? "r" : null, title: index === 1 && table.error ? table.error.message : null }, cell))))))));
}
function drawRuns() {
  const runs = view.runs.filter((run) => run.finished_at).slice(0, 20);
  const mark = runs.map((run) => run.run_id + run.state).join();
  if (mark === view.drawnRuns || !runs.length) return;
  view.drawnRuns = mark;
  const open = new Set([...document.querySelectorAll("details.run[open]")].map((node) => node.dataset.run));
  const longest = Math.max(1, ...runs.map((run) => run.duration_ms));
  $("runs").replaceChildren(...runs.map((run) => {
    const totals = runTotals(run);
    const fill = el("div", {});
    fill.style.width = Math.max(1.5, run.duration_ms / longest * 100) + "%";
    const facts = run.error ? "ended early: " + run.error.code : [totals.synced ? plural(totals.rows, "row") + " in " + plural(totals.synced, "table") : "nothing changed", totals.sent && bytes(totals.sent), run.bytes_billed && billed(run.bytes_billed) + " billed", totals.failed && plural(totals.failed, "table") + " failed", totals.rejected && plural(totals.rejected, "row") + " rejected"].filter(Boolean).join(" · ");
    return el("details", { class: "run", "data-run": run.run_id, open: open.has(run.run_id) },
      el("summary", {}, el("span", {}, el("span", { class: "pill " + (run.state === "done" ? "good" : totals.rejected && !totals.failed && !run.error ? "warn" : "bad") }, run.state === "done" ? "ok" : totals.rejected && !totals.failed && !run.error ? "rejects" : "failed")),
        el("span", { class: "kind" }, run.kind), el("span", { class: "soft num id" }, facts),
        el("span", { class: "dur num soft" }, el("span", { class: "track", "aria-hidden": "true" }, fill), duration(run.duration_ms)),
        el("span", { class: "soft num r", title: when(run.started_at) }, el("span", { "data-ago": run.started_at }, ago(run.started_at)))),
      drawRunBody(run));
  }));
}

function spark(values, label, format) {
  const most = Math.max(1, ...values.map((value) => value.n));
  const slots = 20;
  const width = 110 / slots;
  // The newest run is at the right end, also if there are few.
  const first = slots - values.length;
  const root = svg("svg", { class: "spark", viewBox: "0 0 110 26", role: "img", "aria-label": label });
  for (let slot = 0; slot < first; slot++) root.append(svg("rect", { x: slot * width + .6, y: 24, width: width - 1.6, height: 2, rx: 1, class: "zero" }));
  values.forEach((value, index) => {
    const height = value.failed ? 26 : value.n ? Math.max(3, value.n / most * 26) : 2;
    const bar = svg("rect", { x: (first + index) * width + .6, y: 26 - height, width: width - 1.6, height, rx: 1, class: value.failed ? "fail" : value.n ? "" : "zero" });
    bar.append(svg("title", {}, when(value.at) + ": " + (value.failed ? "failed" : format(value.n))));
    root.append(bar);
  });
  return root;
}
function history(name) {
  const series = [];
  for (const run of view.runs) {
    if (run.state === "running" || run.state === "queued") continue;
    const table = run.tables.find((item) => item.table === name);
    if (table && table.status !== "skipped") series.push({ at: run.started_at, table });
    if (series.length === 20) break;
  }
  return series.reverse();
}
function drawRow(table) {
  const [kind, words] = tableState(table);
  const series = history(table.table);
  const rows = series.map(({ at, table: t }) => ({ at, n: t.rows_inserted + t.rows_updated + t.rows_deleted, failed: t.status === "failed" }));
  const sent = series.map(({ at, table: t }) => ({ at, n: t.bytes_sent, failed: t.status === "failed" }));
  const sum = (values) => values.reduce((total, value) => total + value.n, 0);
  const tick = el("input", { type: "checkbox", id: "pick-" + table.table, onchange: (event) => { view.selected[event.target.checked ? "add" : "delete"](table.table); drawSelection(); } });
  tick.checked = view.selected.has(table.table);
  const fresh = table.fresh_at ? el("span", { "data-since": table.fresh_at }, aged(since(table.fresh_at))) : "never";
  return el("tr", {},
    el("td", {}, el("label", { class: "tick" }, el("span", { class: "sr" }, "Select " + table.table), tick)),
    el("td", {}, el("div", { class: "name" }, table.table), el("div", { class: "mode" }, table.mode)),
    el("td", {}, el("span", { class: "pill " + kind }, words)),
    el("td", { class: "r facts", "data-label": "Age" }, fresh),
    el("td", { class: "r facts", "data-label": "Waiting" }, table.pending_changes == null ? "?" : count(table.pending_changes)),
    el("td", { class: "r facts", "data-label": "Rejected" }, el("span", { class: table.rejected > 0 ? "warn" : "" }, count(table.rejected || 0))),
    el("td", { class: "r facts", "data-label": "Billed" }, billed(table.bytes_billed_month || 0), table.bytes_billed_today ? el("div", { class: "mode wide" }, billed(table.bytes_billed_today) + " today") : null),
    el("td", { class: "chartcell" }, el("div", { class: "chart" }, spark(rows, "Rows changed in the last " + plural(rows.length, "run") + ": " + grouped.format(sum(rows)), (n) => plural(n, "row")), el("span", { class: "cap" }, count(sum(rows))))),
    el("td", { class: "bytes" }, el("div", { class: "chart" }, spark(sent, "Bytes sent in the last " + plural(sent.length, "run") + ": " + bytes(sum(sent)), bytes), el("span", { class: "cap" }, bytes(sum(sent))))));
}
function drawTables() {
  const tables = view.status.tables.filter((table) => table.table.includes(view.filter));
  const mark = JSON.stringify([tables.map(({ lag_seconds, ...rest }) => [rest, tableState(rest)]), view.runs.map((run) => run.run_id + run.state)]);
  setText($("table-count"), view.filter ? tables.length + " of " + view.status.tables.length : String(tables.length));
  if (mark === view.drawn) return;
  view.drawn = mark;
  const focused = document.activeElement && document.activeElement.id;
  const rank = { bad: 0, warn: 1, idle: 2, good: 3 };
  tables.sort((a, b) => rank[restState(a)[0]] - rank[restState(b)[0]]);
  $("rows").replaceChildren(...tables.map(drawRow));
  if (focused && focused.startsWith("pick-") && $(focused)) $(focused).focus();
}
function drawSelection() {
  const chosen = view.selected.size;
  $("selection").classList.toggle("hidden", chosen === 0);
  setText($("selected"), "Sync " + plural(chosen, "table"));
  setText($("selected-verify"), "Verify " + plural(chosen, "table"));
  const total = view.status ? view.status.tables.length : 0;
  $("all").checked = total > 0 && chosen === total;
  $("all").indeterminate = chosen > 0 && chosen < total;
}

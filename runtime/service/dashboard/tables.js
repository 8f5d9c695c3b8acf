/* --- the tables --- */
/* So many rows are shown at once; the others, the healthy ones first, are folded away. */
const ROWS_SHOWN = 50;
const FOLD_ABOVE = 30;

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
/* A chart of the last runs, and what its bars add up to. */
function sparkCell(values, what, format) {
  const sum = values.reduce((all, value) => all + value.n, 0);
  const caption = values.length ? format(sum) + " in " + plural(values.length, "run") : "no run yet";
  return el("div", { class: "chart" }, spark(values, what + ": " + caption, format), el("span", { class: "cap" }, caption));
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
  const rows = series.map(({ at, table: t }) => ({ at, n: Number(t.rows_inserted) + Number(t.rows_updated) + Number(t.rows_deleted), failed: t.status === "failed" }));
  const sent = series.map(({ at, table: t }) => ({ at, n: Number(t.bytes_sent), failed: t.status === "failed" }));
  const tick = el("input", { type: "checkbox", id: "pick-" + table.table, onchange: (event) => { view.selected[event.target.checked ? "add" : "delete"](table.table); drawSelection(); } });
  tick.checked = view.selected.has(table.table);
  const fresh = table.fresh_at ? el("span", { "data-since": table.fresh_at }, aged(since(table.fresh_at))) : table.last_synced_at ? "?" : "never";
  const known = (value) => value == null ? "?" : count(value);
  return el("tr", {},
    el("td", {}, el("label", { class: "tick" }, el("span", { class: "sr" }, "Select " + table.table), tick)),
    el("td", {}, el("div", { class: "name" }, table.table), el("div", { class: "mode" }, table.mode)),
    el("td", {}, el("span", { class: "pill " + kind }, words)),
    el("td", { class: "r facts", "data-label": "Age" }, fresh),
    el("td", { class: "r facts", "data-label": "Waiting" }, known(table.pending_changes)),
    el("td", { class: "r facts", "data-label": "Rejected" }, el("span", { class: table.rejected > 0 ? "warn" : "" }, known(table.rejected))),
    el("td", { class: "r facts", "data-label": "Billed" }, table.bytes_billed_month == null ? "?" : billed(table.bytes_billed_month), table.bytes_billed_today ? el("div", { class: "mode wide" }, billed(table.bytes_billed_today) + " today") : null),
    el("td", { class: "chartcell" }, sparkCell(rows, "Rows changed", (n) => count(n) + (n === 1 ? " row" : " rows"))),
    el("td", { class: "bytes" }, sparkCell(sent, "Bytes sent", bytes)));
}

/* A button for each state that some table is in. */
function drawStates() {
  const counts = new Map();
  for (const table of view.status.tables) counts.set(stateName(table), (counts.get(stateName(table)) || 0) + 1);
  const names = STATES.map((state) => state[0]).filter((name) => counts.has(name));
  if (view.state && !counts.has(view.state)) view.state = "";
  // A button that is replaced under the mouse is never clicked.
  const mark = JSON.stringify([view.state, ...counts]);
  if (mark === view.drawnStates) return;
  view.drawnStates = mark;
  $("states").classList.toggle("hidden", names.length < 2 && view.status.tables.length <= FOLD_ABOVE);
  const focused = document.activeElement && document.activeElement.dataset.state;
  const chip = (name, label, number) => el("button", { type: "button", class: "chip" + (name ? " " + stateKind(name) : ""), "data-state": name || "all", "aria-pressed": String(view.state === name), onclick: () => { view.state = view.state === name ? "" : name; view.unfolded = false; drawTables(); } }, label, el("span", { class: "num" }, grouped.format(number)));
  $("states").replaceChildren(chip("", "all", view.status.tables.length), ...names.map((name) => chip(name, name, counts.get(name))));
  if (focused && $("states").querySelector('[data-state="' + focused + '"]')) $("states").querySelector('[data-state="' + focused + '"]').focus();
}
/* Which of these tables are shown: if there are many, what is healthy is folded unless it is asked for. */
function unfolded(tables) {
  if (view.unfolded || tables.length <= FOLD_ABOVE) return tables;
  const asked = view.filter || view.state;
  return tables.filter((table) => asked || stateName(table) !== "in sync").slice(0, ROWS_SHOWN);
}
function drawFolded(tables, shown) {
  const folded = tables.filter((table) => !shown.includes(table));
  const healthy = folded.filter((table) => stateName(table) === "in sync").length;
  $("folded").classList.toggle("hidden", !folded.length && !view.unfolded);
  setText($("folded-text"), view.unfolded ? plural(tables.length, "table") : (shown.length ? plural(folded.length, "more table", "more tables") : plural(folded.length, "table")) + (healthy ? ", " + (healthy === folded.length ? "all" : grouped.format(healthy)) + " in sync" : ""));
  setText($("unfold"), view.unfolded ? "Show fewer" : "Show all");
}
function drawTables() {
  drawStates();
  const matching = view.status.tables.filter((table) => table.table.includes(view.filter) && (!view.state || stateName(table) === view.state));
  const mark = JSON.stringify([view.unfolded, matching.map(({ lag_seconds, ...rest }) => [rest, tableState(rest)]), view.runs.map((run) => run.run_id + run.state)]);
  setText($("table-count"), view.filter || view.state ? matching.length + " of " + view.status.tables.length : String(matching.length));
  if (mark === view.drawn) return;
  view.drawn = mark;
  const focused = document.activeElement && document.activeElement.id;
  matching.sort((a, b) => stateRank(a) - stateRank(b));
  const shown = unfolded(matching);
  $("rows").replaceChildren(...shown.map(drawRow));
  drawFolded(matching, shown);
  if (focused && focused.startsWith("pick-") && $(focused)) $(focused).focus();
}
function drawSelection() {
  const chosen = view.selected.size;
  $("selection").classList.toggle("hidden", chosen === 0);
  setText($("selected"), "Sync " + plural(chosen, "table"));
  setText($("selected-verify"), "Verify " + plural(chosen, "table"));
  const all = view.status ? view.status.tables.length : 0;
  $("all").checked = all > 0 && chosen === all;
  $("all").indeterminate = chosen > 0 && chosen < all;
}

/* --- drawing --- */
function drawLost(problem) {
  view.lost = true;
  setLive("off", "offline");
  drawState("bad", "No answer", "The service cannot be reached: " + problem.message);
  for (const id of ["now", "full", "verify", "selected", "selected-verify"]) $(id).disabled = true;
}
let shownKind = "";
/* The state at the top of the page, in its sticky header and in the browser's tab, which says it first. */
function drawState(kind, title, sentence) {
  if (shownKind !== kind) { $("badge").className = "badge " + kind; $("badge").replaceChildren(icon(kind)); $("top-state").className = "pill " + kind; shownKind = kind; }
  setText($("state"), title);
  setText($("top-state"), title);
  setText($("sentence"), sentence);
  const { project, dataset, environment } = view.status || {};
  document.title = [title, environment, [project, dataset].filter(Boolean).join("."), "bqsync"].filter(Boolean).join(" · ");
}
function drawHero() {
  drawState(...overall());
  drawPlace();
  const tables = view.status.tables;
  const ages = tables.filter((table) => table.fresh_at).map((table) => since(table.fresh_at));
  setText($("age"), ages.length ? aged(Math.max(...ages)) : "never");
  const known = view.status.tables.some((table) => table.pending_changes != null);
  setText($("pending"), view.status.error || (!known && view.status.tables.length) ? "unknown" : count(total("pending_changes")));
  setText($("rejected"), view.status.error ? "unknown" : count(total("rejected")));
  const [incremental, full, follow] = view.status.jobs;
  for (const [id, job, none] of [["next", follow && follow.next_run ? follow : incremental, follow ? "on commit" : ""], ["nextfull", full, ""]]) {
    const left = job.next_run ? -since(job.next_run) : null;
    setText($(id), left == null ? none || (job.schedule === "off" ? "off" : "unknown") : left <= 0 ? "now" : "in " + span(left));
    $(id).title = job.schedule;
  }
  if (follow) $("next").title = incremental.schedule + ", " + follow.schedule;
  for (const id of ["now", "full", "selected"]) $(id).disabled = Boolean(view.running);
  for (const id of ["verify", "selected-verify"]) $(id).disabled = Boolean(view.verify.running);
}
/* Each environment has a hue, the usual ones for sure, others by their name. Lightness is the same for all, so that the
   name can be read. */
const HUES = { production: 305, staging: 205, development: 110, test: 255 };
function environmentHue(name) {
  if (Object.hasOwn(HUES, name)) return HUES[name];
  return [...name].reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)) % 4093, 7) % 24 * 15;
}
/* Whose page this is. */
function drawPlace() {
  const { project, dataset, source, environment, version } = view.status;
  setText($("version"), version || "");
  setText($("environment"), environment || "");
  $("top").style.setProperty("--hue", environmentHue(environment || ""));
  setText($("target"), [project, dataset].filter(Boolean).join("."));
  const folder = (source || "").slice(0, (source || "").lastIndexOf("/") + 1);
  setText($("source-folder"), folder);
  setText($("source-file"), (source || "").slice(folder.length));
  $("source").title = source || "";
  $("place").classList.remove("hidden");
}

/* Rows that a running pass has read, second by second, for the rate of the last five. */
let samples = { run: "", points: [] };
function rowsPerSecond(run) {
  const rows = run.tables.reduce((sum, table) => sum + Number(table.rows_read || 0), 0);
  const at = performance.now() / 1000;
  if (samples.run !== run.run_id) samples = { run: run.run_id, points: [] };
  const points = samples.points;
  points.push({ at, rows });
  while (points.length > 2 && at - points[1].at > 5) points.shift();
  const spent = at - points[0].at;
  return spent < .2 ? 0 : Math.round((rows - points[0].rows) / spent);
}
const rowsOf = (table) => table.rows_read ? grouped.format(table.rows_read) + (table.rows_expected ? " of " + grouped.format(Math.max(table.rows_expected, table.rows_read)) : "") + " rows" : "";
/* "table 3 of 7 · order_items · 12,000 of 40,000 rows · 3,400 rows/s" */
function runningLine(run, active) {
  const all = run.tables.length;
  if (run.holder) return [plural(run.tables_done || 0, "table") + " synced so far", ...active.slice(0, 3).map((table) => table.table)].join(" · ");
  if (!all) return "starting";
  // The largest: the others are below.
  const first = active.reduce((most, table) => Number(table.rows_read) > Number(most.rows_read) ? table : most, active[0]);
  const rate = rowsPerSecond(run);
  return ["table " + grouped.format(Math.min(run.tables_done + 1, all)) + " of " + grouped.format(all), first && first.table, first && (rowsOf(first) || first.phase), rate > 0 && grouped.format(rate) + " rows/s"].filter(Boolean).join(" · ");
}
function drawRunning() {
  const run = view.running;
  $("running").classList.toggle("hidden", !run);
  if (!run) return;
  const total = run.tables.length;
  const active = run.tables.filter((table) => table.status === "running");
  const part = (table) => table.phase === "done" ? 1 : table.rows_expected ? Math.min(.9, table.rows_read / table.rows_expected * .9) : table.phase === "waiting" ? 0 : .4;
  const percent = total ? Math.round(run.tables.reduce((sum, table) => sum + part(table), 0) / total * 100) : 0;
  setText($("running-title"), run.holder ? "Sync in another process" : "Sync in progress");
  setText($("running-count"), run.holder ? run.holder : total ? run.tables_done + " of " + plural(total, "table") + " done" : "starting");
  setText($("running-line"), runningLine(run, active));
  // How many tables the pass of another process has is not known here.
  $("bar").classList.toggle("hidden", Boolean(run.holder));
  $("bar").setAttribute("aria-valuenow", percent);
  $("bar").firstElementChild.style.width = Math.max(2, percent) + "%";
  $("running-list").replaceChildren(...active.slice(0, 12).map((table) => el("li", {}, el("b", {}, table.table),
    el("span", { class: "num" }, [table.phase, rowsOf(table), table.bytes_sent && bytes(table.bytes_sent)].filter(Boolean).join(" · ")))),
    ...(active.length > 12 ? [el("li", { class: "soft" }, "and " + plural(active.length - 12, "more table", "more tables"))] : []));
}
function budgetText(budget, follow) {
  const left = billed(budget.bytes_left) + " of today's " + billed(budget.bytes_a_day) + " are left";
  if (budget.waits_until) return "Today's budget of " + billed(budget.bytes_a_day) + " is used up: tables that need a query wait until 00:00 UTC.";
  if (follow && follow.slowed_until) return left + ", so tables whose queries are billed are followed again in " + span(-since(follow.slowed_until)) + ".";
  return left + " until 00:00 UTC.";
}
function setFigure(id, value, note) {
  const text = value + "|" + note;
  if ($(id).dataset.text === text) return;
  $(id).dataset.text = text;
  $(id).replaceChildren(value, note ? el("div", { class: "note" }, note) : "");
}
/* The bill of each day as a bar, and the budget as a line across them. */
function drawDays(days, budget) {
  const sum = days.reduce((all, day) => all + Number(day.bytes), 0);
  const limit = budget ? budget.bytes_a_day : 0;
  const most = Math.max(1, limit, ...days.map((day) => Number(day.bytes)));
  const mark = JSON.stringify([days, limit]);
  $("bill-days").classList.toggle("hidden", sum === 0);
  if (mark === view.drawnDays) return;
  view.drawnDays = mark;
  const words = billed(sum) + " in " + days.length + " days (UTC), a bar each" + (limit ? "; the line is the budget of " + billed(limit) + " a day" : "");
  const slot = 600 / days.length;
  const root = svg("svg", { viewBox: "0 0 600 64", preserveAspectRatio: "none", role: "img", "aria-label": "Bytes billed per day: " + words });
  days.forEach((day, index) => {
    const height = Number(day.bytes) ? Math.max(3, day.bytes / most * 60) : 2;
    const bar = svg("rect", { x: index * slot + 2, y: 64 - height, width: slot - 4, height, rx: 2, class: !Number(day.bytes) ? "zero" : limit && day.bytes > limit * .9 ? "full" : "" });
    bar.append(svg("title", {}, day.day + ": " + billed(day.bytes)));
    root.append(bar);
  });
  if (limit) root.append(svg("line", { x1: 0, x2: 600, y1: 64 - limit / most * 60, y2: 64 - limit / most * 60 }));
  $("bill-days").replaceChildren(root, el("figcaption", { class: "cap" }, words));
}
function drawBill() {
  const { budget, jobs, last_run: last, ...status } = view.status;
  const known = status.bytes_billed_today != null;
  $("bill").classList.toggle("hidden", !known);
  if (!known) return;
  const dollars = (n) => n == null ? "" : "$" + n.toFixed(2);
  const days = status.projected_from_days;
  const basis = days == null ? "nothing billed in the last 7 days" : days < 1 ? "if each day bills as the last " + (days * 24).toFixed(1) + " hours" : "as in the last " + days.toFixed(1) + " days";
  setFigure("bill-last", last && last.bytes_billed != null ? billed(last.bytes_billed) : "–", last && last.finished_at ? last.kind : "");
  setFigure("bill-today", billed(status.bytes_billed_today), "");
  setFigure("bill-month", billed(status.bytes_billed_month), dollars(status.usd_month));
  setFigure("bill-forecast", days == null ? "–" : billed(status.bytes_billed_month_projected), [days != null && dollars(status.usd_month_projected), basis].filter(Boolean).join(", "));
  drawDays(status.bytes_billed_days || [], budget);
  $("budget").classList.toggle("hidden", !budget);
  if (!budget) return;
  const used = Math.round((1 - budget.bytes_left / budget.bytes_a_day) * 100);
  $("budget-bar").className = "track" + (used > 50 ? " warn" : "");
  $("budget-bar").setAttribute("aria-valuenow", used);
  $("budget-bar").firstElementChild.style.width = used + "%";
  setText($("budget-text"), budgetText(budget, jobs.find((job) => job.id === "follow")));
}
const PROBLEMS_SHOWN = 8;
function drawProblems() {
  const items = [];
  const last = view.status.last_run;
  const rejects = [];
  const found = (name) => last && last.tables.find((table) => table.table === name && table.error);
  if (last && last.error) items.push(["The whole sync", last.error.message, FIXES[last.error.code]]);
  for (const table of view.status.tables) {
    const known = found(table.table);
    if (table.problem && !table.last_error) items.push([table.table, table.problem, FIXES.schema]);
    else if (table.last_error) items.push([table.table, table.last_error, known ? FIXES[known.error.code] : "The next sync tries again."]);
    if (table.rejected > 0) rejects.push([table.table, plural(table.rejected, "row") + " with values that do not fit their columns.", "`bqsync rejects " + shellWord(table.table) + "` lists rows, columns and reasons. A sync tries such a row again when it has changed, or another row of its table, or with a replacement."]);
  }
  items.push(...rejects);
  const hidden = items.length - PROBLEMS_SHOWN;
  if (hidden > 0) items.splice(PROBLEMS_SHOWN, hidden, ["And " + grouped.format(hidden) + " more", "The list of tables shows all of them: filter it by their state.", null]);
  $("problems").classList.toggle("hidden", items.length === 0);
  $("problem-list").replaceChildren(...items.map(([name, what, fix]) => el("li", {}, el("b", {}, name),
    el("div", {}, el("div", { class: "what" }, what), fix && el("div", { class: "fix" }, ...prose(fix))))));
}
const keyText = (key) => Array.isArray(key) ? "(" + key.map(keyText).join(", ") + ")" : key === "" ? '""' : String(key);
function drawFound(table) {
  const lines = FOUND.filter(([kind]) => table[kind + "_count"]).map(([kind, words]) => {
    const shown = (table[kind] || []).slice(0, 10);
    const more = table[kind] ? table[kind + "_count"] - shown.length : 0;
    return el("div", { class: "found" }, el("span", {}, grouped.format(table[kind + "_count"]) + " " + words), ...shown.map((key) => el("code", {}, keyText(key))), more > 0 && el("span", { class: "soft" }, "and " + grouped.format(more) + " more"));
  });
  if (table.error) lines.push(el("div", { class: "what" }, "Not compared: " + table.error.message));
  const fix = table.error ? FIXES[table.error.code] : "Fix it with `bqsync verify --repair " + shellWord(table.table) + "`, then verify again.";
  return el("li", {}, el("b", {}, table.table), el("div", {}, ...lines, fix && el("div", { class: "fix" }, ...prose(fix))));
}
/* Title and small print of a verification that has ended. */
function verdict(last) {
  const sum = (name) => last.tables.reduce((total, table) => total + Number(table[name]), 0);
  const differ = last.tables.filter(differences).length;
  const failed = last.tables.filter((table) => table.error).length;
  const total = last.tables.length;
  const scope = total <= 3 ? last.tables.map((table) => table.table).join(", ") : plural(total, "table");
  const facts = [scope, plural(sum("source_rows"), "row") + " compared", sum("pending") && plural(sum("pending"), "waiting change") + " left out", sum("rejected") && plural(sum("rejected"), "rejected row") + " left out", sum("bytes_billed") && billed(sum("bytes_billed")) + " billed"].filter(Boolean).join(" · ");
  if (last.error) return ["bad", "Nothing could be compared", last.error.message];
  if (last.ok && sum("rejected")) return ["warn", "BigQuery equals SQLite except " + plural(sum("rejected"), "rejected row"), facts];
  if (last.ok) return ["good", "BigQuery equals SQLite", facts];
  const parts = [differ && grouped.format(differ) + " of " + plural(total, "table") + (differ === 1 ? " differs" : " differ"), failed && plural(failed, "table") + " could not be compared"].filter(Boolean);
  return [differ ? "bad" : "warn", parts.join(", "), facts];
}
/* The tables of a running verification: the last few that are done, the one that is compared, the next few. */
function drawCompared({ tables, tables_done: done }) {
  const from = Math.max(0, Math.min(done - 4, tables.length - 12));
  const shown = tables.slice(from, from + 12);
  const items = shown.map((name, index) => el("li", {}, el("b", {}, name), el("span", {}, from + index < done ? "compared" : from + index === done ? "comparing" : "waiting")));
  const rest = tables.length - from - shown.length;
  $("verify-tables").replaceChildren(...(from ? [el("li", { class: "soft" }, plural(from, "table") + " compared before")] : []), ...items, ...(rest > 0 ? [el("li", { class: "soft" }, plural(rest, "more table", "more tables") + " waiting")] : []));
}
function drawVerify() {
  const { running, last } = view.verify;
  $("verification").classList.toggle("hidden", !running && !last);
  $("verify-running").classList.toggle("hidden", !running);
  $("verdict").classList.toggle("hidden", Boolean(running) || !last);
  $("verify-list").classList.toggle("hidden", Boolean(running) || !last);
  if (running) {
    const percent = Math.round(running.tables_done / running.tables.length * 100);
    setText($("verify-when"), running.tables_done + " of " + plural(running.tables.length, "table"));
    setText($("verify-table"), running.table);
    drawCompared(running);
    $("verify-bar").setAttribute("aria-valuenow", percent);
    $("verify-bar").firstElementChild.style.width = Math.max(2, percent) + "%";
  } else if (last) setText($("verify-when"), ago(last.finished_at) + ", took " + duration(last.duration_ms));
  if (!last || running || last.verify_id === view.drawnVerify) return;
  view.drawnVerify = last.verify_id;
  const [kind, title, facts] = verdict(last);
  $("verify-when").title = when(last.finished_at);
  $("verdict").replaceChildren(el("div", { class: "badge " + kind, "aria-hidden": "true" }, icon(kind)),
    el("div", {}, el("b", {}, title), el("p", { class: "num" }, facts, last.error && FIXES[last.error.code] ? el("span", { class: "fix" }, " ", ...prose(FIXES[last.error.code])) : null)));
  $("verify-list").replaceChildren(...last.tables.filter((table) => differences(table) || table.error).map(drawFound));
}

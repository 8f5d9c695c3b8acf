/* --- drawing --- */
function drawLost(problem) {
  setLive("off", "offline");
  $("badge").className = "badge bad";
  $("badge").replaceChildren(icon("bad"));
  setText($("state"), "No answer");
  setText($("sentence"), "The service cannot be reached: " + problem.message);
  for (const id of ["now", "full", "verify", "selected", "selected-verify"]) $(id).disabled = true;
}
let shownKind = "";
function drawHero() {
  const [kind, title, sentence] = overall();
  if (shownKind !== kind) { $("badge").className = "badge " + kind; $("badge").replaceChildren(icon(kind)); shownKind = kind; }
  setText($("state"), title);
  setText($("sentence"), sentence);
  document.title = title + " · bqsync";
  setText($("version"), view.status.version || "");
  const tables = view.status.tables;
  const ages = tables.filter((table) => table.fresh_at).map((table) => since(table.fresh_at));
  setText($("age"), ages.length ? aged(Math.max(...ages)) : "never");
  setText($("pending"), count(tables.reduce((sum, table) => sum + (table.pending_changes || 0), 0)));
  setText($("rejected"), count(tables.reduce((sum, table) => sum + (table.rejected || 0), 0)));
  const [incremental, full, follow] = view.status.jobs;
  for (const [id, job, off] of [["next", follow && follow.next_run ? follow : incremental, follow ? "on commit" : "off"], ["nextfull", full, "off"]]) {
    const left = job.next_run ? -since(job.next_run) : null;
    setText($(id), left == null ? off : left <= 0 ? "now" : "in " + span(left));
    $(id).title = job.schedule;
  }
  if (follow) $("next").title = incremental.schedule + ", " + follow.schedule;
  for (const id of ["now", "full", "selected"]) $(id).disabled = Boolean(view.running);
  for (const id of ["verify", "selected-verify"]) $(id).disabled = Boolean(view.verify.running);
}
function drawRunning() {
  const run = view.running;
  const ours = run && !run.holder;
  $("running").classList.toggle("hidden", !ours);
  if (!ours) return;
  const total = run.tables.length;
  const active = run.tables.filter((table) => table.status === "running");
  const part = (table) => table.phase === "done" ? 1 : table.rows_expected ? Math.min(.9, table.rows_read / table.rows_expected * .9) : table.phase === "waiting" ? 0 : .4;
  const percent = total ? Math.round(run.tables.reduce((sum, table) => sum + part(table), 0) / total * 100) : 0;
  setText($("running-count"), total ? run.tables_done + " of " + plural(total, "table") : "starting");
  $("bar").setAttribute("aria-valuenow", percent);
  $("bar").firstElementChild.style.width = Math.max(2, percent) + "%";
  $("running-list").replaceChildren(...active.slice(0, 12).map((table) => el("li", {}, el("b", {}, table.table),
    el("span", { class: "num" }, table.phase + (table.rows_read ? " · " + count(table.rows_read) + (table.rows_expected ? " of " + count(table.rows_expected) : "") + " rows" : "") + (table.bytes_sent ? " · " + bytes(table.bytes_sent) : "")))));
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
  $("budget").classList.toggle("hidden", !budget);
  if (!budget) return;
  const used = Math.round((1 - budget.bytes_left / budget.bytes_a_day) * 100);
  $("budget-bar").className = "track" + (used > 50 ? " warn" : "");
  $("budget-bar").setAttribute("aria-valuenow", used);
  $("budget-bar").firstElementChild.style.width = used + "%";
  setText($("budget-text"), budgetText(budget, jobs.find((job) => job.id === "follow")));
}
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
    if (table.rejected > 0) rejects.push([table.table, plural(table.rejected, "row") + " with values that do not fit their columns.", "`bqsync rejects " + table.table + "` lists rows, columns and reasons; they are tried again with each sync."]);
  }
  items.push(...rejects);
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
  const fix = table.error ? FIXES[table.error.code] : "Fix it with `bqsync verify --repair " + table.table + "`, then verify again.";
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

/* --- rejected values, page by page --- */
const rejects = { mark: "", run: "", table: "", list: [], next: null };

function keyOf(key) {
  const text = (value) => value === null ? "NULL" : value === "" ? '""' : String(value);
  return Object.entries(key || {}).map(([name, value]) => name + " = " + text(value)).join(", ");
}
function rejectRow(reject) {
  const cells = [["Table", reject.table], ["Key", el("code", {}, keyOf(reject.key))], ["Column", reject.column], ["Class", reject.storage_class], ["Reason", reject.reason]];
  return el("tr", {}, ...cells.map(([label, value]) => el("td", { "data-label": label }, value)),
    el("td", { "data-label": "Since", title: reject.since }, when(reject.since)));
}
function showRejects() {
  $("reject-rows").replaceChildren(...rejects.list.map(rejectRow));
  $("rejects-more").classList.toggle("hidden", rejects.next === null);
  setText($("rejects-count"), rejects.list.length + (rejects.next === null ? "" : " shown, there are more"));
}
async function readRejects(more) {
  const { table, mark } = rejects;
  const query = new URLSearchParams({ ...(table && { table }), ...(more && { after: rejects.next }) });
  try {
    const { body } = await call(API + "rejects?" + query);
    // The answer to a question that nobody asks any more.
    if (table !== rejects.table || mark !== rejects.mark) return;
    rejects.list = more ? rejects.list.concat(body.rejects) : body.rejects;
    rejects.next = body.next;
    showRejects();
  } catch (problem) { if (more) toast(problem.message); }
}
/* The panel is read again when a count changes, and at each run's end while it shows the first page only: nobody is
   thrown back who reads on. */
function drawRejects() {
  const tables = view.status.tables.filter((table) => table.rejected > 0);
  const newest = view.runs.find((run) => run.finished_at);
  if (rejects.list.length <= 100) rejects.run = newest ? newest.run_id : "";
  const mark = JSON.stringify([tables.map((table) => [table.table, table.rejected]), rejects.run]);
  $("rejects-panel").classList.toggle("hidden", !tables.length);
  $("to-rejects").classList.toggle("hidden", !tables.length);
  if (mark === rejects.mark) return;
  rejects.mark = mark;
  if (!tables.some((table) => table.table === rejects.table)) rejects.table = "";
  const choices = [["", "All tables"], ...tables.map((table) => [table.table, table.table + " (" + count(table.rejected) + ")"])];
  $("rejects-table").replaceChildren(...choices.map(([value, label]) => el("option", { value, selected: value === rejects.table }, label)));
  if (tables.length) readRejects(false);
}
$("rejects-table").onchange = (event) => { rejects.table = event.target.value; readRejects(false); };
$("rejects-more").onclick = () => readRejects(true);

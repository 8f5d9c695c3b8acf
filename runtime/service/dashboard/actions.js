function draw() {
  if (!view.status) return;
  drawHero();
  drawRunning();
  drawProblems();
  drawVerify();
  drawBill();
  drawTables();
  drawSelection();
  drawRejects();
  drawRuns();
}

/* --- actions --- */
function confirmed(title, text, yes) {
  setText($("confirm-title"), title);
  setText($("confirm-text"), text);
  setText($("confirm-yes"), yes);
  $("confirm").showModal();
  // Not "close": the event of the previous dialog may still be pending.
  return new Promise((done) => {
    $("confirm").onsubmit = (event) => done(event.submitter.value === "yes");
    $("confirm").oncancel = () => done(false);
  });
}
async function begin(path, body) {
  try {
    const answer = await call(API + "sync/" + path, { method: "POST", body });
    toast(answer.status === 409 ? "A sync is running already." : "Sync started.");
    await load();
  } catch (problem) { toast(problem.message); }
}
$("now").onclick = () => begin("incremental");
$("full").onclick = async () => {
  if (await confirmed("Start a full sync?", "All rows of every table are sent again and replace its content in BigQuery in one step. Readers never see a half-filled table; the load jobs count towards the daily quota.", "Start full sync")) begin("manual");
};
$("selected").onclick = async () => {
  const names = [...view.selected];
  if (await confirmed("Sync " + plural(names.length, "table") + "?", names.join(", "), "Start sync")) {
    await begin("tables", JSON.stringify(names));
    unselect();
  }
};
async function verify(title, names) {
  const cost = "Each table is read once in BigQuery, which bills those bytes, and once in SQLite; a table that differs is read again for its keys. Nothing is changed, and syncs continue.";
  if (!(await confirmed(title, (names ? names.join(", ") + ". " : "") + cost, "Start verification"))) return;
  try {
    const answer = await call(API + "verify", { method: "POST", body: names && JSON.stringify(names) });
    toast(answer.status === 409 ? "A verification is running already." : "Verification started.");
    await load();
  } catch (problem) { toast(problem.message); }
  if (names) unselect();
}
$("verify").onclick = () => verify("Verify all " + plural(view.status.tables.length, "table") + "?", null);
$("selected-verify").onclick = () => verify("Verify " + plural(view.selected.size, "table") + "?", [...view.selected]);
function unselect() {
  view.selected.clear();
  view.drawn = "";
  draw();
}
$("all").onchange = (event) => {
  view.selected = new Set(event.target.checked ? view.status.tables.map((table) => table.table) : []);
  view.drawn = "";
  draw();
};
$("filter").oninput = (event) => { view.filter = event.target.value.trim().toLowerCase(); draw(); };
$("unfold").onclick = () => { view.unfolded = !view.unfolded; drawTables(); };

/* What sends no event: changes that wait, passes of other processes. */
const POLL_MS = 3000;
// The head of the list of tables stays below that of the page, which may have several lines.
new ResizeObserver(() => document.documentElement.style.setProperty("--top", $("top").offsetHeight + "px")).observe($("top"));

/* Ages grow by themselves. Of a service that does not answer, nothing is known that could. */
function tick() {
  if (!view.status || view.lost || document.hidden) return;
  drawHero();
  drawVerify();
  drawBill();
  if (view.running) drawRunning();
  for (const node of document.querySelectorAll("[data-since]")) setText(node, aged(since(node.dataset.since)));
  for (const node of document.querySelectorAll("[data-ago]")) setText(node, ago(node.dataset.ago));
}
setInterval(tick, 1000);
setInterval(() => { if (!document.hidden && !asked) load(); }, POLL_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden && !asked) load(); });

async function start() {
  try {
    const health = await (await fetch("/healthz", { cache: "no-store" })).json();
    if (health.auth === "bearer" && !token()) { askToken(""); return; }
  } catch (problem) { drawLost(problem); }
  await load();
  if (!asked) listen();
}
start();

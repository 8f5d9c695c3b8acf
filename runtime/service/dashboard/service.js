/* --- talking to the service --- */
const token = () => sessionStorage.getItem("bqsync-token");
const headers = () => token() ? { Authorization: "Bearer " + token() } : {};
/* Keys beyond 2^53 would be rounded as numbers, so they stay text. */
const exact = (text) => JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g, (part) => /^-?\d{16,}$/.test(part) ? '"' + part + '"' : part));
async function call(path, options) {
  const answer = await fetch(path, { ...options, headers: headers(), cache: "no-store" });
  if (answer.status === 401) { askToken(token() ? "That token is not valid." : ""); throw new Error("A token is needed."); }
  const body = exact(await answer.text());
  if (!answer.ok && answer.status !== 409) throw new Error(body.error ? body.error.message : "HTTP " + answer.status);
  return { status: answer.status, body };
}
let asked = null;
function askToken(problem) {
  sessionStorage.removeItem("bqsync-token");
  // Several requests fail together: a later one must not clear the message of the first.
  if (problem || !asked) setText($("token-error"), problem);
  if (!asked) {
    asked = new Promise((done) => {
      $("token-form").onsubmit = () => { sessionStorage.setItem("bqsync-token", $("token-value").value); $("token-value").value = ""; asked = null; done(); start(); };
    });
  }
  if (!$("token").open) $("token").showModal();
}
$("token").addEventListener("cancel", (event) => event.preventDefault());
$("forget").onclick = () => { sessionStorage.removeItem("bqsync-token"); location.reload(); };

let toastTimer = 0;
function toast(text) { $("toast").textContent = text; clearTimeout(toastTimer); toastTimer = setTimeout(() => { $("toast").textContent = ""; }, 5000); }
function setLive(state, text) { $("live").className = "live " + state; setText($("live").lastElementChild, text); }

async function load() {
  try {
    const [status, runs, verify] = await Promise.all([call(API + "sync/status"), call(API + "sync/runs?limit=40"), call(API + "verify")]);
    view.lost = false;
    view.status = status.body;
    view.runs = runs.body.runs;
    view.running = status.body.running;
    view.outage = status.body.outage;
    view.verify = verify.body;
    view.skew = Date.parse(status.body.now) - Date.now();
    $("forget").classList.toggle("hidden", !token());
    draw();
    follow();
    return true;
  } catch (problem) {
    if (!asked) drawLost(problem);
    return false;
  }
}

/* A running verification and a pass of another process are polled; passes of this one send events. */
let following = 0;
function follow() {
  clearTimeout(following);
  const elsewhere = view.running && view.running.holder;
  if (!view.verify.running && !elsewhere) return;
  following = setTimeout(async () => {
    if (elsewhere) { await load(); return; }
    try {
      view.verify = (await call(API + "verify")).body;
      draw();
      follow();
    } catch (problem) { /* the next load shows the error */ }
  }, elsewhere ? 1000 : 500);
}

let listening = null;
async function listen() {
  const control = new AbortController();
  if (listening) listening.abort();
  listening = control;
  let pause = 1000;
  while (!control.signal.aborted) {
    try {
      const answer = await fetch(API + "sync/events", { headers: headers(), signal: control.signal, cache: "no-store" });
      if (!answer.ok) throw new Error("HTTP " + answer.status);
      setLive("on", "live");
      pause = 1000;
      await readEvents(answer.body.getReader());
    } catch (problem) {
      if (control.signal.aborted) return;
    }
    setLive("off", "reconnecting");
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 30000);
    if (!(await load()) && asked) return;
  }
}
async function readEvents(reader) {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const data = text.slice(0, end).split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      text = text.slice(end + 2);
      if (data) onProgress(exact(data));
    }
  }
}
function onProgress(message) {
  const ended = view.running && !view.running.holder && (!message.running || message.running.run_id !== view.running.run_id);
  const missed = message.last_run_id !== view.lastRunId;
  // A pass of another process sends no events; the status tells of it.
  if (message.running || !view.running || !view.running.holder) view.running = message.running;
  view.outage = message.outage || null;
  view.lastRunId = message.last_run_id;
  if (ended || missed || view.lost) load(); else draw();
}



/* What the reader can do about an error, by its code. */
const FIXES = {
  unreachable: "Check the connection from this machine to BigQuery: network, DNS, proxy. bqsync retries by itself.",
  auth: "Check the credentials and that their account may read and write this dataset: `bqsync check` names the missing permission.",
  config: "Check the settings: `bqsync check` names the wrong one and what is expected.",
  source: "Check that the SQLite file exists at `BQ_SQLITE_PATH` and that bqsync can read it.",
  busy: "Another program holds SQLite's lock for a long time. Look for long transactions in the application.",
  locked: "Another bqsync works on the same state. Wait for it, or stop it.",
  schema: "The definition does not fit SQLite or BigQuery: `bqsync plan` shows the exact statement to decide on.",
  rejected: "`bqsync rejects` lists the rows, columns and reasons.",
  quota: "A BigQuery quota is used up. It resets by itself; a longer interval avoids the error.",
  budget: "The bytes of `BQ_MAX_BYTES_BILLED_PER_DAY` are used up. The next day's budget begins at 00:00 UTC; raise it to go on now.",
  transient: "Nothing: the next sync tries again.",
  warehouse: "BigQuery rejected the request. The message says why; `bqsync plan` and `bqsync check` help to find the cause.",
  disk: "Free some disk space, or set `TMPDIR` to a disk with more.",
  memory: "Give the process more memory."
};

/* --- numbers and times for people --- */
const grouped = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const count = (n) => n < 10000 ? grouped.format(n) : compact.format(n);
function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) { n /= 1000; unit++; }
  return (unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + " " + units[unit];
}
/* What queries bill, in the units of BigQuery's bill. */
function billed(n) {
  const units = ["MiB", "GiB", "TiB"];
  let unit = 0;
  for (n /= 2 ** 20; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return (n === 0 ? "0" : unit === 2 ? n.toFixed(2) : n.toFixed(1)) + " " + units[unit];
}
function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 60) return seconds + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds % 3600 / 60) + " min";
  return Math.floor(seconds / 86400) + " d " + Math.floor(seconds % 86400 / 3600) + " h";
}
function duration(ms) { return ms == null ? "" : ms < 1000 ? ms + " ms" : ms < 60000 ? (ms / 1000).toFixed(1) + " s" : span(ms / 1000); }
const now = () => Date.now() + view.skew;
const since = (iso) => (now() - Date.parse(iso)) / 1000;
const AHEAD = "in the future (clock?)";
const aged = (seconds) => seconds < -5 ? AHEAD : span(seconds);
const ago = (iso) => since(iso) < -5 ? AHEAD : since(iso) < 5 ? "just now" : span(since(iso)) + " ago";
const when = (iso) => new Date(iso).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const ordinal = (n) => n + (n % 100 >= 11 && n % 100 <= 13 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th");
const plural = (n, one, many) => grouped.format(n) + " " + (n === 1 ? one : many || one + "s");


"use strict";
const API = "/admin/bigquery/";
const $ = (id) => document.getElementById(id);
/* What the page knows, and what it has drawn of it. */
const view = {
  status: null, lost: false, runs: [], running: null, outage: null, verify: { running: null, last: null, differing: [] }, lastRunId: null, skew: 0,
  selected: new Set(), filter: "", state: "", unfolded: false,
  drawn: "", drawnRuns: "", drawnVerify: "", drawnDays: "", drawnStates: ""
};

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value == null) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}
function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
/* A text with commands between backticks. */
const prose = (text) => text.split("`").map((part, index) => index % 2 ? el("code", {}, part) : part);
/* A name in a command to paste into a shell, as runtime/base/shell_word writes it. */
const shellWord = (text) => /^[\w./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
function setText(node, text) { if (node.textContent !== text) node.textContent = text; }

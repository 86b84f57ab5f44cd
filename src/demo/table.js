// How the server's connections are shown, for as long as the page is visible.

import { PHASES, Thread } from "./thread.js";

/**
 * @typedef {{ id: string, peer: string, phase: string, ageMs: number, requests: number, method: string, path: string,
 *   body: { received: number, size: number } | null, messages: { received: number, sent: number } | null,
 *   written: number, idleMs: number }} ConnectionFacts
 * @typedef {{ element: HTMLTableRowElement, cells: HTMLTableCellElement[], thread: Thread }} Row
 */

const CLASSES = ["id", "phase", "request", "number", "number wide", "number wide", "number wide", "thread"];

/** Shows the table, and lets the server tell it only while the page is in sight. */
export function showConnections() {
  const status = /** @type {HTMLElement} */ (document.getElementById("table-status"));
  const body = /** @type {HTMLElement} */ (document.getElementById("connections"));
  showLegend();
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {EventSource | null} */
  let source = null;

  const update = (/** @type {{ total: number, connections: ConnectionFacts[] }} */ { total, connections }) => {
    const ids = new Set(connections.map(({ id }) => id));
    for (const [id, { element }] of rows) {
      if (ids.has(id)) continue;
      element.remove();
      rows.delete(id);
    }
    for (const facts of connections) {
      let row = rows.get(facts.id);
      if (row === undefined) {
        row = makeRow();
        rows.set(facts.id, row);
        body.append(row.element);
      }
      fill(row, facts);
    }
    const busy = connections.filter(({ phase }) => phase !== "idle").length;
    const shown = total > connections.length ? `, ${connections.length} of them shown` : "";
    status.textContent = `${total} open, ${busy} at work${shown}`;
  };

  const look = () => {
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource("/state");
    source.onmessage = ({ data }) => update(JSON.parse(data));
    source.onerror = () => status.textContent = "The server does not answer; trying again";
  };
  document.addEventListener("visibilitychange", look);
  // A page that is left but kept for the way back must not go on listening.
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", look);
}

/** @returns {Row} */
function makeRow() {
  const element = document.createElement("tr");
  const cells = CLASSES.map((name, at) => {
    const cell = document.createElement(at === 0 ? "th" : "td");
    cell.className = name;
    if (at === 0) cell.scope = "row";
    element.append(cell);
    return cell;
  });
  const thread = new Thread();
  cells.at(-1)?.append(thread.canvas);
  return { element, cells, thread };
}

/**
 * @param {Row} row
 * @param {ConnectionFacts} facts
 */
function fill({ element, cells, thread }, facts) {
  const { id, peer, phase, method, path, body, written, requests, ageMs } = facts;
  const texts = [
    id,
    phase,
    body === null ? "" : `${method} ${path}`,
    body === null || body.size === 0 ? "" : showBytes(body.received),
    showBytes(written),
    `${requests}`,
    showAge(ageMs),
  ];
  element.dataset.phase = phase;
  element.title = peer;
  for (const [at, text] of texts.entries()) {
    const cell = cells[at];
    if (cell !== undefined && cell.textContent !== text) cell.textContent = text;
  }
  if (body !== null && body.size > 0) {
    const size = document.createElement("span");
    size.className = "phone-not";
    size.textContent = ` of ${showBytes(body.size)}`;
    cells[3]?.append(size);
  }
  thread.add(phase);
}

function showLegend() {
  const legend = document.getElementById("legend");
  for (const [phase, meaning] of Object.entries(PHASES)) {
    const item = document.createElement("li");
    item.dataset.phase = phase;
    item.textContent = `${phase}: ${meaning}`;
    legend?.append(item);
  }
}

/** @param {number} bytes */
function showBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** @param {number} ms */
function showAge(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

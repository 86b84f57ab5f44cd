// @ts-self-types="./progress_client.d.ts"
// Turns a form into an upload that the user can watch and cancel, in a browser.
// It shows what the server says. Without this module the form posts as any form does.
// Long: one file, so that an application has one to serve.

/**
 * @import { AttachedForm, Progress, ProgressTexts, UploadProgressOptions, UploadReport } from "./progress_client.d.ts"
 */

/**
 * A browser opens six connections to a host, and an upload that listens to events takes two of them for as long as it
 * runs. So many do. If there are more, all of them ask instead, one after the other over one connection.
 */
const MAX_LISTENERS = 2;
/** Time between two questions if events cannot be used. */
const ASK_EVERY_MS = 500;
/** A screen reader is told at each quarter, but not more often than this. */
const SAY_EVERY_MS = 5_000;

const LAST_STATES = ["done", "error", "aborted"];

/** @type {ProgressTexts} */
const ENGLISH = {
  cancel: "Cancel",
  remove: "Remove",
  waiting: "Waiting for its turn",
  starting: "Starting",
  uploading: ({ received, size, rate, left }) =>
    [size === null ? received : `${received} of ${size}`, rate, left && `${left} left`].filter(Boolean).join(", "),
  done: ({ received }) => received === null ? "Arrived" : `${received} arrived`,
  error: ({ status }) => status >= 400 ? `Failed: the server answered ${status}` : "Failed: the connection broke",
  aborted: "Cancelled",
};

/** Every selector has a specificity of zero, so that any rule of the page overrides it. */
const STYLES = `
:where(.weft-uploads) { display: grid; gap: .75rem; margin-block: .75rem; }
:where(.weft-upload) { display: grid; grid-template-columns: 1fr auto; gap: .25rem .75rem; align-items: center; }
:where(.weft-upload-name) { overflow-wrap: anywhere; }
:where(.weft-upload-bar) { grid-column: 1 / -1; height: .75rem; border: 1px solid; overflow: hidden; }
:where(.weft-upload-fill) { height: 100%; background: currentColor; transform-origin: 0 0; }
:where(.weft-upload-fill:not([style*=scale])) { opacity: .35; }
:where(.weft-upload-detail) { grid-column: 1 / -1; font-variant-numeric: tabular-nums; }
:where(.weft-uploads-said) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;

let isStyled = false;

/** @type {typeof import("./progress_client.d.ts").attachUploadProgress} */
export function attachUploadProgress(form, options = {}) {
  if (form.method !== "post" || form.enctype !== "multipart/form-data") {
    throw new TypeError("attachUploadProgress: expected a form with method=post and enctype=multipart/form-data");
  }
  const { each = "form", atOnce = 3 } = options;
  const list = listFor(form, options);
  /** @type {Upload[]} */
  const waiting = [];
  /** @type {Set<Upload>} */
  const running = new Set();

  const startNext = () => {
    while (running.size < atOnce && waiting.length > 0) {
      const upload = /** @type {Upload} */ (waiting.shift());
      running.add(upload);
      upload.run().then(() => {
        running.delete(upload);
        startNext();
      });
    }
  };
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    const action = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    for (const { name, body } of bodiesOf(new FormData(form, event.submitter), each)) {
      const upload = new Upload(new URL(action, document.baseURI), { name, body });
      list.show(upload);
      waiting.push(upload);
    }
    startNext();
  };
  form.addEventListener("submit", onSubmit);
  return {
    detach() {
      form.removeEventListener("submit", onSubmit);
      for (const upload of [...waiting, ...running]) upload.cancel();
      list.remove();
    },
  };
}

/**
 * What is posted: the form as it stands, or once for each of its files.
 *
 * @param {FormData} whole
 * @param {"form" | "file"} each
 */
function bodiesOf(whole, each) {
  /** @type {[string, File][]} */
  const files = [];
  const rest = new FormData();
  for (const [key, value] of whole) {
    if (typeof value === "string") rest.append(key, value);
    // A field without a chosen file gives one without a name.
    else if (value.name !== "") files.push([key, value]);
  }
  if (each === "form" || files.length === 0) {
    return [{ name: files.map(([, file]) => file.name).join(", "), body: whole }];
  }
  return files.map(([key, file]) => {
    const body = new FormData();
    for (const [name, value] of rest) body.append(name, value);
    body.append(key, file);
    return { name: file.name, body };
  });
}

/** One upload, from its form to its answer. */
class Upload {
  /** Letters and digits, as the server wants it. */
  id = crypto.randomUUID().replaceAll("-", "");
  /** @type {UploadReport} */
  report;
  /** Called whenever the report changes. */
  onChange = () => {};
  #url;
  #body;
  #stop = new AbortController();

  /**
   * @param {URL} action
   * @param {{ name: string, body: FormData }} what
   */
  constructor(action, { name, body }) {
    this.#url = new URL(action);
    this.#url.searchParams.set("progress_id", this.id);
    this.#body = body;
    const { id } = this;
    this.report = { id, name, state: "waiting", size: -1, received: 0, rate: 0, eta: -1, status: 0, response: null };
  }

  /** Posts, and listens meanwhile. Never rejects. */
  async run() {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    this.#tell({ state: "starting" });
    const posted = fetch(this.#url, { method: "POST", body: this.#body, signal });
    const unwatch = watch(this.#url.href, (progress) => this.#heed(progress));
    try {
      const response = await posted;
      // What is small is over before the first word about it.
      if (this.report.received !== this.report.size) await this.#ask();
      this.#end(response.ok ? "done" : "error", { status: response.status, response });
    } catch {
      // A server that refuses a body closes before it has come, and a browser calls that a broken connection.
      const status = signal.aborted ? 0 : (await this.#ask())?.status ?? 0;
      this.#end(signal.aborted ? "aborted" : "error", { status });
    }
    unwatch();
  }

  /** Gives up, unless it is over already. */
  cancel() {
    this.#stop.abort();
    if (this.report.state === "waiting") this.#end("aborted", {});
  }

  get isOver() {
    return LAST_STATES.includes(this.report.state);
  }

  async #ask() {
    const progress = await ask(this.#url.href, this.#stop.signal);
    if (progress !== null) this.#heed(progress);
    return progress;
  }

  /** @param {Progress} progress */
  #heed({ state, size, received, rate, eta }) {
    // Before it has heard of the upload the server has nothing to say, and how it ended is said by the answer.
    if (state !== "starting" && !this.isOver) this.#tell({ state: "uploading", size, received, rate, eta });
  }

  /**
   * @param {"done" | "error" | "aborted"} state
   * @param {Partial<UploadReport>} rest
   */
  #end(state, rest) {
    const { size, received } = this.report;
    this.#tell({ ...rest, state, eta: -1, received: state === "done" ? Math.max(size, received) : received });
  }

  /** @param {Partial<UploadReport>} news */
  #tell(news) {
    this.report = { ...this.report, ...news };
    this.onChange();
  }
}

// --- What the server says

/** @typedef {{ url: string, tell: (progress: Progress) => void, source: EventSource | null, stop: AbortController }} Watcher */

/** @type {Set<Watcher>} */
const watchers = new Set();
let isAsking = false;

/**
 * Tells of an upload's progress until it is told to stop.
 *
 * @param {string} url
 * @param {(progress: Progress) => void} tell
 */
function watch(url, tell) {
  /** @type {Watcher} */
  const watcher = { url, tell, source: null, stop: new AbortController() };
  watchers.add(watcher);
  if (watchers.size > MAX_LISTENERS) { for (const each of watchers) askInstead(each); }
  else listen(watcher);
  return () => {
    watchers.delete(watcher);
    watcher.source?.close();
    watcher.stop.abort();
  };
}

/** @param {Watcher} watcher */
function listen(watcher) {
  const source = watcher.source = new EventSource(watcher.url);
  source.onmessage = ({ data }) => {
    /** @type {Progress} */
    const progress = JSON.parse(data);
    watcher.tell(progress);
    // The server ends here, and the browser would come again.
    if (LAST_STATES.includes(progress.state)) source.close();
  };
  source.onerror = () => askInstead(watcher);
}

/** @param {Watcher} watcher */
function askInstead(watcher) {
  watcher.source?.close();
  watcher.source = null;
  if (!isAsking) askInTurns();
}

async function askInTurns() {
  isAsking = true;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    const asking = [...watchers].filter(({ source }) => source === null);
    if (asking.length === 0) break;
    for (const { url, tell, stop } of asking) {
      const progress = await ask(url, stop.signal);
      if (progress !== null && !stop.signal.aborted) tell(progress);
    }
  }
  isAsking = false;
}

/**
 * Asks once; null if there is no answer.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Progress | null>}
 */
async function ask(url, signal) {
  try {
    const response = await fetch(url, { headers: { accept: "application/json" }, signal });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

// --- What is seen and said

/**
 * The list of a form's uploads.
 *
 * @param {HTMLFormElement} form
 * @param {UploadProgressOptions} options
 */
function listFor(form, options) {
  style();
  const texts = { ...ENGLISH, ...options.texts };
  const list = element("div", "weft-uploads");
  const said = element("p", "weft-uploads-said");
  said.role = "status";
  list.append(said);
  if (options.container === undefined) form.after(list);
  else options.container.append(list);

  const show = (/** @type {Upload} */ upload) => {
    const row = rowFor(upload, { texts, list, form });
    list.append(row.element);
    let saidAt = -Infinity;
    let saidOf = "";
    upload.onChange = () => {
      const { report, isOver } = upload;
      row.update();
      const part = isOver ? report.state : `${Math.floor(4 * shareOf(report))}`;
      if (part !== saidOf && (isOver || performance.now() - saidAt >= SAY_EVERY_MS)) {
        saidAt = performance.now();
        saidOf = part;
        said.textContent = `${report.name}: ${part === "0" || isOver ? row.detail() : row.percent()}`;
      }
      const kind = isOver ? report.state : report.state === "starting" ? "start" : "progress";
      form.dispatchEvent(new CustomEvent(`weft-${kind}`, { bubbles: true, detail: report }));
    };
    row.update();
  };
  return { show, remove: () => list.remove() };
}

/**
 * @param {Upload} upload
 * @param {{ texts: ProgressTexts, list: HTMLElement, form: HTMLFormElement }} around
 */
function rowFor(upload, { texts, list, form }) {
  const row = element("div", "weft-upload");
  const name = element("span", "weft-upload-name");
  const button = element("button", "weft-upload-cancel");
  const bar = element("div", "weft-upload-bar");
  const fill = element("div", "weft-upload-fill");
  const detail = element("span", "weft-upload-detail");
  name.textContent = upload.report.name;
  name.id = `weft-${upload.id}`;
  row.role = "group";
  row.setAttribute("aria-labelledby", name.id);
  button.type = "button";
  button.onclick = () => {
    if (!upload.isOver) return upload.cancel();
    // The button is gone with its row: the focus goes to the row beside it, or to the form.
    const beside = row.nextElementSibling ?? row.previousElementSibling;
    const next = beside?.querySelector("button") ?? form.querySelector("input:not([type=hidden]), button");
    row.remove();
    if (next instanceof HTMLElement) next.focus();
  };
  bar.role = "progressbar";
  bar.setAttribute("aria-labelledby", name.id);
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", "100");
  bar.append(fill);
  row.append(name, button, bar, detail);

  const describe = () => detailOf(upload.report, texts, list);
  const update = () => {
    const { report } = upload;
    row.dataset.state = report.state;
    const label = upload.isOver ? texts.remove : texts.cancel;
    if (button.textContent !== label) {
      button.textContent = label;
      button.setAttribute("aria-label", `${label}: ${report.name}`);
    }
    detail.textContent = describe();
    bar.setAttribute("aria-valuetext", describe());
    const isKnown = report.size > 0 || report.state !== "uploading" && report.state !== "starting";
    if (isKnown) bar.setAttribute("aria-valuenow", `${Math.round(100 * shareOf(report))}`);
    else bar.removeAttribute("aria-valuenow");
    // Set through the object, which a strict Content-Security-Policy allows; an attribute in HTML it would not.
    fill.style.transform = isKnown ? `scaleX(${shareOf(report)})` : "";
  };
  return {
    element: row,
    update,
    detail: describe,
    percent: () => showIn(list, shareOf(upload.report), { style: "percent" }),
  };
}

/**
 * How far it is, from 0 to 1.
 *
 * @param {UploadReport} report
 */
function shareOf({ state, size, received }) {
  if (state === "done") return 1;
  return size > 0 ? Math.min(1, received / size) : 0;
}

/**
 * @param {UploadReport} report
 * @param {ProgressTexts} texts
 * @param {HTMLElement} list its language says how numbers are written
 */
function detailOf(report, texts, list) {
  const { state, size, received, rate, eta, status } = report;
  switch (state) {
    case "waiting":
    case "aborted":
      return texts[state];
    case "starting":
      return texts.starting;
    case "error":
      return texts.error({ status });
    case "done":
      return texts.done({ received: received > 0 ? showBytes(list, received) : null });
    default:
      return texts.uploading({
        received: showBytes(list, received),
        size: size < 0 ? null : showBytes(list, size),
        rate: rate > 0 ? showBytes(list, rate, "-per-second") : null,
        left: eta < 0 || size < 0 ? null : showSeconds(list, eta),
      });
  }
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/**
 * @param {HTMLElement} list
 * @param {number} bytes
 */
function showBytes(list, bytes, suffix = "") {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const digits = power < 2 ? 0 : 1;
  return showIn(list, bytes / 1000 ** power, {
    style: "unit",
    unit: UNITS[power] + suffix,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/**
 * @param {HTMLElement} list
 * @param {number} seconds
 */
function showSeconds(list, seconds) {
  return seconds < 100
    ? showIn(list, Math.ceil(seconds), { style: "unit", unit: "second" })
    : showIn(list, Math.ceil(seconds / 60), { style: "unit", unit: "minute" });
}

/**
 * @param {HTMLElement} list
 * @param {number} value
 * @param {Intl.NumberFormatOptions} options
 */
function showIn(list, value, options) {
  const language = list.closest("[lang]")?.getAttribute("lang") || undefined;
  return new Intl.NumberFormat(language, options).format(value);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 */
function element(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

/** The least that makes a bar visible. A style sheet made by script is not an inline style to a Content-Security-Policy. */
function style() {
  if (isStyled) return;
  isStyled = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  document.adoptedStyleSheets.push(sheet);
}

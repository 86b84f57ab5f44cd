// How the lines of a stream are shown as they come, and how it is stopped.

/** Enables the stream's button. */
export function runStream() {
  const button = /** @type {HTMLButtonElement} */ (document.getElementById("stream-button"));
  const status = /** @type {HTMLElement} */ (document.getElementById("stream-status"));
  const output = /** @type {HTMLElement} */ (document.getElementById("lines"));
  /** @type {AbortController | null} */
  let running = null;

  button.addEventListener("click", async () => {
    if (running !== null) return running.abort();
    const stop = running = new AbortController();
    button.textContent = "Stop";
    status.textContent = "running";
    output.textContent = "";
    try {
      const response = await fetch("/stream", { signal: stop.signal });
      await readInto(output, response);
      status.textContent = "ended";
    } catch {
      status.textContent = stop.signal.aborted ? "stopped" : "broken off";
    }
    button.textContent = "Start";
    running = null;
  });
}

/**
 * @param {HTMLElement} output
 * @param {Response} response
 */
async function readInto(output, response) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    // A reader that scrolls back is left there.
    const isAtEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 2;
    output.append(value);
    if (isAtEnd) output.scrollTop = output.scrollHeight;
  }
}

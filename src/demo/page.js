// Starts everything on the demo's page.

import { attachUploadProgress } from "../progress/client/progress_client.js";
import { runStream } from "./stream.js";
import { showConnections } from "./table.js";

// What needs script is shown by it.
for (const element of document.querySelectorAll(".scripted")) element.removeAttribute("hidden");

takeFiles();
runStream();
showConnections();

/** Uploads begin once files are chosen or dropped; the form's own button is for those without script. */
function takeFiles() {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("upload"));
  const files = /** @type {HTMLInputElement} */ (document.getElementById("files"));
  const rate = /** @type {HTMLSelectElement} */ (document.getElementById("rate"));
  const container = /** @type {HTMLElement} */ (document.getElementById("uploads"));
  const drop = /** @type {HTMLElement} */ (document.getElementById("drop"));

  attachUploadProgress(form, { container, each: "file" });
  // Registered after the module's own listener, which has read the form by now: the same file may be chosen again.
  form.addEventListener("submit", () => files.value = "");
  form.querySelector("button")?.remove();
  form.classList.add("at-once");
  files.addEventListener("change", () => {
    if (files.files?.length) form.requestSubmit();
  });
  const limit = () => form.action = rate.value === "" ? "/upload" : `/upload?rate=${rate.value}`;
  rate.addEventListener("change", limit);
  // A browser may remember what was chosen before a reload.
  limit();

  // The whole page takes what is dropped: to miss the field must not open the file instead.
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    drop.classList.remove("over");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    files.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

// What an application in a browser may call, and what it gets.

/** A browser's `HTMLFormElement`. Without the types of a browser, anything that dispatches events. */
export type FormElement = typeof globalThis extends { HTMLFormElement: { prototype: infer Form } } ? Form : EventTarget;

/** A browser's `Element`, or its stand-in without the types of a browser. */
export type ContainerElement = typeof globalThis extends { Element: { prototype: infer Container } } ? Container
  : EventTarget;

/** How an upload stands, as the server tells it. */
export interface Progress {
  state: "starting" | "uploading" | "done" | "error" | "aborted";
  /** Bytes of the body that were promised; -1 if that is not known. */
  size: number;
  /** Bytes of the body that the server has taken from the network. */
  received: number;
  /** Bytes a second. */
  rate: number;
  /** Seconds that are left; -1 if they are not known. */
  eta: number;
  /** The answer's status; 0 if there is none yet. */
  status: number;
}

/** How an upload of this page stands: the `detail` of its events. */
export interface UploadReport extends Omit<Progress, "state"> {
  /** The name under which the server knows it. */
  id: string;
  /** The names of its files. */
  name: string;
  /** As the server tells it; `waiting` if others have to end first. */
  state: Progress["state"] | "waiting";
  /** The answer to the post, its body unread; null if there is none. */
  response: Response | null;
}

/** What is written, to be replaced for other languages. Numbers are written as the `lang` of the page asks. */
export interface ProgressTexts {
  /** On the button of an upload that runs. */
  cancel: string;
  /** On the button of one that is over. */
  remove: string;
  waiting: string;
  starting: string;
  /** Sizes, rate and time are written out, such as `12.5 MB`; null is what is not known. */
  uploading(told: { received: string; size: string | null; rate: string | null; left: string | null }): string;
  done(told: { received: string | null }): string;
  /** The status is 0 if no answer came. */
  error(told: { status: number }): string;
  aborted: string;
}

/** How a form's uploads are shown. */
export interface UploadProgressOptions {
  /**
   * The element that gets the list of uploads.
   * @default after the form
   */
  container?: ContainerElement | undefined;
  /**
   * What becomes one upload: the form as it stands, or each of its files with the form's other fields.
   * @default {"form"}
   */
  each?: "form" | "file" | undefined;
  /**
   * Uploads that run at once; others wait. A browser opens six connections to a host, and the page may need some.
   * @default {3}
   */
  atOnce?: number | undefined;
  /**
   * Texts that replace the English ones.
   * @default {{}}
   */
  texts?: Partial<ProgressTexts> | undefined;
}

/** A form that shows its uploads. */
export interface AttachedForm {
  /** Cancels what runs, and leaves the form as it was. */
  detach(): void;
}

/**
 * Shows the progress of what a form uploads, with a button to cancel it. The form's `submit` is taken over: it is posted
 * to its action with a `progress_id`, and the server, which has to be Weft with `uploadProgress`, tells how far it is.
 *
 * The form dispatches `weft-start`, `weft-progress` and then one of `weft-done`, `weft-error` and `weft-aborted`; the
 * `detail` is an {@linkcode UploadReport}. They bubble. Elements have classes that begin with `weft-upload`, and a row
 * has its state in `data-state`.
 *
 * @param form a form with `method="post"` and `enctype="multipart/form-data"`
 * @param options how its uploads are shown
 * @returns a way to undo it
 * @throws {TypeError} if the form posts something else
 *
 * @example
 * ```ts ignore
 * import { attachUploadProgress } from "@weft/engine/progress-client";
 *
 * const form = document.querySelector("form")!;
 * attachUploadProgress(form, { each: "file" });
 * form.addEventListener("weft-done", (event) => console.log((event as CustomEvent).detail.response.status));
 * ```
 */
export function attachUploadProgress(form: FormElement, options?: UploadProgressOptions): AttachedForm;

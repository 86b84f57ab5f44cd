// Where a call of a function that serves arrives while the program loads an application.
// The functions are the runtime's own (Deno.serve) and that of this package, in whatever copy the application imports.

import { shared } from "../copies/shared.ts";

/** What an application passes, as it stands: options, or null for none, and the handler. */
export interface ServeArguments {
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly handler: (...args: never[]) => unknown;
}

/** What the program does with such calls. */
export interface ServePort {
  /** Takes a call over and gives the server for the caller. Null if the caller serves by itself. Set by the program. */
  take: ((call: ServeArguments) => object | null) | null;
  /** True if other processes load the same application: a port that it opens by itself must be shared. Set by the program. */
  isPortShared: boolean;
}

/** The one of this process. */
export const servePort: ServePort = shared("serve", () => ({ take: null, isPortShared: false }));

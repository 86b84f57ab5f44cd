// The application that is served when none is named.

import type { ConnectionFacts } from "../inspect/dump.ts";
import type { Handler } from "../message/handler.ts";
import type { Clock } from "../platform/ports.ts";
import { uploadProgress } from "../progress/upload_progress.ts";
import type { Uploads } from "../progress/uploads.ts";
import { assetAt } from "./assets.ts";
import { echo } from "./echo.ts";
import { lines } from "./lines.ts";
import { watchState } from "./state.ts";
import { takeUpload } from "./upload.ts";

/** What the demo is made of. */
export interface DemoParts {
  clock: Clock;
  /** The server's connections as they stand now. */
  connections: () => readonly ConnectionFacts[] | Promise<readonly ConnectionFacts[]>;
  /** True once the server is stopping: what has no end of its own ends then. */
  isStopping: () => boolean;
  /**
   * The registry that follows uploads and answers for them.
   * @default those of this process
   */
  uploads?: Uploads | undefined;
}

/**
 * Makes the built-in application: a page on which one uploads, streams, and sees the server's connections.
 *
 * @param parts what it needs of its server
 * @returns its handler
 */
export function makeDemo(parts: DemoParts): Handler {
  return uploadProgress((request: Request) => {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/upload":
        return takeUpload(request, parts.clock);
      case "/stream":
        return lines(request.signal, parts.clock);
      case "/state":
        return watchState(request.signal, parts);
      case "/echo":
        return echo(request);
      default:
        return assetAt(pathname) ??
          new Response(`There is nothing at ${pathname}; the demo is at /\n`, { status: 404 });
    }
  }, { uploads: parts.uploads });
}

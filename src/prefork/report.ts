// What a worker reports of itself.

/** How a worker stands. */
export interface Report {
  /** Requests begun so far. */
  requests: number;
  rssBytes: number;
  /** Open connections. */
  connections: number;
  /** `METHOD path` of what is being answered, the oldest first; at most {@linkcode MAX_IN_FLIGHT}. */
  inFlight: string[];
}

/** The report of a worker that has not made one. */
export const NO_REPORT: Readonly<Report> = { requests: 0, rssBytes: 0, connections: 0, inFlight: [] };

/** Most requests that a report names: enough to see what a hung worker was about. */
export const MAX_IN_FLIGHT = 20;

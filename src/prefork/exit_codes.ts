// The exit codes of the program. They are part of its contract.

/** Exit codes of an end that was not forced. `weft ctl` uses them too. */
export const EXIT = { clean: 0, error: 1, usage: 2, neverBooted: 3, appNotLoaded: 4 } as const;

// Knows: how the program ends; the numbers are part of its contract.

/** Exit codes of an end that nobody forced; `weft ctl` ends with them too. */
export const EXIT = { clean: 0, error: 1, usage: 2, neverBooted: 3, appNotLoaded: 4 } as const;

// Knows: how the program says that it cannot do what it was asked.
// Does not know: what that was.

/** How the program ends; the numbers are part of its contract. */
export const EXIT = { clean: 0, error: 1, usage: 2, neverBooted: 3, appNotLoaded: 4 } as const;

/** Something that the user can do something about: the message says what, the code is the program's exit code. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: number;

  /**
   * @param code the exit code
   * @param message what was expected, what came, what to do
   * @param options the error behind it
   */
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

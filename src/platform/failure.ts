// How the program says that it cannot do what it was asked: in which words, and with which exit code it ends.
// Errors that a caller completes first, such as with the name of a flag, have classes of their own beside their source.

/** The exit codes of an end that was not forced. They are part of the program's contract. `weft ctl` uses them too. */
export const EXIT = { clean: 0, error: 1, usage: 2, neverBooted: 3, appNotLoaded: 4 } as const;

/** Something that the user can do something about. It ends the program with its message, without a stack. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** The program's exit code, one of {@linkcode EXIT}. */
  readonly code: number;

  /**
   * @param code the exit code
   * @param message what was expected, what came, what to do
   * @param options the error that caused it
   */
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /**
   * What was asked for was not understood, or does not fit together.
   *
   * @param message what was expected and what came; one line
   * @returns a failure that ends the program with 2
   */
  static usage(message: string): Failure {
    return new Failure(EXIT.usage, message);
  }
}

// How the program says that it cannot do what it was asked.

import { EXIT } from "../prefork/exit_codes.ts";

/** Something that the user can do something about: the message says what, the code is the program's exit code. */
export class Failure extends Error {
  override readonly name: string = "Failure";
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
}

/**
 * Lets a room's own error be one that the user can do something about.
 *
 * @param work what may fail with it
 * @param known the error's class
 * @returns what the work gives
 * @throws {Failure} with the error's message and the code 1
 */
export async function orFailure<Result>(work: Promise<Result>, known: new (message: string) => Error): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof known) throw new Failure(EXIT.error, error.message, { cause: error });
    throw error;
  }
}

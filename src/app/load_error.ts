// An application cannot be served, and whose words say why.

/** The application could not be loaded: it is missing, throws, cannot be parsed, or exports nothing that can be served. */
export class AppLoadError extends Error {
  override readonly name = "AppLoadError";
  /** The application as it was asked for. */
  readonly specifier: string;

  /**
   * @param specifier the application as it was asked for
   * @param message what was expected, what came, what to do; several lines
   * @param options the error that caused it
   */
  constructor(specifier: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.specifier = specifier;
  }
}

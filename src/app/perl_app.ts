// An application in Perl: `app.psgi`, which plackup runs in processes of its own.

import { EXIT, Failure } from "../platform/failure.ts";
import type { Files } from "../platform/ports.ts";
import { absolutePath } from "../platform/specifier.ts";

/** Files that count with --restart. Catalyst has its configuration and its templates in some of them. */
const PATTERN = /\.(p[lm]|psgi|tt2?|conf|ya?ml|json)$/;

/** What the operator can do if something of plackup is missing. */
const PACKAGES = "in Debian: apt-get install libplack-perl libfcgi-perl libfcgi-procmanager-perl";
/** What perl and the guard say then. */
const MISSING = /^Can't locate ((?:Plack|FCGI)\S*)\.pm in @INC|^cannot run (plackup): No such file/m;

/** An application in Perl. */
export interface PerlApp {
  /** As it was asked for. */
  readonly specifier: string;
  /** Absolute. */
  readonly path: string;
  /** The directory with all that belongs to it. */
  readonly home: string;
}

/**
 * Finds an application in Perl.
 *
 * @param specifier a path, such as `app.psgi` or `script/myapp.psgi`
 * @param cwd the directory that relative paths start from
 * @returns the application
 */
export function perlApp(specifier: string, cwd: string): PerlApp {
  const path = absolutePath(specifier, cwd);
  const directory = path.slice(0, path.lastIndexOf("/"));
  // Catalyst and others have their programs in a directory beside `lib`.
  return { specifier, path, home: directory.replace(/\/(?:script|bin)$/, "") || "/" };
}

/**
 * Finds what counts with --restart.
 *
 * @param specifier a path, such as `app.psgi`
 * @param cwd the directory that relative paths start from
 * @returns the directory with all that belongs to the application, and what is looked for in the path of a file
 */
export function perlSources(specifier: string, cwd: string): { directories: string[]; pattern: RegExp } {
  return { directories: [perlApp(specifier, cwd).home], pattern: PATTERN };
}

/**
 * Checks that the application is there.
 *
 * @param app the application
 * @param files in which it looks
 * @throws {Failure} if it is not
 */
export function checkPerlApp({ specifier, path }: PerlApp, files: Pick<Files, "kindOf">): void {
  const kind = files.kindOf(path);
  if (kind === "file") return;
  const came = kind === null ? `there is no file ${path}` : `${path} is a ${kind}`;
  throw new Failure(EXIT.appNotLoaded, `cannot load the application ${specifier}\n${came}`);
}

/**
 * A middleware of Plack, for all applications. FCGI.pm collects what is written until its buffer is full or the answer ends. With
 * this, a body that the application writes, or that it reads from a handle, is sent as it comes. Any other answer is sent in one
 * piece, as before.
 */
const AT_ONCE = "enable sub { my $app = shift; sub { $| = 0; my $answer = $app->($_[0]); " +
  "ref $answer eq 'CODE' ? sub { my $respond = shift; $answer->(sub { $| = 1 if @{ $_[0] } > 2 && ref $_[0][2] ne 'ARRAY'; " +
  "my $writer = $respond->(@_); $| = 1 if $writer; $writer }) } " +
  ": do { $| = 1 if ref $answer->[2] ne 'ARRAY'; $answer } } }";

/** How plackup is started. */
export interface PlackupOptions {
  /** Path of the socket. */
  socket: string;
  processes: number;
  /** What the operator passes on to plackup. */
  args: readonly string[];
  files: Pick<Files, "kindOf">;
}

/**
 * The command that starts the processes of an application.
 *
 * @param app the application
 * @param options the socket, and how many processes
 * @returns a program and its arguments
 */
export function plackupCommand({ path, home }: PerlApp, { socket, processes, args, files }: PlackupOptions): string[] {
  const lib = `${home}/lib`;
  return [
    "plackup",
    ...["--server", "FCGI", "--listen", socket, "--nproc", `${processes}`],
    // Without it plackup checks and logs every request, as in development. PLACK_ENV overrides it.
    ...["--env", "deployment"],
    ...files.kindOf(lib) === "directory" ? ["-I", lib] : [],
    ...["-e", AT_ONCE],
    ...args,
    ...["--app", path],
  ];
}

/**
 * Says why an application in Perl has not started.
 *
 * @param app the application
 * @param said what it wrote to stderr
 * @returns the failure
 */
export function notStarted({ specifier }: PerlApp, said: string): Failure {
  const [, module, program] = MISSING.exec(said) ?? [];
  const missing = module?.replaceAll("/", "::") ?? program;
  if (missing !== undefined) return plackupMissing(specifier, missing);
  return new Failure(EXIT.appNotLoaded, `cannot load the application ${specifier}\n${said}`);
}

/**
 * Says that something of plackup is missing.
 *
 * @param specifier the application as it was asked for
 * @param what is missing
 * @returns the failure
 */
export function plackupMissing(specifier: string, what: string): Failure {
  return new Failure(EXIT.appNotLoaded, `cannot serve ${specifier}: ${what} is missing; ${PACKAGES}`);
}

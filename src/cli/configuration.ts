// What was asked for by flag, application and variable, in this order, and what that means for an engine.

import { addressList, DEFAULTS, type Limits, SettingError, type Settings, settle } from "../engine/settings.ts";
import type { LogFormat } from "../inspect/access_log.ts";
import { Failure } from "../platform/failure.ts";
import { isPort } from "../platform/address.ts";
import { messageOf } from "../platform/log.ts";
import type { ListenOptions, Platform, TlsOptions } from "../platform/ports.ts";
import { type FlagName, LIMIT_FLAGS, optionName } from "./cli_options.ts";
import { defaultHost, FLAGS, variableOf } from "./flags.ts";
import type { Asked } from "./parse_flags.ts";

/** Everything that was decided before the application is served. */
export interface Configuration {
  where: ListenOptions;
  settings: Settings;
  /** File of the access log, "-" for stdout, null for none. */
  accessLog: string | null;
  /** Addresses and ranges of the proxies that are trusted. */
  trustProxy: readonly string[];
  /** Whether they begin each connection with the header of the PROXY protocol. */
  proxyProtocol: boolean;
  logFormat: LogFormat;
  debug: boolean;
  bench: boolean;
  /** Whether the application is wrapped with the upload registry. */
  uploadProgress: boolean;
  /** Whether answers are compressed. */
  compress: boolean;
}

/** A keep-alive client that is busy sends its next request well within this; a browser that idles is not waited for. */
const LAST_IDLE_MS = 1_000;

/** The graceful timeout with --restart: the author who saves a file waits for the new code, not for streams of the old. */
const RESTART_GRACE_MS = 1_000;

/**
 * Decides.
 *
 * @param asked flags and variables
 * @param options what the application says of itself
 * @param platform the runtime, for files and the terminal
 * @returns what to do
 * @throws {Failure} if it does not fit together
 */
export function configure(asked: Asked, options: Readonly<Record<string, unknown>>, platform: Platform): Configuration {
  const { given } = asked;
  const cli = asked.options;
  const say: Say = (flag, option) => {
    const own = cli[optionName(flag)];
    return asked.explicit.has(flag) ? own : options[option] ?? own;
  };
  const limits: Record<string, unknown> = { lastIdleMs: LAST_IDLE_MS };
  for (const { name, limit } of LIMIT_FLAGS) limits[limit] = say(name, limit);
  if (cli.restart === true) limits.gracefulTimeoutMs ??= RESTART_GRACE_MS;
  // A log format implies a log.
  const isLogged = platform.process.isTerminal() || given.has("log-format");
  const settings = settledOr(limits, (option) => sourceOf(option, asked, options));
  const trustProxy = trustedPeers(say("trust-proxy", "trustProxy"));
  const proxyProtocol = say("proxy-protocol", "proxyProtocol") === true;
  if (proxyProtocol && trustProxy.length === 0) {
    throw Failure.usage("--proxy-protocol needs --trust-proxy: which peers send the header");
  }
  return {
    where: whereToListen(asked, say, {
      options,
      platform,
      tls: { handshakeTimeoutMs: settings.headerTimeoutMs, isLate: proxyProtocol },
    }),
    settings,
    trustProxy,
    proxyProtocol,
    accessLog: cli.accessLog ?? (isLogged ? "-" : null),
    logFormat: cli.logFormat,
    debug: cli.debug,
    bench: cli.bench,
    compress: say("compress", "compress") === true || options.automaticCompression === true,
    uploadProgress: cli.uploadProgress,
  };
}

/**
 * The store that keeps the progress of uploads for many machines.
 *
 * @param asked flags and variables
 * @returns a redis:// URL; null for this process or its supervisor
 * @throws {Failure} if it is not such a URL
 */
export function progressStoreOf({ options: { progressStore: url } }: Asked): string | null {
  if (url !== undefined && !/^rediss?:\/\/./.test(url)) {
    throw Failure.usage(`--progress-store: expected redis://HOST:PORT, got "${url.replace(/:[^:@/]*@/, ":...@")}"`);
  }
  return url ?? null;
}

/** The value of a flag, or of the application's option of that name; in the order that this file opens with. */
type Say = (flag: FlagName, option: string) => unknown;

function whereToListen(
  asked: Asked,
  say: Say,
  { options, platform, tls }: {
    options: Readonly<Record<string, unknown>>;
    platform: Platform;
    tls: Pick<TlsOptions, "handshakeTimeoutMs" | "isLate">;
  },
): ListenOptions {
  const { options: { cert, key }, explicit } = asked;
  const path = say("unix", "path");
  if (explicit.has("unix") && explicit.has("port")) throw Failure.usage("--unix and --port exclude each other");
  const isTcp = explicit.has("port") || explicit.has("host") && !explicit.has("unix");
  if (path !== undefined && !isTcp) {
    if ((cert ?? key) !== undefined) throw Failure.usage("--unix and --cert exclude each other: TLS needs a port");
    if (typeof path !== "string" || path === "") throw Failure.usage("the application's options: path is not a path");
    return { transport: "unix", path };
  }
  const hostname = say("host", "hostname") ?? defaultHost(platform.process.env);
  const port = say("port", "port");
  if (typeof hostname !== "string") throw Failure.usage("the application's options: hostname is no string");
  if (!isPort(port)) {
    throw Failure.usage(
      `the application's options: port: expected a number from 0 to 65535, got ${JSON.stringify(port)}`,
    );
  }
  return {
    transport: "tcp",
    hostname,
    port,
    tls: tlsOf(asked, options, { platform, tls }),
  };
}

/** Flags and variables name files; an application has the texts. */
function tlsOf(
  { options: { cert: certFile, key: keyFile }, explicit }: Asked,
  options: Readonly<Record<string, unknown>>,
  { platform, tls }: { platform: Platform; tls: Pick<TlsOptions, "handshakeTimeoutMs" | "isLate"> },
): TlsOptions | undefined {
  const isFlag = explicit.has("cert") || explicit.has("key");
  const { cert, key } = options;
  if (!isFlag && (cert ?? key ?? undefined) !== undefined) {
    if (typeof cert === "string" && typeof key === "string") return { cert, key, ...tls };
    throw Failure.usage("the application's options: TLS needs both cert and key, as texts");
  }
  if ((certFile === undefined) !== (keyFile === undefined)) throw Failure.usage("TLS needs both --cert and --key");
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { cert: readPem("--cert", certFile, platform), key: readPem("--key", keyFile, platform), ...tls };
}

/** What each file must hold. The runtime names neither the flag nor the file if they are mixed up. */
const PEM = {
  "--cert": { what: "a certificate", label: /-----BEGIN CERTIFICATE-----/ },
  "--key": { what: "a private key", label: /-----BEGIN (RSA |EC )?PRIVATE KEY-----/ },
};

function readPem(flag: keyof typeof PEM, path: string, platform: Platform): string {
  let text: string;
  try {
    text = platform.files.readText(path);
  } catch (error) {
    throw Failure.usage(`${flag}: cannot read ${path}: ${messageOf(error)}`);
  }
  if (PEM[flag].label.test(text)) return text;
  if (flag === "--key" && text.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
    throw Failure.usage(`--key: expected a private key without a passphrase, got ${path}`);
  }
  throw Failure.usage(`${flag}: expected a PEM file with ${PEM[flag].what}, got ${path}`);
}

function settledOr(limits: Limits, source: (option: string) => string): Settings {
  try {
    return settle(limits);
  } catch (error) {
    if (error instanceof SettingError) throw Failure.usage(`${source(error.setting)}: ${error.problem}`);
    throw error;
  }
}

/** A list, or text with commas. Each address is checked when the proxies are made of it. */
function trustedPeers(asked: unknown): readonly string[] {
  const list = addressList(asked);
  if (list !== null) return list;
  throw Failure.usage(`the application's options: trustProxy: expected a list of addresses, got ${typeof asked}`);
}

/**
 * What set an option: a flag, the application, or a variable, in this order.
 *
 * @param option such as `maxBodyBytes`
 * @param asked flags and variables
 * @param options what the application says of itself
 * @returns its name, for a message
 */
export function sourceOf(
  option: string,
  { explicit, given }: Asked,
  options: Readonly<Record<string, unknown>>,
): string {
  const flag = FLAGS.find(({ name, limit }) => (limit ?? optionName(name)) === option)?.name as FlagName | undefined;
  if (flag !== undefined && explicit.has(flag)) return `--${flag}`;
  if (flag !== undefined && (options[option] ?? undefined) === undefined && given.has(flag)) return variableOf(flag);
  return `the application's options: ${option}`;
}

/**
 * What a dump shows of the configuration: the address, and what differs from the defaults.
 *
 * @param configuration what was decided
 * @returns names and values, none of them secret
 */
export function showConfiguration(configuration: Configuration): Record<string, string | number | boolean> {
  const { where, settings, trustProxy, debug, bench } = configuration;
  const shown: Record<string, string | number | boolean> = where.transport === "unix"
    ? { unix: where.path }
    : { host: where.hostname, port: where.port, tls: where.tls !== undefined };
  for (const [name, value] of Object.entries(settings)) {
    if (name === "lastIdleMs") continue;
    if (name === "body" || value !== DEFAULTS[name as keyof Settings]) shown[name] = value;
  }
  if (trustProxy.length > 0) shown.trustProxy = trustProxy.join(",");
  if (configuration.compress) shown.compress = true;
  if (configuration.proxyProtocol) shown.proxyProtocol = true;
  return { ...shown, debug, bench };
}

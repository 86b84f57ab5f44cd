// What receiveUploads can be told, and what it takes untold.

/** What a file is before its bytes have come. */
export interface UploadPart {
  /** The form's field. */
  readonly field: string;
  /** A safe name made of the client's: never a path, never empty, never hidden. */
  readonly name: string;
  /** The media type that the client says, in lower case, `application/octet-stream` if it says none. Not checked. */
  readonly type: string;
}

/** What {@linkcode receiveUploads} can be told. Each limit is a number from 0; `Infinity` stands for none. */
export interface UploadOptions {
  /**
   * Most files.
   * @default {100} an album, no archive
   */
  maxFiles?: number | undefined;
  /**
   * Most values of fields that are no files.
   * @default {1000} a large form; each may cost a map's entry
   */
  maxFields?: number | undefined;
  /**
   * Most bytes of one file.
   * @default {1073741824} 1 GiB, what a server takes as a body at most unless it is told otherwise
   */
  maxFileBytes?: number | undefined;
  /**
   * Most bytes of one value; it stands in memory.
   * @default {1048576} 1 MiB, a long text
   */
  maxFieldBytes?: number | undefined;
  /**
   * Most bytes of all values together; they stand in memory.
   * @default {16777216} 16 MiB
   */
  maxFieldsBytes?: number | undefined;
  /**
   * Most bytes of the whole body.
   * @default {Infinity} the server's own limit (`maxBodyBytes`) holds
   */
  maxTotalBytes?: number | undefined;
  /**
   * Most characters of a field's name.
   * @default {256} what no form has that a person wrote
   */
  maxNameLength?: number | undefined;
  /**
   * An existing directory for the temporary files: if it is on the disk that they are moved to, moving costs nothing.
   * @default the system's directory for them, which TMPDIR names
   */
  directory?: string | undefined;
  /**
   * Takes the bytes of a file instead of a temporary file, no faster than it writes them: a hash, a bucket, a parser. It is
   * closed if the file is whole and aborted if it is not. What answers null leaves the file to the disk.
   *
   * @param part what the file is
   */
  sink?: ((part: UploadPart) => UploadSink | Promise<UploadSink>) | undefined;
  /**
   * Refuses what only old clients send: parts that are encoded for mail (base64, quoted-printable), parts that belong to no
   * field, several files in one part (multipart/mixed), a quote inside the quotes of a file's name, a backslash in the
   * boundary, and a charset that is not known.
   * @default {false} they are decoded, skipped and read
   */
  strict?: boolean | undefined;
}

/** Where a file's bytes go; null for a temporary file. */
export type UploadSink = WritableStream<Uint8Array> | null | undefined;

/** The limits with nothing left open. */
export type UploadLimits = Record<Exclude<keyof UploadOptions, "directory" | "sink" | "strict">, number>;

const DEFAULTS: UploadLimits = {
  maxFiles: 100,
  maxFields: 1000,
  maxFileBytes: 1024 ** 3,
  maxFieldBytes: 1024 ** 2,
  maxFieldsBytes: 16 * 1024 ** 2,
  maxTotalBytes: Infinity,
  maxNameLength: 256,
};

/**
 * Fills in what was left open.
 *
 * @param options what is set
 * @returns every limit
 * @throws {RangeError} if one is not a number from 0
 */
export function settleLimits(options: UploadOptions): UploadLimits {
  const limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof UploadLimits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value >= 0)) {
      throw new RangeError(`${name}: expected a number from 0, or Infinity for no limit, got ${JSON.stringify(value)}`);
    }
    limits[name] = value;
  }
  return limits;
}

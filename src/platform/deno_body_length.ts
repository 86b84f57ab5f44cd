// Lets fetch() send the length of a stream.
// Deno's fetch sends Content-Length for bytes, and for a stream behind which it finds a resource that knows its size. The
// streams of Deno.serve have one. Here the resource is made when fetch looks for it, so a body that is only read costs no
// more. All of this is internal to Deno: if a probe does not find it, streams are sent chunked.

/** What Deno keeps of a stream that is backed by a resource. */
interface Backing {
  readonly rid: number;
  readonly autoClose: boolean;
}

type MakeResource = (stream: ReadableStream<Uint8Array>, length: number) => number;

/** The symbol under which a stream has its backing, and what makes a resource of a stream. */
interface Means {
  readonly place: symbol;
  readonly makeResource: MakeResource;
}

/** Set by the first call of `tellLength`; null if this Deno has them in another form. */
let means: Means | null | undefined;

/**
 * Tells fetch() how long a stream is.
 *
 * @param stream what is passed to fetch
 * @param length its length in bytes
 * @param open opens the same bytes once more; only one of the two streams is read
 * @returns a function that takes it back, for a stream that is read in another way
 */
export function tellLength(
  stream: ReadableStream<Uint8Array>,
  length: number,
  open: () => ReadableStream<Uint8Array>,
): () => void {
  means ??= findMeans(stream);
  if (means === null) return () => {};
  const { place, makeResource } = means;
  let rid: number | null = null;
  const backing: Backing = {
    get rid() {
      return rid ??= makeResource(open(), length);
    },
    autoClose: true,
  };
  const own = stream as unknown as Record<symbol, Backing | null>;
  own[place] = backing;
  return () => void (own[place] = null);
}

function findMeans(stream: ReadableStream<Uint8Array>): Means | null {
  const place = Object.getOwnPropertySymbols(stream).find(({ description }) => description === "[[resourceBacking]]");
  const { internal } = Deno as unknown as { internal: symbol };
  const inside =
    (Deno as unknown as Record<symbol, { resourceForReadableStream?: MakeResource } | undefined>)[internal];
  const makeResource = inside?.resourceForReadableStream;
  if (place === undefined || typeof makeResource !== "function") return null;
  return (stream as unknown as Record<symbol, unknown>)[place] === null ? { place, makeResource } : null;
}

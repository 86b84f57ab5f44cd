// Shows a request to the client that sent it.

/** What is sent back is held in memory. */
const MAX_ECHO_BYTES = 1024 ** 2;

/**
 * Answers with what was sent, as the server understood it.
 *
 * @param request what was asked
 * @returns its head and body as text
 */
export async function echo(request: Request): Promise<Response> {
  if (Number(request.headers.get("content-length") ?? Infinity) > MAX_ECHO_BYTES && request.body !== null) {
    return new Response(`The echo takes up to ${MAX_ECHO_BYTES} bytes, with their length said before\n`, {
      status: 413,
    });
  }
  const head = [`${request.method} ${request.url}`];
  for (const [name, value] of request.headers) head.push(`${name}: ${value}`);
  const body = await request.text();
  return new Response(`${head.join("\n")}\n\n${body}`, { headers: { "x-content-type-options": "nosniff" } });
}

// Knows: how a request is shown to the one who sent it.

/**
 * Answers with what was sent, as the server understood it.
 *
 * @param request what was asked
 * @returns its head and body as text
 */
export async function echo(request: Request): Promise<Response> {
  const head = [`${request.method} ${request.url}`];
  for (const [name, value] of request.headers) head.push(`${name}: ${value}`);
  const body = await request.text();
  return new Response(`${head.join("\n")}\n\n${body}`);
}

// The smallest application: deno run -A mod.ts examples/hello.ts

export default {
  fetch(_request: Request): Response {
    return new Response("hello\n");
  },
};

// Knows: the page that the demo opens with.

/** HTML, complete in itself. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weft</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --ink: #1d2433; --paper: #fbfaf7; --thread: #2f6f73; --line: #d9d4c7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6df; --paper: #171a20; --thread: #79c2c0; --line: #353b46; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.05rem/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { font-size: 2.2rem; margin: 0 0 .5rem; letter-spacing: -.02em; }
a { color: var(--thread); }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
textarea { width: 100%; min-height: 4.5rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; }
button { font: inherit; margin-top: .5rem; padding: .35rem 1rem; border: 1px solid var(--thread); border-radius: .4rem;
  background: transparent; color: var(--thread); cursor: pointer; }
pre { overflow-x: auto; border-left: 3px solid var(--thread); padding-left: .75rem; font-size: .9rem; }
</style>
</head>
<body>
<main>
<h1>Weft is running</h1>
<p>One weft thread crosses many warp threads; one event loop carries many requests. This page comes from the
application that Weft serves when you name none.</p>
<section>
<h2>A stream</h2>
<p><a href="/stream">/stream</a> sends a line every tenth of a second for five seconds. Open it in several windows:
one process answers them all.</p>
</section>
<section>
<h2>An echo</h2>
<p><code>/echo</code> answers with the request as the server understood it.</p>
<form method="post" action="/echo" enctype="text/plain">
<label for="body">Something to send</label>
<textarea id="body" name="body">warp and weft</textarea>
<button>Send it</button>
</form>
</section>
<section>
<h2>Your application</h2>
<pre>// app.ts
export default {
  fetch(request: Request) {
    return new Response("hello");
  },
};</pre>
<p>Serve it with <code>npx -y deno run -A mod.ts app.ts</code>; <code>--help</code> shows the rest. While it runs, send
Deno's process USR1 and it prints what it is doing.</p>
</section>
</main>
</body>
</html>
`;

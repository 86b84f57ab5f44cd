// An nginx that answers the same bytes from one process: the native limit.
// Everything it writes goes to a directory that the caller removes.

import type { AppName } from "./answers.ts";

/** Sizes that `/bytes/N` serves as files: the check's, the two downloads' and their warm-ups'. */
const FILES = [1000, 16 * 1024 ** 2, 128 * 1024 ** 2, 1024 ** 3];

/** Writes a configuration for a port of loopback, and for streams the files; returns the configuration's path. */
export async function writeNginxConfig(app: AppName, dir: string, port: number): Promise<string> {
  if (app === "stream") await writeFiles(`${dir}/root/bytes`);
  const path = `${dir}/nginx-${port}.conf`;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `${name}_temp_path ${dir}/${name};`
  );
  await Deno.writeTextFile(
    path,
    `
daemon off;
master_process off;
pid ${dir}/nginx-${port}.pid;
error_log stderr error;
events { worker_connections 20000; }
http {
  access_log off;
  ${temporary.join("\n  ")}
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type text/plain;
    location = / { return 200 "Hello, World!"; }
    location /bytes/ { root ${dir}/root; }
  }
}
`,
  );
  return path;
}

/** The files are holes and take no room on the disk. They are read once, so that nginx sends them from memory. */
async function writeFiles(dir: string): Promise<void> {
  if (await Deno.stat(dir).then(() => true, () => false)) return;
  await Deno.mkdir(dir, { recursive: true });
  const buffer = new Uint8Array(1024 ** 2);
  for (const bytes of FILES) {
    using file = await Deno.open(`${dir}/${bytes}`, { create: true, write: true, read: true });
    await file.truncate(bytes);
    while (await file.read(buffer) !== null);
  }
}

// Paths and file: URLs, on Unix and on Windows.

import assert from "node:assert/strict";
import { fromFileUrl, toFileUrl } from "../../src/platform/file_url.ts";

const UNIX = { isWindows: false };
const WINDOWS = { isWindows: true };

Deno.test("Every character of a path is kept on the way to a URL and back", () => {
  const every = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code + 1)).filter((sign) =>
    sign !== "/"
  );
  for (const sign of [...every, "\u2028", "日", "🙂", "%20", "%2F", "%zz", "%", "..x", "C:", "C|", "a:b"]) {
    for (const path of [`/${sign}`, `/a/${sign}/b`, `/a/b${sign}`, `/a/${sign}b`]) {
      // Deno removes "." from a path, as users expect.
      if (sign === "." && !path.endsWith("b.") && !path.endsWith(".b")) continue;
      assert.equal(fromFileUrl(toFileUrl(path, UNIX), UNIX), path);
    }
  }
});

Deno.test("A URL is spelled like Deno spells it, so that no module is loaded twice", () => {
  assert.equal(toFileUrl("/a b/[x]/a:b/ü/~.ts", UNIX), "file:///a%20b/[x]/a:b/%C3%BC/~.ts");
  assert.equal(toFileUrl("//a///b/../c/./d.ts", UNIX), "file:///a/c/d.ts");
  assert.equal(toFileUrl("/100%/%2e%2e/a\\b#?.ts", UNIX), "file:///100%25/%252e%252e/a%5Cb%23%3F.ts");
});

Deno.test("Octets that are not UTF-8, and percent signs that encode nothing, are kept", () => {
  assert.equal(fromFileUrl("file:///a%ff/100%/%zz/%20", UNIX), "/a%ff/100%/%zz/ ");
});

Deno.test("Windows paths may have drives, shares and both kinds of slashes", () => {
  assert.equal(toFileUrl("C:\\my apps\\100%\\app.ts", WINDOWS), "file:///C:/my%20apps/100%25/app.ts");
  assert.equal(fromFileUrl("file:///C:/my%20apps/100%25/app.ts", WINDOWS), "C:/my apps/100%/app.ts");
  assert.equal(toFileUrl("\\\\host\\share\\app.ts", WINDOWS), "file://host/share/app.ts");
  assert.equal(fromFileUrl("file://host/share/app.ts", WINDOWS), "//host/share/app.ts");
  assert.equal(fromFileUrl("file:///C:/x", UNIX), "/C:/x");
});

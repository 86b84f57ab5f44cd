// Takes files and says what it got; tells how far each upload is: deno run -A mod.ts examples/upload.ts
// curl -F note=hello -F files=@README.md "http://127.0.0.1:3000/?progress_id=my-first-upload"
// curl "http://127.0.0.1:3000/?progress_id=my-first-upload"

import { Hono } from "npm:hono@^4";
import { receiveUploads, uploadProgress } from "../mod.ts";

const PAGE = `<!doctype html>
<title>Upload</title>
<form method="post" enctype="multipart/form-data">
  <p><input name="note" placeholder="a note"> <input type="file" name="files" multiple> <button>Send</button>
</form>
`;

const app = new Hono();

app.get("/", (c) => c.html(PAGE));

app.post("/", async (c) => {
  // Too much, or no form: the error that is thrown carries its own answer.
  const { files, field } = await receiveUploads(c.req.raw, { maxFiles: 20 });
  // They go when this request ends. To keep one: await files[0].moveTo("/srv/uploads/a-name-of-yours");
  return c.json({ note: field("note"), files: files.map(({ name, type, size }) => ({ name, type, size })) });
});

export default { fetch: uploadProgress(app.fetch) };

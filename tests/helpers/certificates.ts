// How openssl makes certificates for the length of a test.

/** PEM texts. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
  /** A key that does not belong to `cert`. */
  otherKey: string;
}

/** Deno's client takes no leaf that is its own CA, so there are two. */
async function makeCertificates(directory: string): Promise<Certificates> {
  const openssl = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: directory }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl("req", "-x509", ...ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA");
  await openssl("req", ...ec, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost");
  await Deno.writeTextFile(
    `${directory}/leaf.ext`,
    "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
  );
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "leaf.ext"];
  await openssl("x509", "-req", "-in", "leaf.csr", "-out", "leaf.pem", "-days", "2", ...signed);
  const read = (name: string) => Deno.readTextFileSync(`${directory}/${name}`);
  return { ca: read("ca.pem"), cert: read("leaf.pem"), key: read("leaf.key"), otherKey: read("ca.key") };
}

let made: Promise<Certificates> | null = null;

/**
 * Makes a CA and a leaf for localhost, once in a process.
 *
 * @returns their texts
 */
export async function certificates(): Promise<Certificates> {
  return await (made ??= (async () => {
    const directory = await Deno.makeTempDir();
    try {
      return await makeCertificates(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  })());
}

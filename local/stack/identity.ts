import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import * as z from "zod";
import { StackError } from "./child.ts";

const Port = z.int().min(1).max(65_535);

const newToken = (): string => randomBytes(24).toString("base64url");

/** What a stack is known by, from its first start on. */
const Identity = z.object({
  ports: z.object({ host: Port, graph: Port, imports: Port, storage: Port }),
  backupToken: z.string(),
  restoreToken: z.string(),
  /** A folder of an earlier version has none yet. */
  privacyToken: z.string().default(() => newToken()),
  sealKey: z.string(),
  /** What the host's administration and webhooks ask for. */
  hostKey: z.string().default(() => newToken()),
});
type Identity = z.output<typeof Identity>;

/** The identity kept in a folder, or a new one, which is then kept there, readable to its owner alone. */
export const readIdentity = async (dataDir: string, hostPort: number | undefined): Promise<Identity> => {
  const file = join(dataDir, "identity.json");
  await mkdir(dataDir, { recursive: true });
  const kept = await readKept(file);
  const identity = kept ?? (await newIdentity());
  const wanted = hostPort === undefined ? identity : { ...identity, ports: { ...identity.ports, host: hostPort } };
  for (const [name, port] of Object.entries(wanted.ports)) await assertFree(name, port);
  await writeFile(file, JSON.stringify(wanted, undefined, 2), { mode: 0o600 });
  return wanted;
};

const readKept = async (file: string): Promise<Identity | undefined> => {
  try {
    return Identity.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new StackError(`${file} is not what an earlier start wrote: remove the folder, or name another with --data`);
  }
};

const newIdentity = async (): Promise<Identity> => {
  const [host, graph, imports, storage] = await freePorts(4);
  return {
    ports: Identity.shape.ports.parse({ host, graph, imports, storage }),
    backupToken: newToken(),
    restoreToken: newToken(),
    privacyToken: newToken(),
    sealKey: randomBytes(32).toString("base64"),
    hostKey: newToken(),
  };
};

const listen = (port: number) => {
  const server = createServer();
  return new Promise<{ port: number; close: () => Promise<void> }>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const close = () => new Promise<void>((done) => server.close(() => done()));
      resolve({ port: typeof address === "object" && address !== null ? address.port : port, close });
    });
  });
};

/** Distinct ports: all are held until all are found. */
const freePorts = async (count: number): Promise<number[]> => {
  const held = await Promise.all(Array.from({ length: count }, () => listen(0)));
  await Promise.all(held.map(({ close }) => close()));
  return held.map(({ port }) => port);
};

const assertFree = async (name: string, port: number): Promise<void> => {
  try {
    await (await listen(port)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new StackError(`Port ${port} (${name}) is in use: stop what uses it, or name another folder with --data`);
  }
};

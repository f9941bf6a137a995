import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { NodeHandler } from "./server.ts";
import { urlOf } from "./triggers/http-messages.ts";

/** What the host's own endpoints ask for. The master key opens all of them. */
const Keys = z.object({ master: z.string(), durable: z.string(), eventGrid: z.string() });
export type Keys = z.infer<typeof Keys>;

const newKey = (): string => randomBytes(32).toString("base64url");

/** The keys that are kept in a folder; the first start there makes them. `master` is another master key. */
export const keptKeys = async (dataDir: string, master: string | undefined): Promise<Keys> => {
  const file = join(dataDir, "keys.json");
  await mkdir(dataDir, { recursive: true });
  const made: Keys = { master: newKey(), durable: newKey(), eventGrid: newKey() };
  await writeFile(file, JSON.stringify(made), { flag: "wx", mode: 0o600 }).catch(ignoreExisting);
  const kept = Keys.parse(JSON.parse(await readFile(file, "utf8")));
  return master === undefined ? kept : { ...kept, master };
};

/** Passes on what names one of the keys, as `code` or in a header; 401 for the rest. */
export const withKey =
  (keys: readonly string[], handle: NodeHandler): NodeHandler =>
  async (request, response) => {
    const given = request.headers["x-functions-key"] ?? urlOf(request).searchParams.get("code");
    if (typeof given === "string" && keys.includes(given)) return handle(request, response);
    response.writeHead(401).end();
  };

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "EEXIST") throw error;
};

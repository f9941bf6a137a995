import { parseArgs } from "node:util";
import { z } from "zod";
import { explain, type StorageOptions, Subscription } from "./options.ts";

const Json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue("must be JSON");
    return z.NEVER;
  }
});

const Arguments = z.strictObject({
  dir: z.string({ error: "say where the blobs live" }).min(1),
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  "in-memory": z.boolean().default(false),
  "host-url": z.url().optional(),
  "host-key": z.string().optional(),
  subscriptions: Json.pipe(z.array(Subscription)).default([]),
});

/**
 * Reads `--dir D [--port N] [--in-memory] [--host-url U [--host-key K] --subscriptions JSON]`.
 * @throws {Error} with one line on what is wrong.
 */
export const readArguments = (args: readonly string[]): StorageOptions => {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = { dir: text, port: text, "in-memory": flag, "host-url": text, "host-key": text, subscriptions: text };
  const parsed = Arguments.safeParse(parseArgs({ args: [...args], options }).values);
  if (!parsed.success) throw new Error(`Wrong arguments: ${explain(parsed.error)}`);
  const { dir, port, "in-memory": inMemory, "host-url": hostUrl, "host-key": hostKey, subscriptions } = parsed.data;
  return { dir, port, inMemory, events: hostUrl === undefined ? undefined : { hostUrl, hostKey, subscriptions } };
};

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
  "host-url": z.url().optional(),
  subscriptions: Json.pipe(z.array(Subscription)).default([]),
});

/**
 * Reads `--dir D [--port N] [--host-url U --subscriptions JSON]`.
 * @throws {Error} with one line on what is wrong.
 */
export const readArguments = (args: readonly string[]): StorageOptions => {
  const text = { type: "string" } as const;
  const options = { dir: text, port: text, "host-url": text, subscriptions: text };
  const parsed = Arguments.safeParse(parseArgs({ args: [...args], options }).values);
  if (!parsed.success) throw new Error(`Wrong arguments: ${explain(parsed.error)}`);
  const { dir, port, "host-url": hostUrl, subscriptions } = parsed.data;
  return { dir, port, events: hostUrl === undefined ? undefined : { hostUrl, subscriptions } };
};

import { z } from "zod";
import type { FromWorker } from "./protocol.ts";

const Bytes = z.instanceof(Uint8Array);

const Cookie = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.string().exactOptional(),
  path: z.string().exactOptional(),
  expiresSeconds: z.number().exactOptional(),
  maxAgeSeconds: z.number().exactOptional(),
  secure: z.boolean().exactOptional(),
  httpOnly: z.boolean().exactOptional(),
  sameSite: z.enum(["lax", "strict", "explicitNone"]).exactOptional(),
});

const Body = z.object({
  string: z.string().exactOptional(),
  json: z.string().exactOptional(),
  bytes: Bytes.exactOptional(),
});

const Data = Body.extend({
  http: z
    .object({
      statusCode: z.string(),
      headers: z.record(z.string(), z.string()),
      cookies: z.array(Cookie),
      enableContentNegotiation: z.boolean(),
      body: Body.exactOptional(),
    })
    .exactOptional(),
});

const Binding = z.looseObject({ type: z.string(), direction: z.enum(["in", "out", "inout"]) });

const WorkerMessage = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("started"),
    functions: z.array(z.object({ name: z.string(), bindings: z.record(z.string(), Binding) })),
    httpUri: z.url().optional(),
  }),
  z.object({ kind: z.literal("refused"), message: z.string() }),
  z.object({
    kind: z.literal("log"),
    level: z.enum(["trace", "debug", "information", "warning", "error", "critical", "none"]),
    source: z.enum(["user", "system"]),
    message: z.string(),
    functionName: z.string().optional(),
  }),
  z.object({
    kind: z.literal("done"),
    id: z.string(),
    result: z.object({
      returnValue: Data.exactOptional(),
      outputs: z.array(z.object({ name: z.string(), data: Data })),
    }),
  }),
  z.object({ kind: z.literal("threw"), id: z.string(), message: z.string(), stack: z.string() }),
]);

/** Parses a message from an app process; undefined for one that the app, which shares that process, sent itself. */
export const parseWorkerMessage = (message: unknown): FromWorker | undefined => WorkerMessage.safeParse(message).data;

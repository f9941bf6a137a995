import { z } from "zod";
import { badRequest, GraphFailure } from "./errors.ts";
import type { Behaviours } from "./settings.ts";
import { type MailboxCall, urlWith } from "./world.ts";

/**
 * Where a delta stands. `items`: what was there at version `since` is listed from seed index `seed` and then from
 * arrival `arrived` on. `changes`: changes after version `from` up to `to` are listed, in a round that began after
 * version `began`, or `from` where that is absent.
 */
export const DeltaPosition = z.discriminatedUnion("phase", [
  z.object({ phase: z.literal("items"), since: z.int(), seed: z.int(), arrived: z.int() }),
  z.object({ phase: z.literal("changes"), from: z.number(), to: z.int().optional(), began: z.number().optional() }),
]);
export type DeltaPosition = z.infer<typeof DeltaPosition>;

const DeltaToken = z.object({
  scope: z.string(),
  generation: z.int(),
  page: z.int(),
  select: z.string().optional(),
  size: z.int().optional(),
  position: DeltaPosition,
});
export type DeltaToken = z.infer<typeof DeltaToken>;

const GONE: Readonly<Record<Exclude<Behaviours["deltaExpiry"], "location">, [code: string, message: string]>> = {
  "sync-state-not-found": ["SyncStateNotFound", "The sync state generation is not found"],
  "resync-required": ["resyncRequired", "Resync required. Replace any local items with the server's version."],
};

/** The token a delta request carries, undefined on a first call; 410 when it is not of this generation. */
export const readDeltaToken = (call: MailboxCall, scope: string, generation: number): DeltaToken | undefined => {
  const { query } = call.request;
  const text = query.get("$skiptoken") ?? query.get("$deltatoken");
  if (text === null || text === "") return undefined;
  const token = DeltaToken.safeParse(call.world.tokens.open(text));
  if (!token.success || token.data.scope !== scope) {
    throw badRequest("Badly formed token.", "SyncStateInvalid");
  }
  if (token.data.generation !== generation) throw expired(call, token.data.generation, generation);
  return token.data;
};

const expired = (call: MailboxCall, was: number, is: number): GraphFailure => {
  const { deltaExpiry } = call.world.settings().behaviours;
  if (deltaExpiry !== "location") {
    const [code, message] = GONE[deltaExpiry];
    return new GraphFailure(410, code, `${message}; generation=${was};[highest=${is}][${is}].`);
  }
  const location = `${call.request.origin}${call.request.path}?$deltatoken=`;
  return new GraphFailure(410, "SyncStateNotFound", "The sync state is gone.", { headers: { location } });
};

/** The link that leads on: a nextLink within a round, a deltaLink at its end. */
export const deltaLink = (call: MailboxCall, token: DeltaToken, isLast: boolean): Record<string, string> => {
  const bare = { ...call.request, query: new URLSearchParams() };
  const sealed = call.world.tokens.seal(token);
  return isLast
    ? { "@odata.deltaLink": urlWith(bare, { $deltatoken: sealed }) }
    : { "@odata.nextLink": urlWith(bare, { $skiptoken: sealed }) };
};

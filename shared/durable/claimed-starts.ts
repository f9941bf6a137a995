import { randomUUID } from "node:crypto";
import type { DurableClient } from "durable-functions";
import * as z from "zod";
import { hasOneAlive } from "../contracts/job-ids.ts";
import { type Blobs, jsonBytes, parseJson, readJson } from "../storage/blobs.ts";
import { AlreadyStartingError, CLOCKS_DIFFER_MS, findInstance, isAlive } from "./start-once.ts";

/** Who is about to start an instance. */
const Claim = z.object({
  by: z.string(),
  at: z.iso.datetime(),
  /** How long it counts where it does not lead to an instance. */
  forMs: z.int().positive().optional(),
});
type Claim = z.output<typeof Claim>;

/** Whoever claimed an id for longer, and did not start it, has died. Our own choice: a start takes a second. */
const CLAIM_MS = 60_000;

/** The start of a part is a message that may be seen again only after five minutes, when its host dies. */
const PART_CLAIM_MS = 6 * 60_000;

const claimName = (instanceId: string): string => `starts/${instanceId}.json`;

/**
 * A client whose starts of one id at the same moment start one instance. The task hub accepts them all, and carries out
 * one of them, seen on the real host with the Durable extension 3.19: whoever was told that theirs began would wait for
 * work that nobody does. So who starts claims the id in storage first, where only one is alive at a time.
 *
 * Its `startNew` throws {AlreadyStartingError} for the others. A claim whose owner died counts for a minute.
 */
export const claimingStarts = (client: DurableClient, state: Blobs, now = Date.now): DurableClient => {
  const startNew: DurableClient["startNew"] = async (orchestrator, options) => {
    const { instanceId } = options ?? {};
    if (instanceId === undefined || !hasOneAlive(instanceId)) return client.startNew(orchestrator, options);
    const own = await claimStart(client, state, instanceId, { by: randomUUID(), at: new Date(now()).toISOString() });
    try {
      return await client.startNew(orchestrator, options);
    } catch (error) {
      // A claim that stays ends by itself; what failed is what the caller is to hear of.
      await releaseStart(state, instanceId, own).catch(() => undefined);
      throw error;
    }
  };
  return Object.assign(Object.create(client) as DurableClient, { startNew });
};

/**
 * Claims the id of a part, for the job that is about to start it: the task hub lets a part take the place of an
 * instance that is alive under its id, seen on the real host with the Durable extension 3.19. `own`: the one that this
 * owner began is alive. `others`: another one is alive, or is being started. Asked again by the same owner before it
 * has begun, the claim stands.
 */
export const claimPart = async (
  client: Pick<DurableClient, "getStatus">,
  state: Blobs,
  { instanceId, by }: { readonly instanceId: string; readonly by: string },
): Promise<"claimed" | "own" | "others"> => {
  const isRunning = async (): Promise<boolean> => isAlive(await findInstance(client, instanceId));
  const ownerNow = async () => ((await readJson(state, claimName(instanceId), Claim))?.by === by ? "own" : "others");
  if (await isRunning()) return ownerNow();
  try {
    await claimStart(client, state, instanceId, { by, at: new Date().toISOString(), forMs: PART_CLAIM_MS });
  } catch (error) {
    if (error instanceof AlreadyStartingError) return "others";
    throw error;
  }
  // One that another claim led to may show only now.
  return (await isRunning()) ? "others" : "claimed";
};

/** Claims an id. @throws {AlreadyStartingError} */
const claimStart = async (
  client: Pick<DurableClient, "getStatus">,
  state: Blobs,
  instanceId: string,
  own: Claim,
): Promise<Claim> => {
  const name = claimName(instanceId);
  const found = await state.readWhole(name);
  if (found !== undefined) {
    const { by, at, forMs = CLAIM_MS } = parseJson(name, found.body, Claim);
    const atMs = Date.parse(at);
    const isOthers = by !== own.by && Math.abs(Date.parse(own.at) - atMs) < forMs;
    if (isOthers && !(await hasBegunSince(client, instanceId, atMs)))
      throw new AlreadyStartingError(`${instanceId} is being started by somebody else`);
  }
  // It may be this one's own where the answer to its first request was lost.
  if (!(await state.replace(name, jsonBytes(own), found?.etag)) && (await readJson(state, name, Claim))?.by !== own.by)
    throw new AlreadyStartingError(`${instanceId} is being started by somebody else`);
  return own;
};

/** Another one's claim, which came when this one had counted for too long, stays. */
const releaseStart = async (state: Blobs, instanceId: string, own: Claim): Promise<void> => {
  const name = claimName(instanceId);
  const found = await state.readWhole(name);
  if (found !== undefined && parseJson(name, found.body, Claim).by === own.by) await state.remove(name, found.etag);
};

/** Whether a claim has led to an instance. */
const hasBegunSince = async (
  client: Pick<DurableClient, "getStatus">,
  instanceId: string,
  atMs: number,
): Promise<boolean> => {
  const instance = await findInstance(client, instanceId);
  return instance !== undefined && new Date(instance.createdTime).getTime() >= atMs - CLOCKS_DIFFER_MS;
};

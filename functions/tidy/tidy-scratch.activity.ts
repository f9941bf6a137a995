import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../shared/bounded.ts";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { tidyKey } from "../../shared/http/idempotency.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { restoreLives } from "../restore/target/ask-for-target.ts";
import { tidyTargets } from "../restore/target/target-lease.ts";
import { RENEW_AFTER_MS, removeUnlessNew, renewOld } from "./blobs-below-folder.ts";
import { scratchInUse } from "./scratch-in-use.ts";
import { type TidyCounts, tidyScratch } from "./tidy.contract.ts";
import { jobRunOf, type TidyDeps, tidyJob } from "./tidy-job.ts";

/** Folders at a time. */
const WIDTH = 8;

/** Waves of verifications, which end with the verification itself unless it failed or was cancelled. */
const VERIFIED = /(?:^|\/)(\d{8}T\d{6}Z-[a-z2-7]{6})\/verified\//;

const NOTHING: TidyCounts = { forgotten: 0, removed: 0, renewed: 0, failed: 0 };

/**
 * Tidies one folder of scratch data after the other. One that fails is logged and left for the next night. Run twice,
 * the second finds the work of the first done.
 */
export const tidyScratchActivity = (deps: {
  readonly clientOf: ClientOf;
  readonly work: Blobs;
  readonly state: Blobs;
  /** How long it tidies before it returns. */
  readonly budgetMs: number;
}): ActivityHandler =>
  implement(tidyScratch, async (input, context) => {
    const { work, state, budgetMs } = deps;
    const nowMs = Date.now();
    const client = deps.clientOf(context);
    const tidy = { work, state, client, nowMs, inUse: await scratchInUse({ work, client }) };
    const attempt = async (folder: string): Promise<Partial<TidyCounts>> => {
      try {
        return await tidyFolder(tidy, folder);
      } catch (error) {
        context.error(`${folder} could not be tidied`, error);
        return { failed: 1 };
      }
    };

    let counts = NOTHING;
    let { after } = input;
    for await (const folders of groups(work, after)) {
      for (const done of await mapBounded(folders, WIDTH, attempt)) counts = addCounts(counts, { ...NOTHING, ...done });
      after = folders.at(-1);
      if (Date.now() >= nowMs + budgetMs) return { ...counts, ...(after !== undefined && { after }), finished: false };
    }
    return { ...counts, finished: true };
  });

const tidyFolder = async (deps: TidyDeps, folder: string): Promise<Partial<TidyCounts>> => {
  const { work, state, client, inUse, nowMs } = deps;
  const run = jobRunOf(folder);
  if (run !== undefined) return tidyJob(deps, folder, run);
  if (folder === "targets") {
    const removed = await tidyTargets(work, restoreLives(client, state));
    return { removed, ...(await renewOld(work, folder, nowMs)) };
  }
  if (folder === "starts") return tidyKeys(deps, folder);
  // The others are removed by their own jobs: here they are only kept from being removed too early.
  const owner = ownerOf(folder);
  if (owner !== undefined && inUse.has(owner)) return renewOld(work, folder, nowMs);
  return removeUnlessNew(work, folder, nowMs, (name) => {
    const verification = VERIFIED.exec(name)?.[1];
    return verification !== undefined && !inUse.has(verification);
  });
};

const ownerOf = (folder: string): string | undefined => {
  const name = folder.replace(/^personal-data-/, "");
  return MailboxKey.safeParse(name).success || RunId.safeParse(name).success ? name : undefined;
};

/** Keys of calls that start jobs, those that storage would remove before long. */
const tidyKeys = async ({ work, client, nowMs }: TidyDeps, folder: string): Promise<Partial<TidyCounts>> => {
  const isListed = async (job: string) => (await findInstance(client, job)) !== undefined;
  const done = { removed: 0, renewed: 0 };
  for await (const { name, modified } of work.list(`${folder}/`)) {
    if (modified.getTime() >= nowMs - RENEW_AFTER_MS) continue;
    const outcome = await tidyKey(work, name, isListed);
    if (outcome !== "gone") done[outcome] += 1;
  }
  return done;
};

async function* groups(work: Blobs, after = ""): AsyncGenerator<string[]> {
  let group: string[] = [];
  for await (const folder of work.listFolders("")) {
    if (folder <= after) continue;
    group.push(folder);
    if (group.length < WIDTH) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

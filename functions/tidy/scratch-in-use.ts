import type { DurableClient } from "durable-functions";
import type { RunId } from "../../shared/contracts/ids.ts";
import { restoresInstance } from "../../shared/contracts/job-ids.ts";
import { aliveInstances } from "../../shared/durable/alive-instances.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findListCall } from "../restore/request/list-request-state.ts";
import { findRestoreList } from "../restore/restore-list-state.ts";

/** What the scratch data of jobs is named by: mailbox keys, and ids of runs. */
const OWNERS = /\d{8}T\d{6}Z-[a-z2-7]{6}|[a-z2-7]{26}/g;

/** The owners of scratch data that some job still needs. */
export interface ScratchInUse {
  has(owner: string): boolean;
  /** A rehearsal makes a plan that is no job's own, and that nothing else names. */
  readonly isRehearsing: boolean;
}

/**
 * The scratch data that jobs need, beside that of their own which is found by their names: whatever the id or the input
 * of a job names that has not ended, as a restore names the dry run whose plan it carries out; and the restores of each
 * list that is listed, which may begin days later, and whose reports that of the list reads.
 */
export const scratchInUse = async ({
  work,
  client,
}: {
  readonly work: Blobs;
  readonly client: Pick<DurableClient, "getStatus" | "getStatusBy">;
}): Promise<ScratchInUse> => {
  const inUse = new Set<string>();
  const alive = await aliveInstances(client);
  for (const { instanceId } of alive) {
    const found = await findInstance(client, instanceId, { showInput: true });
    for (const [owner] of `${instanceId} ${JSON.stringify(found?.input)}`.matchAll(OWNERS)) inUse.add(owner);
  }
  for await (const list of work.listFolders("restores-")) {
    const listId = restoresInstance.parse(list)?.[0];
    if (listId === undefined || (await findInstance(client, list)) === undefined) continue;
    for (const restoreId of await restoresOf(work, listId)) inUse.add(restoreId);
  }
  return { has: (owner) => inUse.has(owner), isRehearsing: alive.some(({ name }) => name === "run-rehearsal") };
};

const restoresOf = async (work: Blobs, listId: RunId): Promise<readonly RunId[]> =>
  (await findListCall(work, listId))?.restoreIds ??
  ((await findRestoreList(work, listId)) ?? []).flat().map(({ restoreId }) => restoreId);

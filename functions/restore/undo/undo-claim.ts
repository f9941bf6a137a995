import type { DurableClient } from "durable-functions";
import * as z from "zod";
import { RunId } from "../../../shared/contracts/ids.ts";
import { undoInstance } from "../../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import { type Blobs, readJson, updateJson } from "../../../shared/storage/blobs.ts";
import { undoneByName } from "../restore-state.ts";

/** Which undo of a restore was asked for last, and when; given back when it did not start. */
const Claim = z.object({ undoId: RunId, at: z.number(), givenBack: z.boolean().default(false) });
type Claim = z.output<typeof Claim>;

/** How long an undo counts as running without a job: starting one takes seconds. */
const STARTING_MS = 2 * 60_000;

interface Claimant {
  readonly work: Blobs;
  readonly client: Pick<DurableClient, "getStatus">;
  readonly restoreId: RunId;
  readonly undoId: RunId;
}

/**
 * Claims a restore for an undo, unless another undo of it runs; returns the undo that has it. Asked twice at the same
 * moment, one of the two has it.
 */
export const claimUndo = async ({ work, client, restoreId, undoId }: Claimant): Promise<RunId> => {
  const name = undoneByName(restoreId);
  const known = await readJson(work, name, Claim);
  const isFree = known === undefined || known.undoId === undoId || !(await isRunning(client, known));
  const own: Claim = { undoId, at: Date.now(), givenBack: false };
  const stands = await updateJson(work, name, Claim, (current) =>
    isFree && current?.undoId === known?.undoId ? own : (current ?? own),
  );
  return stands.undoId;
};

/** Lets another undo have the restore: this one does not start. */
export const giveClaimBack = async ({ work, restoreId, undoId }: Omit<Claimant, "client">): Promise<void> => {
  const own: Claim = { undoId, at: Date.now(), givenBack: true };
  await updateJson(work, undoneByName(restoreId), Claim, (current = own) =>
    current.undoId === undoId ? own : current,
  );
};

const isRunning = async (
  client: Pick<DurableClient, "getStatus">,
  { undoId, at, givenBack }: Claim,
): Promise<boolean> => {
  const job = await findInstance(client, undoInstance(undoId));
  return job === undefined ? !givenBack && Date.now() < at + STARTING_MS : isAlive(job);
};

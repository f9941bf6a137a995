import * as z from "zod";
import type { RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson } from "../../shared/storage/blobs.ts";
import { blobsBelow } from "../../shared/storage/blobs-below.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { VerifiedMailbox } from "./verification-state.ts";
import { type VerifyScope, verifyWave } from "./verify.contract.ts";

/** What a wave of a verification did. The record of the first delivery counts for all. */
export const VerifyWaveRecord = z.object({
  at: z.iso.datetime(),
  result: verifyWave.output,
  mailboxes: z.array(VerifiedMailbox),
});
export type VerifyWaveRecord = z.output<typeof VerifyWaveRecord>;

const nameOf = (run: RunId, wave: number): string => `${run}/verified/w${String(wave).padStart(6, "0")}.json`;

/**
 * Where a verification keeps its waves: below its mailbox, if it has one. So two mailboxes' verifications never share
 * waves, even with the same run id.
 */
export const wavesOf = (work: Blobs, scope: VerifyScope): Blobs =>
  "mailbox" in scope ? blobsBelow(work, `${scope.mailbox}/`) : work;

/** Removes the record of a wave; true when there was one. */
export const removeVerifyWave = async (work: Blobs, run: RunId, wave: number): Promise<boolean> =>
  (await work.remove(nameOf(run, wave))) === "removed";

export const findVerifyWave = (work: Blobs, run: RunId, wave: number): Promise<VerifyWaveRecord | undefined> =>
  readJson(work, nameOf(run, wave), VerifyWaveRecord);

/** Keeps the record of a wave, unless there is one; returns the one that is kept. */
export const keepVerifyWave = (
  work: Blobs,
  run: RunId,
  wave: number,
  record: VerifyWaveRecord,
): Promise<VerifyWaveRecord> => createOnce(work, nameOf(run, wave), VerifyWaveRecord, record);

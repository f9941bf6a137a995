import type { HttpResponseInit } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { problemResponse } from "../../../shared/http/problem.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { askForTarget } from "./ask-for-target.ts";
import { passTarget } from "./pass-target.ts";

/** A restore that is about to start, and the mailbox that it wants. */
interface Wanted {
  readonly work: Blobs;
  readonly state: Blobs;
  readonly client: Pick<DurableClient, "getStatus" | "raiseEvent">;
  readonly mailboxKey: MailboxKey;
  readonly restoreId: RunId;
}

/** Takes the mailbox for a restore whose caller does not want to wait; 409 with the job that has it. */
export const takeOrRefuse = async (wanted: Wanted): Promise<HttpResponseInit | undefined> => {
  const { mailboxKey, restoreId } = wanted;
  const { waitsFor } = await askForTarget(wanted, mailboxKey, { restoreId, waits: false });
  if (waitsFor === undefined) return undefined;
  return problemResponse(
    409,
    "mailbox-busy",
    "Another restore has the mailbox to restore into: wait for its job, or leave whenBusy out to have this one wait.",
    { ...waitsFor, location: `/api/jobs/${waitsFor.job}` },
  );
};

/** Returns the response of a restore that does not start, once its mailbox is free for the next one. */
export const giveBack = async (wanted: Wanted, response: HttpResponseInit): Promise<HttpResponseInit> => {
  await passTarget(wanted);
  return response;
};

import type { DurableClient } from "durable-functions";
import * as z from "zod";
import { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { aliveInstances } from "../../shared/durable/alive-instances.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { jobKind } from "../jobs.ts";

/** The input of a job that works with one snapshot, as a restore does. */
const UsesSnapshot = z.looseObject({ mailbox: z.looseObject({ key: MailboxKey }), snapshotId: SnapshotId });

/** The input of a job that chooses snapshots of its mailboxes itself, as a personal-data export does. */
const UsesMailboxes = z.looseObject({ mailboxes: z.array(MailboxKey) });

/** Whether a snapshot of a mailbox is in use. */
export type SnapshotsInUse = (mailboxKey: MailboxKey, snapshotId: SnapshotId) => boolean;

/**
 * The snapshots of jobs that have not ended. While a list of restores is under way, every snapshot is in use: nothing
 * should be removed in the middle of a recovery.
 */
export const snapshotsInUse = async (
  client: Pick<DurableClient, "getStatus" | "getStatusBy">,
): Promise<SnapshotsInUse> => {
  // A job of a kind that this version does not know is taken to use what its input names.
  const alive = (await aliveInstances(client)).map(({ instanceId, name }) => ({
    instanceId,
    uses: jobKind(name)?.snapshotsInUse ?? "of-input",
  }));
  if (alive.some(({ uses }) => uses === "all")) return () => true;

  const used = new Set<string>();
  const whole = new Set<MailboxKey>();
  for (const { instanceId } of alive.filter(({ uses }) => uses === "of-input")) {
    const input = inputOf((await findInstance(client, instanceId, { showInput: true }))?.input);
    const [one, some] = [UsesSnapshot.safeParse(input), UsesMailboxes.safeParse(input)];
    if (one.success) used.add(`${one.data.mailbox.key} ${one.data.snapshotId}`);
    if (some.success) for (const key of some.data.mailboxes) whole.add(key);
  }
  return (mailboxKey, snapshotId) => whole.has(mailboxKey) || used.has(`${mailboxKey} ${snapshotId}`);
};

/** The extension returns an input as it was given, or as its JSON text. */
const inputOf = (input: unknown): unknown => {
  if (typeof input !== "string") return input;
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
};

import type { DurableClient } from "durable-functions";
import * as z from "zod";
import { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { aliveInstances } from "../../shared/durable/alive-instances.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { jobKind } from "../jobs.ts";

/** What the input of a job that works with a snapshot, as a restore does, says. */
const UsesSnapshot = z.looseObject({ mailbox: z.looseObject({ key: MailboxKey }), snapshotId: SnapshotId });

/** What the input of a job says that chooses a snapshot of its mailboxes by itself, as a personal-data export does. */
const UsesMailboxes = z.looseObject({ mailboxes: z.array(MailboxKey) });

/** Whether a snapshot of a mailbox is in use. */
export type SnapshotsInUse = (mailboxKey: MailboxKey, snapshotId: SnapshotId) => boolean;

/**
 * Which snapshots jobs were started with that have not ended. While a list of restores is under way, all are: in the
 * middle of a recovery nothing should go.
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

/** The extension gives an input as it was started with, or as the JSON of that. */
const inputOf = (input: unknown): unknown => {
  if (typeof input !== "string") return input;
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
};

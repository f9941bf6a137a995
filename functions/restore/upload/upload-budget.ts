import * as z from "zod";
import type { MailboxKey } from "../../../shared/contracts/ids.ts";
import { Spending } from "../../../shared/contracts/lane.ts";
import { type SendBudget, sendBudget } from "../../../shared/graph/send-budget.ts";
import { type Blobs, readJson, updateJson } from "../../../shared/storage/blobs.ts";

/** What restores have sent to a mailbox, as far as Exchange's limits still count it. */
const Sent = z.object({ spent: z.array(Spending) });

const sentName = (key: MailboxKey): string => `uploads/${key}.json`;

/**
 * The budget of a wave: what it sends to a mailbox counts together with what this restore and others have sent before.
 * `earlier` is what the restore itself knows of, also when storage could not keep it.
 */
export const openUploadBudget = async (
  work: Blobs,
  key: MailboxKey,
  earlier: readonly Spending[],
): Promise<SendBudget> => {
  const kept = (await readJson(work, sentName(key), Sent))?.spent ?? [];
  return sendBudget(union(kept, earlier));
};

/** Keeps what a wave has sent for the next restore into the mailbox. */
export const keepUploadBudget = async (work: Blobs, key: MailboxKey, { spent }: SendBudget): Promise<void> => {
  await updateJson(work, sentName(key), Sent, (current) => ({ spent: union(current?.spent ?? [], spent) }));
};

/** Steps that both know of count once: one may have seen more of a step than the other. */
const union = (a: readonly Spending[], b: readonly Spending[]): Spending[] => {
  const steps = new Map<number, Spending>();
  for (const { at, bytes, requests } of [...a, ...b]) {
    const known = steps.get(at);
    steps.set(at, {
      at,
      bytes: Math.max(bytes, known?.bytes ?? 0),
      requests: Math.max(requests, known?.requests ?? 0),
    });
  }
  return [...steps.values()].toSorted((one, other) => one.at - other.at);
};

import { describe, expect, test } from "vitest";
import { takeMailbox } from "../../../functions/backup/backup.contract.ts";
import { addMailboxes } from "../../../functions/backup/discover/mailbox-queue.ts";
import { takeMailboxActivity } from "../../../functions/backup/take-mailbox.activity.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aRun, deliver } from "../kit.ts";

const someMailboxes = (from: number, count: number): MailboxRef[] =>
  Array.from({ length: count }, (_, i) => {
    const id = `mailbox ${from + i}`;
    return { key: mailboxKey(id), id, kind: "primary", userId: `user ${from + i}` };
  });

const aQueue = async (...pages: number[]) => {
  const work = memoryBlobs();
  let start = 0;
  for (const [page, count] of pages.entries()) {
    await addMailboxes(work, aRun, { page, start }, someMailboxes(start, count));
    start += count;
  }
  const handler = takeMailboxActivity({ work });
  const take = async (place: number, turn: number) =>
    (await deliver(handler, takeMailbox, { tenantRun: aRun, place, turn })).mailbox?.id;
  return { take };
};

describe("take-mailbox", () => {
  test("returns every mailbox once, over all pages, and then none", async () => {
    const { take } = await aQueue(2, 0, 1);

    expect([await take(0, 0), await take(1, 0), await take(0, 1), await take(1, 1)]).toEqual([
      "mailbox 0",
      "mailbox 1",
      "mailbox 2",
      undefined,
    ]);
  });

  test("returns the same mailbox for a turn that is delivered again", async () => {
    const { take } = await aQueue(3);

    expect([await take(0, 0), await take(1, 0), await take(0, 0), await take(0, 1)]).toEqual([
      "mailbox 0",
      "mailbox 1",
      "mailbox 0",
      "mailbox 2",
    ]);
  });

  test("returns different mailboxes to places that ask at the same time", async () => {
    const { take } = await aQueue(8);

    const taken = await Promise.all(Array.from({ length: 8 }, (_, place) => take(place, 0)));

    expect(new Set(taken).size).toBe(8);
  });
});

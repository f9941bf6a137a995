import { describe, expect, test } from "vitest";
import { addMailboxes, takeMailbox } from "../../../../functions/backup/discover/mailbox-queue.ts";
import type { MailboxRef } from "../../../../shared/contracts/mailbox.ts";
import { azureBlobs } from "../../../../shared/storage/azure-blobs.ts";
import type { Blobs } from "../../../../shared/storage/blobs.ts";
import { mailboxKey } from "../../../../shared/vault/mailbox-key.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { useAzurite } from "../../../support/azurite.ts";

const { freshContainer } = useAzurite();
const RUN = "20261122T010000Z-abc234";

const aMailbox = (n: number): MailboxRef => ({
  key: mailboxKey(`MBX:${n}`),
  id: `MBX:${n}`,
  kind: "primary",
  userId: `user-${n}`,
});
const mailboxes = (from: number, to: number): MailboxRef[] =>
  Array.from({ length: to - from }, (_, index) => aMailbox(from + index));

/** A queue of pages of these sizes. */
const queueOf = async (work: Blobs, ...sizes: readonly number[]): Promise<number> => {
  let start = 0;
  for (const [page, size] of sizes.entries())
    start += (await addMailboxes(work, RUN, { page, start }, mailboxes(start, start + size))).length;
  return start;
};

/** What one consumer takes until nothing is left. */
const takeAll = async (work: Blobs, consumer: number): Promise<string[]> => {
  const taken: string[] = [];
  for (let turn = 0; ; turn += 1) {
    const mailbox = await takeMailbox(work, RUN, consumer, turn);
    if (mailbox === undefined) return taken;
    taken.push(mailbox.id);
  }
};

describe("the queue of mailboxes", () => {
  test.each([
    ["one page", [3]],
    ["several pages", [2, 1, 3]],
    ["an empty page first", [0, 2]],
    ["empty pages between", [2, 0, 0, 1, 0]],
    ["nothing", [0]],
  ])("with %s returns each mailbox once, in order", async (_, sizes) => {
    const work = memoryBlobs();
    const count = await queueOf(work, ...sizes);

    expect(await takeAll(work, 0)).toEqual(mailboxes(0, count).map(({ id }) => id));
  });

  test("keeps the page that was added first, also when a second delivery found other mailboxes", async () => {
    const work = memoryBlobs();
    await addMailboxes(work, RUN, { page: 0, start: 0 }, mailboxes(0, 2));

    expect(await addMailboxes(work, RUN, { page: 0, start: 0 }, mailboxes(7, 10))).toEqual(mailboxes(0, 2));
    expect(await addMailboxes(work, RUN, { page: 0, start: 0 }, [])).toEqual(mailboxes(0, 2));
    expect(await takeAll(work, 0)).toEqual(["MBX:0", "MBX:1"]);
  });

  test("returns the same mailbox for a turn that is asked for again", async () => {
    const work = memoryBlobs();
    await queueOf(work, 3);

    expect((await takeMailbox(work, RUN, 0, 0))?.id).toBe("MBX:0");
    expect((await takeMailbox(work, RUN, 1, 0))?.id).toBe("MBX:1");
    expect((await takeMailbox(work, RUN, 0, 0))?.id).toBe("MBX:0");
    expect((await takeMailbox(work, RUN, 0, 1))?.id).toBe("MBX:2");
    expect(await takeMailbox(work, RUN, 1, 1)).toBeUndefined();
    expect(await takeMailbox(work, RUN, 1, 1)).toBeUndefined();
  });

  test("returns different mailboxes to consumers that ask at the same time", async () => {
    const work = azureBlobs(await freshContainer());
    await queueOf(work, 6, 12);
    const consumers = Array.from({ length: 8 }, (_, consumer) => consumer);

    const taken: (string | undefined)[] = [];
    for (const turn of [0, 1, 2]) {
      const round = await Promise.all(consumers.map((consumer) => takeMailbox(work, RUN, consumer, turn)));
      taken.push(...round.map((mailbox) => mailbox?.id));
    }

    expect(taken.filter((id) => id !== undefined).toSorted()).toEqual(
      mailboxes(0, 18)
        .map(({ id }) => id)
        .toSorted(),
    );
  });
});

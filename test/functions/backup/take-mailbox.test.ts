import { describe, expect, test } from "vitest";
import { findBackupPlaces, takeMailbox } from "../../../functions/backup/backup-in-turn.contract.ts";
import { addMailboxes } from "../../../functions/backup/discover/mailbox-queue.ts";
import { findBackupPlacesActivity } from "../../../functions/backup/find-backup-places.activity.ts";
import { takeMailboxActivity } from "../../../functions/backup/take-mailbox.activity.ts";
import { findWish, makeWish } from "../../../functions/jobs/wishes.ts";
import { backupInstance } from "../../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { claimingStarts } from "../../../shared/durable/claimed-starts.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aFakeHub } from "../fake-hub.ts";
import { aRun, deliver } from "../kit.ts";

const someMailboxes = (from: number, count: number): MailboxRef[] =>
  Array.from({ length: count }, (_, i) => {
    const id = `mailbox ${from + i}`;
    return { key: mailboxKey(id), id, kind: "primary", userId: `user ${from + i}` };
  });

const NONE = { complete: 0, partial: 0, failed: 0, failures: [], items: 0, bytes: 0 };

const aQueue = async (...pages: number[]) => {
  const work = memoryBlobs();
  let start = 0;
  for (const [page, count] of pages.entries()) {
    await addMailboxes(work, aRun, { page, start }, someMailboxes(start, count));
    start += count;
  }
  const state = memoryBlobs();
  const hub = aFakeHub();
  const handler = takeMailboxActivity({ ...hub, work, state });
  const takes = (place: number, turn: number) =>
    deliver(handler, takeMailbox, { tenantRun: aRun, place, turn, outcomes: { ...NONE, complete: turn } });
  const take = async (place: number, turn: number) => (await takes(place, turn)).mailbox?.id;
  const places = async (count: number) =>
    (await deliver(findBackupPlacesActivity({ work }), findBackupPlaces, { tenantRun: aRun, places: count })).turns;
  return { take, takes, places, state, hub };
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

  test("leaves a mailbox to a backup of it that is alive, or that somebody is starting", async () => {
    const { takes, hub, state } = await aQueue(3);
    const [one, two] = someMailboxes(0, 3).map(({ key }) => backupInstance(key));
    await hub.clientOf({} as never).startNew("backup-mailbox", { instanceId: one ?? "" });
    const starting = claimingStarts(
      { ...hub.clientOf({} as never), startNew: () => new Promise(() => undefined) } as never,
      state,
    );
    void starting.startNew("backup-mailbox", { instanceId: two ?? "" });

    expect(await takes(0, 0)).toEqual({ busy: true });
    expect(await takes(0, 1)).toEqual({ busy: true });
    expect(await takes(0, 2)).toMatchObject({ mailbox: { id: "mailbox 2" } });
  });

  test("keeps what a place has come to, for when it is lost and filled again", async () => {
    const { take, places } = await aQueue(5);
    for (const turn of [0, 1, 2, 0]) await take(0, turn);

    expect(await places(2)).toMatchObject([
      { turn: 2, outcomes: { complete: 2 } },
      { turn: 0, outcomes: NONE },
    ]);
    expect(await take(0, 2)).toBe("mailbox 2");
    expect(await take(1, 0)).toBe("mailbox 3");
  });

  test("waits for the backup that the same turn had begun", async () => {
    const { takes, hub } = await aQueue(1);
    const { mailbox } = await takes(0, 0);
    await hub.clientOf({} as never).startNew("backup-mailbox", { instanceId: backupInstance(mailbox?.key ?? "") });

    expect(await takes(0, 0)).toEqual({ own: true });
  });

  test("forgets what an earlier backup of the mailbox was told", async () => {
    const { take, state } = await aQueue(1);
    const job = backupInstance(someMailboxes(0, 1)[0]?.key ?? "");
    await makeWish(state, job, "cancel", new Date());
    await take(0, 0);

    expect(await findWish(state, job)).toBeUndefined();
  });

  test("returns different mailboxes to places that ask at the same time", async () => {
    const { take } = await aQueue(8);

    const taken = await Promise.all(Array.from({ length: 8 }, (_, place) => take(place, 0)));

    expect(new Set(taken).size).toBe(8);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SlotRequest, takeSlots } from "../../../functions/slots/mailbox-slots.ts";
import { azureBlobs } from "../../../shared/storage/azure-blobs.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { useAzurite } from "../../support/azurite.ts";

const { freshContainer } = useAzurite();

const SLOTS = 4;
const HOLD_MS = 60_000;

let askings = 0;
const asks = (user: SlotRequest["user"], wanted: number, overrides: Partial<SlotRequest> = {}): SlotRequest => {
  askings += 1;
  return { holder: user, user, asking: `asking ${askings}`, wanted, holdMs: HOLD_MS, ...overrides };
};

/** A mailbox's slots, on a clock of storage that moves only when a test moves it, or on the real one. */
const aMailbox = (real?: Blobs) => {
  let now = 0;
  const work = real ?? memoryBlobs(() => now);
  const grant = (request: SlotRequest, nowMs = now) => {
    now = nowMs;
    return takeSlots(work, aKey, request);
  };
  return { grant, take: async (request: SlotRequest, nowMs = now) => (await grant(request, nowMs)).granted };
};

/** How long one that waits keeps its place without asking again. */
const KEEPS_PLACE_MS = 90_000;

describe("taking slots", () => {
  test.each(["backup", "restore"] as const)(
    "grants a %s that is alone as many as it wants, up to four",
    async (user) => {
      const { take } = aMailbox();

      expect(await take(asks(user, 1))).toBe(1);
      expect(await take(asks(user, 9))).toBe(4);
      expect(await take(asks(user, 3))).toBe(3);
    },
  );

  test("grants a restore its share when the backup that holds all slots asks next", async () => {
    const { take } = aMailbox();
    await take(asks("backup", 4));

    expect(await take(asks("restore", 4))).toBe(0);
    expect(await take(asks("backup", 4))).toBe(1);
    expect(await take(asks("restore", 4))).toBe(3);
    expect(await take(asks("backup", 4))).toBe(1);
  });

  test("leaves one to a waiting backup when the restore asks next", async () => {
    const { take } = aMailbox();
    await take(asks("restore", 4));

    expect(await take(asks("backup", 4))).toBe(0);
    expect(await take(asks("restore", 4))).toBe(3);
    expect(await take(asks("backup", 4))).toBe(1);
  });

  test("grants all to one holder when the other has released its slots", async () => {
    const { take } = aMailbox();
    const first = asks("restore", 3);
    await take(first);
    await take(asks("backup", 4));

    expect(await take(asks("restore", 0, { asking: first.asking }))).toBe(0);
    expect(await take(asks("backup", 4))).toBe(4);
  });

  test("leaves a share to each of two restores, and to three", async () => {
    const { take } = aMailbox();
    const ask = (holder: string) => take(asks("restore", 4, { holder }));
    expect(await ask("first")).toBe(4);
    expect(await ask("second")).toBe(0);

    expect(await ask("first")).toBe(1);
    expect(await ask("second")).toBe(3);
    expect(await ask("third")).toBe(0);
    expect(await ask("first")).toBe(1);
    expect(await ask("second")).toBe(1);
    expect(await ask("third")).toBe(2);
  });

  test("serves a small restore first, then restores by priority, then backups", async () => {
    const users = ["small-restore", "high-restore", "restore", "low-restore", "backup"] as const;
    for (const [rank, before] of users.entries())
      for (const after of users.slice(rank + 1)) {
        const { take } = aMailbox();
        await take(asks(after, 4));
        expect(await take(asks(before, 4))).toBe(0);
        expect(await take(asks(after, 4))).toBe(1);
        expect(await take(asks(before, 4))).toBe(3);
      }
  });

  test("gives what one does not want to the next", async () => {
    const { take } = aMailbox();
    await take(asks("small-restore", 1));

    expect(await take(asks("backup", 4))).toBe(3);
  });

  test("serves one that has waited for longer than a wave, whoever is before it", async () => {
    const { take } = aMailbox();
    const restores = ["1", "2", "3", "4"];
    const ask = (holder: string, nowMs: number) => take(asks("restore", 4, { holder }), nowMs);
    for (const holder of restores) await ask(holder, 0);
    for (const holder of restores) await ask(holder, 1);
    for (const holder of restores) expect(await ask(holder, 2)).toBe(1);

    expect(await take(asks("backup", 4), 3)).toBe(0);
    for (let now = 30_000; now <= 120_000; now += 30_000) {
      for (const holder of restores) expect(await ask(holder, now)).toBe(1);
      expect(await take(asks("backup", 4), now)).toBe(0);
    }
    const later = [];
    for (const holder of restores) later.push(await ask(holder, 150_000));
    expect(later.toSorted()).toEqual([0, 1, 1, 1]);
    expect(await take(asks("backup", 4), 150_001)).toBe(1);
  });

  test("wakes those that wait as soon as something is free, and nobody else", async () => {
    const { grant } = aMailbox();
    const held = asks("backup", 4, { job: "the backup" });
    expect(await grant(held)).toEqual({ granted: 4, toWake: [] });
    expect(await grant(asks("restore", 4, { job: "the restore" }))).toEqual({ granted: 0, toWake: [] });

    expect(await grant(asks("backup", 4, { job: "the backup" }))).toEqual({ granted: 1, toWake: ["the restore"] });
    expect(await grant(asks("restore", 4, { job: "the restore" }))).toEqual({ granted: 3, toWake: [] });
  });

  test("counts a holder that died until its hold expires, and no longer", async () => {
    const { take } = aMailbox();
    await take(asks("backup", 4));

    expect(await take(asks("restore", 4), HOLD_MS - 1)).toBe(0);
    expect(await take(asks("restore", 4), HOLD_MS)).toBe(4);
  });

  test("forgets a holder that died while it waited", async () => {
    const { take } = aMailbox();
    await take(asks("backup", 4, { holdMs: 2 * KEEPS_PLACE_MS }));
    await take(asks("restore", 4));

    expect(await take(asks("backup", 4), KEEPS_PLACE_MS)).toBe(4);
  });

  test("keeps mailboxes apart", async () => {
    const work = memoryBlobs();
    await takeSlots(work, aKey, asks("backup", 4));

    expect(await takeSlots(work, mailboxKey("MBX:another"), asks("restore", 4))).toMatchObject({ granted: 4 });
  });

  test("releases no slots of others, and none twice", async () => {
    const { take } = aMailbox();
    await take(asks("backup", 4));

    expect(await take(asks("restore", 0))).toBe(0);
    expect(await take(asks("restore", 0))).toBe(0);
    expect(await take(asks("restore", 4))).toBe(0);
  });
});

describe("a request that is delivered again", () => {
  test("takes nothing from what its holder has asked since, whether it asked or gave back", async () => {
    const { take } = aMailbox();
    const [first, second] = [asks("backup", 4, { askedAt: 1 }), asks("backup", 4, { askedAt: 2 })];
    await take(first);
    await take(second);

    await take({ ...first, wanted: 0 });
    await take(first);
    expect(await take(asks("restore", 4))).toBe(0);
    expect(await take(second)).toBe(4);
  });

  test("keeps its grant though another waits by now: its lanes are at work", async () => {
    const { take } = aMailbox();
    const asking = asks("backup", 4);
    await take(asking);
    await take(asks("restore", 4));

    expect(await take(asking)).toBe(4);
    expect(await take(asks("restore", 4))).toBe(0);
  });

  test("holds for its whole time from then on", async () => {
    const { take } = aMailbox();
    const asking = asks("backup", 4);
    await take(asking);
    await take(asking, HOLD_MS - 1);

    expect(await take(asks("restore", 4), HOLD_MS)).toBe(0);
  });

  test("is asked anew once its hold has ended", async () => {
    const { take } = aMailbox();
    const asking = asks("backup", 4);
    await take(asking);
    await take(asks("restore", 4), HOLD_MS);

    expect(await take(asking, HOLD_MS)).toBe(0);
  });
});

/** At most two backups and three restores: more than one of a kind, as after a killed run. */
const HOLDERS = ["backup 1", "backup 2", "restore 1", "restore 2", "restore 3"] as const;
const userOf = (holder: string): SlotRequest["user"] => (holder.startsWith("backup") ? "backup" : "restore");
const aHolder = fc.constantFrom(...HOLDERS);

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ act: fc.constant("ask"), holder: aHolder, wanted: fc.integer({ min: 1, max: 6 }) }),
    },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("give back"), holder: aHolder, wanted: fc.constant(0) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("deliver again"), holder: aHolder }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("wait"), ms: fc.integer({ min: 1, max: HOLD_MS }) }) },
  ),
  { maxLength: 60 },
);

describe("when holders come, go, die and are delivered again", () => {
  test("all live ones together never hold more than four, and one that is alone gets as many as it wants", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const { take } = aMailbox();
        const believed = new Map<string, { request: SlotRequest; granted: number; until: number }>();
        let nowMs = 0;
        const alive = () => [...believed.values()].filter(({ until }) => until > nowMs);

        for (const step of history) {
          if ("ms" in step) {
            nowMs += step.ms;
            continue;
          }
          const again = believed.get(step.holder);
          const { holder } = step;
          const anew = (wanted: number) => asks(userOf(holder), wanted, { holder });
          const back = again === undefined ? undefined : { ...again.request, wanted: 0 };
          const request = !("wanted" in step) ? again?.request : step.wanted === 0 ? back : anew(step.wanted);
          if (request === undefined) continue;
          const rivals = alive().filter((other) => other.request.holder !== request.holder);
          const isAgain = !("wanted" in step) && again !== undefined && again.until > nowMs && again.granted > 0;

          const granted = await take(request, nowMs);

          if (isAgain) expect(granted).toBe(again.granted);
          else if (rivals.length === 0) expect(granted).toBe(Math.min(SLOTS, request.wanted));
          if (request.wanted === 0) believed.delete(request.holder);
          else
            believed.set(request.holder, {
              request,
              granted,
              until: nowMs + (granted === 0 ? KEEPS_PLACE_MS : HOLD_MS),
            });
          expect(alive().reduce((sum, holder) => sum + holder.granted, 0)).toBeLessThanOrEqual(SLOTS);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a backup and a restore that both ask again and again end with one and three", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aHolder, { maxLength: 20 }), async (order) => {
        const { take } = aMailbox();
        const ask = (user: SlotRequest["user"]) => take(asks(user, SLOTS));
        for (const holder of order) await ask(userOf(holder));
        for (const user of ["backup", "restore", "backup", "restore"] as const) await ask(user);

        expect(await ask("backup")).toBe(1);
        expect(await ask("restore")).toBe(3);
      }),
    );
  });
});

describe("on Blob Storage", () => {
  test("holders that ask at the same time get no more than four together", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { take } = aMailbox(azureBlobs(await freshContainer()));
      const granted = await Promise.all(HOLDERS.map((holder) => take(asks(userOf(holder), SLOTS, { holder }))));

      expect(granted.reduce((sum, slots) => sum + slots, 0)).toBe(SLOTS);
    }
  });

  test("a backup and a restore at work, each in its own time, never exceed four", async () => {
    const { take } = aMailbox(azureBlobs(await freshContainer()));
    const held = new Map<string, number>();
    let most = 0;
    const work = async (user: SlotRequest["user"]) => {
      let last = asks(user, SLOTS);
      for (let wave = 0; wave < 15; wave += 1) {
        last = asks(user, SLOTS);
        // Until the answer has come, the job runs nothing: its lanes have ended.
        held.delete(user);
        held.set(user, await take(last));
        most = Math.max(
          most,
          [...held.values()].reduce((sum, slots) => sum + slots, 0),
        );
      }
      held.delete(user);
      await take({ ...last, wanted: 0 });
    };

    await Promise.all([work("backup"), work("restore")]);

    expect(most).toBe(SLOTS);
    expect(await take(asks("backup", SLOTS))).toBe(SLOTS);
  });
});

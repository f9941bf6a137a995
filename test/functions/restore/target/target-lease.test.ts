import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  endTarget,
  type JobLife,
  keepTarget,
  leaveTarget,
  takeTarget,
  tidyTargets,
} from "../../../../functions/restore/target/target-lease.ts";
import type { Blobs } from "../../../../shared/storage/blobs.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aKey } from "../../../shared/vault/samples.ts";

const MINUTE = 60_000;
const idOf = (n: number): string => `20261122T09300${n}Z-xyz567`;
const [A, B, C] = [idOf(0), idOf(1), idOf(2)];

/** A mailbox that nobody has, restores whose jobs are alive unless a test ends them, and a clock. */
const aTarget = () => {
  let now = 1_000_000;
  const work = memoryBlobs(() => now);
  const lives = new Map<string, JobLife>();
  const lifeOf = async (restoreId: string): Promise<JobLife> => lives.get(restoreId) ?? "alive";
  const take = (restoreId: string, waits = true) => takeTarget(work, aKey, { restoreId, waits }, lifeOf);
  const takeAgain = (restoreId: string) => takeTarget(work, aKey, { restoreId, waits: true, planned: true }, lifeOf);
  const keep = (restoreId: string, delivery: string, ms = 2 * MINUTE) =>
    keepTarget(work, aKey, { restoreId, delivery }, ms);
  const leave = (restoreId: string, delivery: string) => leaveTarget(work, aKey, { restoreId, delivery });
  const end = (restoreId: string) => endTarget(work, aKey, restoreId);
  const pass = (ms: number): void => {
    now += ms;
  };
  const tidy = (blobs: Blobs = work) => tidyTargets(blobs, lifeOf);
  return { work, lives, take, takeAgain, keep, leave, end, pass, tidy };
};

describe("tidying the leases of mailboxes", () => {
  test("removes that of a restore whose history is purged, or whose job never began", async () => {
    for (const isReported of [true, false]) {
      const { take, end, lives, pass, tidy, work } = aTarget();
      await take(A);
      if (isReported) await end(A);
      lives.set(A, "unknown");
      pass(3 * MINUTE);

      expect([await tidy(), work.blobs.size]).toEqual([1, 0]);
    }
  });

  test("leaves that of a restore that has ended, for as long as it can be resumed", async () => {
    const { take, takeAgain, end, lives, pass, tidy } = aTarget();
    await take(A);
    await end(A);
    lives.set(A, "ended");
    pass(3 * MINUTE);

    expect(await tidy()).toBe(0);
    expect(await takeAgain(A)).toBe(true);
  });

  test("leaves one that is held, at work or waited for, and one of a restore that is about to begin", async () => {
    const held = aTarget();
    await held.take(A);
    expect(await held.tidy()).toBe(0);

    const atWork = aTarget();
    await atWork.take(A);
    await atWork.keep(A, "a wave");
    await atWork.end(A);
    expect(await atWork.tidy()).toBe(0);

    const awaited = aTarget();
    await awaited.take(A);
    await awaited.take(B);
    await awaited.end(A);
    expect(await awaited.tidy()).toBe(0);

    const starting = aTarget();
    await starting.take(A);
    starting.lives.set(A, "unknown");
    expect(await starting.tidy()).toBe(0);
  });

  test("leaves one that a restore takes at that moment", async () => {
    const { take, end, lives, pass, tidy, work } = aTarget();
    await take(A);
    await end(A);
    lives.set(A, "unknown");
    pass(3 * MINUTE);
    const overtaken: Blobs = {
      ...work,
      remove: async (...args) => {
        await take(B);
        return work.remove(...args);
      },
    };

    expect(await tidy(overtaken)).toBe(0);
    expect(await take(C)).toEqual({ first: B, ahead: 1 });
  });
});

describe("the lease of a mailbox to restore into", () => {
  test("is one restore's, and the others learn whose, and how many come before them", async () => {
    const { take } = aTarget();

    expect(await take(A)).toBe(true);
    expect(await take(B)).toEqual({ first: A, ahead: 1 });
    expect(await take(C)).toEqual({ first: A, ahead: 2 });
    expect(await take(A)).toBe(true);
  });

  test("is given to one of many that ask at the same time", async () => {
    const { take } = aTarget();

    const answers = await Promise.all([A, B, C].map((restoreId) => take(restoreId)));

    expect(answers.filter((answer) => answer === true)).toHaveLength(1);
  });

  test("passes in the order of asking once the report is written, not to the first that comes by", async () => {
    const { take, end } = aTarget();
    for (const restoreId of [A, B, C]) await take(restoreId);
    await end(A);

    expect(await take(C)).toEqual({ first: B, ahead: 1 });
    expect(await take(B)).toBe(true);
    await end(B);
    expect(await take(C)).toBe(true);
  });

  test("stays with a restore that is paused, or waits for Exchange, however long that lasts", async () => {
    const { take, pass } = aTarget();
    await take(A);
    pass(5 * 24 * 60 * MINUTE);

    expect(await take(B)).toMatchObject({ first: A });
    expect(await take(A)).toBe(true);
  });

  test.each(["ended", "cancelled"])(
    "stays with a restore that has %s until its last activity has ended",
    async (how) => {
      const { take, keep, leave, end, lives } = aTarget();
      await take(A);
      await keep(A, "a wave");
      await keep(A, "its second delivery");
      if (how === "ended") await end(A);
      else lives.set(A, "ended");

      expect(await take(B)).toMatchObject({ first: A });
      await leave(A, "a wave");
      expect(await take(B)).toMatchObject({ first: A });
      await leave(A, "its second delivery");
      expect(await take(B)).toBe(true);
    },
  );

  test("passes on once a killed activity has not renewed it", async () => {
    const { take, keep, lives, pass } = aTarget();
    await take(A);
    await keep(A, "a wave", 2 * MINUTE);
    lives.set(A, "ended");
    await take(B);
    pass(MINUTE);
    expect(await take(B)).toMatchObject({ first: A });
    pass(MINUTE);

    expect(await take(B)).toBe(true);
    expect(await keep(A, "a wave")).toBe(false);
  });

  test("waits for a job that has not begun, but not for one that never will", async () => {
    const { take, lives, pass } = aTarget();
    lives.set(A, "unknown");
    await take(A);

    pass(MINUTE);
    expect(await take(B)).toMatchObject({ first: A });
    pass(MINUTE + 1);
    expect(await take(B)).toBe(true);
  });

  test("passes over a restore that waits and was paused or cancelled", async () => {
    const { take, end, lives, pass } = aTarget();
    for (const restoreId of [A, B, C]) await take(restoreId);
    lives.set(B, "ended");
    expect(await take(C)).toEqual({ first: A, ahead: 1 });

    lives.delete(B);
    await take(B);
    pass(MINUTE);
    await take(C);
    await end(A);
    pass(MINUTE);
    await take(C);
    expect(await take(C)).toBe(true);
  });

  test("is the restore's again that goes on after its end, while a late delivery of its own is at work", async () => {
    const { take, keep, end } = aTarget();
    await take(A);
    await keep(A, "a late delivery");
    await end(A);

    expect(await take(A)).toBe(true);
    expect(await keep(A, "another wave")).toBe(true);
  });

  test("goes back to a restore that was planned, unless another has had it since", async () => {
    const { take, takeAgain, end } = aTarget();
    await take(A);
    await end(A);
    expect(await takeAgain(A)).toBe(true);
    expect(await take(B)).toEqual({ first: A, ahead: 1 });
    await end(A);
    expect(await takeAgain(A)).toEqual({ first: B, ahead: 1 });
    expect(await take(B)).toBe(true);

    expect(await takeAgain(A)).toBe("passed-on");
    await end(B);
    expect(await takeAgain(A)).toBe("passed-on");
    expect(await take(C)).toBe(true);
  });

  test("goes to no restore that was planned when it is not known who had it since", async () => {
    expect(await aTarget().takeAgain(A)).toBe("passed-on");
  });

  test("keeps no turn for one that does not want to wait", async () => {
    const { take, end } = aTarget();
    await take(A);
    expect(await take(B, false)).toEqual({ first: A, ahead: 1 });
    await end(A);

    expect(await take(C)).toBe(true);
  });

  test("is nobody's to work under but its holder's, and not after that has ended", async () => {
    const { take, keep, end } = aTarget();
    expect(await keep(A, "a wave")).toBe(false);
    await take(A);
    expect(await keep(B, "a wave")).toBe(false);
    expect(await keep(A, "a wave")).toBe(true);
    await end(A);

    expect(await keep(A, "a late delivery")).toBe(false);
  });

  test("whatever happens to jobs, activities and clocks, no two restores are at work at the same time", async () => {
    const restore = fc.constantFrom(A, B, C);
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("take", "end", "cancel", "begin", "leave"), restore }),
      fc.record({ kind: fc.constant("pass"), restore, ms: fc.integer({ min: 1, max: 4 * MINUTE }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { take, keep, leave, end, lives, pass } = aTarget();
        /** Restores at work, each until when its own clock lets it. */
        const atWork = new Map<string, number>();
        let clock = 0;
        for (const each of steps) {
          const { kind, restore: id } = each;
          if ("ms" in each) {
            pass(each.ms);
            clock += each.ms;
          }
          if (kind === "take") await take(id);
          if (kind === "end") await end(id);
          if (kind === "cancel") lives.set(id, "ended");
          if (kind === "begin" && (await keep(id, "work"))) atWork.set(id, clock + 2 * MINUTE);
          if (kind === "leave") {
            await leave(id, "work");
            atWork.delete(id);
          }
          expect([...atWork.values()].filter((until) => until > clock).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});

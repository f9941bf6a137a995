import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allOf, mapBounded } from "../../shared/bounded.ts";

describe("mapBounded", () => {
  test("keeps the order, and never makes more calls at a time than its width", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), async (waits, width) => {
        let running = 0;
        let peak = 0;
        const results = await mapBounded(waits, width, async (turns) => {
          running += 1;
          peak = Math.max(peak, running);
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          running -= 1;
          return turns * 2;
        });

        expect(results).toEqual(waits.map((turns) => turns * 2));
        expect(peak).toBeLessThanOrEqual(width);
      }),
    );
  });

  test("uses its whole width", async () => {
    let running = 0;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const all = mapBounded([1, 2, 3, 4], 3, async () => {
      running += 1;
      await gate;
    });
    await setImmediate();
    expect(running).toBe(3);
    release();
    await all;
  });

  test("rejects with the first failure, and starts no more", async () => {
    const started: number[] = [];
    const work = mapBounded([0, 1, 2, 3, 4, 5], 2, async (value) => {
      started.push(value);
      await setImmediate();
      if (value === 1) throw new Error("one failed");
    });

    await expect(work).rejects.toThrow("one failed");
    await setImmediate();
    expect(started.length).toBeLessThanOrEqual(3);
  });
});

describe("allOf", () => {
  test("returns all results in order", async () => {
    expect(await allOf([Promise.resolve(1), Promise.resolve("two")])).toEqual([1, "two"]);
  });

  test("fails with the first failure, but not before the others have ended", async () => {
    let ended = false;
    const slow = (async () => {
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      ended = true;
    })();

    await expect(allOf([slow, Promise.reject(new Error("one")), Promise.reject(new Error("two"))])).rejects.toThrow(
      "one",
    );
    expect(ended).toBe(true);
  });
});

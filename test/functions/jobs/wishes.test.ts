import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Wish } from "../../../functions/jobs/wish.contract.ts";
import { findWish, forgetWish, makeWish, wishOf } from "../../../functions/jobs/wishes.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";

const WISHES: readonly Wish[] = ["go-on", "pause", "cancel"];
const at = (seconds: number): Date => new Date(Date.parse("2026-11-22T01:00:00Z") + seconds * 1000);

describe("what a job is told", () => {
  test("is to go on, before anybody said anything", async () => {
    const state = memoryBlobs();

    expect(await findWish(state, "restore-1")).toBeUndefined();
    expect(await wishOf(state, ["restore-1", "restores-1"])).toBe("go-on");
  });

  test("is what was written last, but a cancelled job stays cancelled", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...WISHES), { minLength: 1, maxLength: 8 }), async (wishes) => {
        const state = memoryBlobs();
        for (const [n, wish] of wishes.entries()) await makeWish(state, "restore-1", wish, at(n));

        const expected = wishes.includes("cancel") ? "cancel" : wishes.at(-1);
        expect(await wishOf(state, ["restore-1"])).toBe(expected);
        expect(await wishOf(state, ["restore-2"])).toBe("go-on");
      }),
    );
  });

  test("is the same for all who write at the same time", async () => {
    const state = memoryBlobs();
    const told = await Promise.all(WISHES.map((wish, n) => makeWish(state, "restore-1", wish, at(n))));

    expect(await wishOf(state, ["restore-1"])).toBe("cancel");
    expect(told.map(({ wish }) => wish)).toContain("cancel");
  });

  test("goes by the newest wish of the job and the whole that it is a part of, unless one is cancelled", async () => {
    const wish = fc.record({ of: fc.constantFrom("part", "whole"), wish: fc.constantFrom(...WISHES) });
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { minLength: 1, maxLength: 8 }), async (wishes) => {
        const state = memoryBlobs();
        for (const [n, { of, wish }] of wishes.entries()) await makeWish(state, of, wish, at(n));

        const isCancelled = wishes.some(({ wish }) => wish === "cancel");
        expect(await wishOf(state, ["part", "whole"])).toBe(isCancelled ? "cancel" : wishes.at(-1)?.wish);
      }),
    );
  });

  test("is forgotten when the job begins anew", async () => {
    const state = memoryBlobs();
    await makeWish(state, "restore-1", "cancel", at(0));
    await forgetWish(state, "restore-1");
    await forgetWish(state, "restore-1");

    expect(await wishOf(state, ["restore-1"])).toBe("go-on");
  });
});

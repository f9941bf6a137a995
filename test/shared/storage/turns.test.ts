import { describe, expect, test } from "vitest";
import { takeTurn } from "../../../shared/storage/turns.ts";
import { memoryBlobs } from "./memory-blobs.ts";

describe("takeTurn", () => {
  test("gives each turn of each taker the next position, and the same one when it is asked for again", async () => {
    const work = memoryBlobs();
    const take = (taker: number, turn: number) => takeTurn(work, "turns.json", taker, turn);

    expect([await take(0, 0), await take(1, 0), await take(0, 0), await take(0, 1)]).toEqual([0, 1, 0, 2]);
  });

  test("takes no position for a turn that is delivered again after a later one", async () => {
    const work = memoryBlobs();
    const take = (taker: number, turn: number) => takeTurn(work, "turns.json", taker, turn);
    for (const turn of [0, 1, 2]) await take(0, turn);

    await take(0, 1);

    expect(await take(1, 0)).toBe(3);
  });
});

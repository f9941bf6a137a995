import { describe, expect, test } from "vitest";
import { takePosition } from "../../../shared/storage/queue-position.ts";
import { memoryBlobs } from "./memory-blobs.ts";

describe("takePosition", () => {
  test("returns the next position for each turn of a consumer, and the same one for a repeated turn", async () => {
    const work = memoryBlobs();
    const take = (consumer: number, turn: number) => takePosition(work, "turns.json", consumer, turn);

    expect([await take(0, 0), await take(1, 0), await take(0, 0), await take(0, 1)]).toEqual([0, 1, 0, 2]);
  });

  test("takes no new position for a turn that is asked for again after a later one", async () => {
    const work = memoryBlobs();
    const take = (consumer: number, turn: number) => takePosition(work, "turns.json", consumer, turn);
    for (const turn of [0, 1, 2]) await take(0, turn);

    await take(0, 1);

    expect(await take(1, 0)).toBe(3);
  });
});

import { describe, expect, test } from "vitest";
import { exportMemory } from "../../../../functions/backup/export/export-memory.ts";

const MIB = 1024 * 1024;
const LATER = Date.now() + 600_000;
const small = Array.from({ length: 20 }, () => ({ sizeBytes: 1_000 }));
const large = [{ sizeBytes: 20_000_000 }];
const unknown = [{ sizeBytes: 1_000 }, {}];

/** How many batches are let in at once. */
const admitted = async (items: readonly { readonly sizeBytes?: number }[], memory = exportMemory()) => {
  let entered = 0;
  for (let n = 0; n < 200; n += 1)
    void memory.enter(items, LATER).then(() => {
      entered += 1;
    });
  await settled();
  return entered;
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function* content(...bytes: readonly number[]) {
  for (const length of bytes) yield new Uint8Array(length);
}

/** Reads a batch's content, and says whether it is through. */
const reading = (source: AsyncIterable<Uint8Array>) => {
  const state = { done: false };
  void (async () => {
    for await (const _ of source);
    state.done = true;
  })();
  return state;
};

describe("the memory of exports", () => {
  test("lets in many small batches, and few that are large or of unknown size", async () => {
    expect(await admitted(small)).toBeGreaterThan(64);
    expect(await admitted(large)).toBe(8);
    expect(await admitted(unknown)).toBe(8);
  });

  test("lets the next ones in when one leaves, in their order", async () => {
    const memory = exportMemory(20 * MIB, 10 * MIB);
    const room = await memory.enter(large, LATER);
    const order: number[] = [];
    const next = [1, 2].map(async (n) => {
      const { leave } = await memory.enter(large, LATER);
      order.push(n);
      leave();
    });
    await settled();
    expect(order).toEqual([]);

    room.leave();
    room.leave();
    await Promise.all(next);

    expect(order).toEqual([1, 2]);
  });

  test("refuses a batch that finds no room in time, and lets others in after it", async () => {
    const memory = exportMemory(20 * MIB, 10 * MIB);
    const { leave } = await memory.enter(large, LATER);

    await expect(memory.enter(large, Date.now() + 10)).rejects.toThrow("no room for a batch");
    leave();

    await memory.enter(large, LATER);
  });

  test("holds back a batch that brings more than was announced, until there is room for the largest", async () => {
    const memory = exportMemory(21 * MIB, 10 * MIB);
    const full = await memory.enter(large, LATER);
    const [one, other] = [await memory.enter([{ sizeBytes: 1 }], LATER), await memory.enter([{ sizeBytes: 1 }], LATER)];
    const first = reading(one.metered(content(3, 5_000_000)));
    await settled();
    expect(first.done).toBe(true);

    const second = reading(other.metered(content(3, 5_000_000)));
    await settled();
    expect(second.done).toBe(false);
    const entering = memory.enter([{ sizeBytes: 1 }], LATER);
    full.leave();
    await settled();

    expect(second.done).toBe(true);
    for (const { leave } of [one, other, await entering]) leave();
  });

  test("never lets batches that all bring more wait for each other", async () => {
    const memory = exportMemory(20 * MIB, 10 * MIB);
    let done = 0;
    const batches = Array.from({ length: 60 }, async () => {
      const { metered, leave } = await memory.enter([{ sizeBytes: 1 }], LATER);
      for await (const _ of metered(content(3, 5_000_000))) await settled();
      done += 1;
      leave();
    });
    await Promise.all(batches);

    expect(done).toBe(60);
    expect(await admitted(large, memory)).toBe(1);
  });
});

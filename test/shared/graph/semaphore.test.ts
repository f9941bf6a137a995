import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { behindOthers, type Semaphore, semaphore } from "../../../shared/graph/semaphore.ts";
import { collect } from "../../../shared/storage/blobs.ts";
import { type Answer, aGraph } from "./a-graph.ts";

/** Whether a slot is free; releases the one that it acquires. */
const isFree = async (slots: Semaphore): Promise<boolean> => {
  let taken = false;
  void slots.acquire().then((release) => {
    taken = true;
    release();
  });
  await setImmediate();
  return taken;
};

describe("slots", () => {
  test("that do not become free in time are waited for no longer, and go to the next one", async () => {
    const slots = semaphore(1);
    const release = await slots.acquire();

    await expect(slots.acquire(Date.now() + 20)).rejects.toMatchObject({ name: "OutOfTimeError" });
    const next = slots.acquire(Date.now() + 600_000);
    release();

    (await next)();
    expect(await isFree(slots)).toBe(true);
  });

  test("go to work that may wait once nothing else waits, or once it may wait no longer", async () => {
    const slots = semaphore(1);
    const release = await slots.acquire();
    const order: string[] = [];
    let mayWait = true;
    const ask = async (name: string, its: Semaphore): Promise<void> => {
      const leave = await its.acquire();
      order.push(name);
      if (name === "b") mayWait = false;
      leave();
    };
    const asked = [
      ask(
        "a",
        behindOthers(slots, () => true),
      ),
      ask(
        "c",
        behindOthers(slots, () => mayWait),
      ),
      ask("b", slots),
      ask("d", slots),
    ];
    release();
    await Promise.all(asked);

    expect(order).toEqual(["b", "c", "d", "a"]);
  });

  test("are acquired in the order of asking, and no more than there are", async () => {
    const slots = semaphore(2);
    const order: string[] = [];
    const ask = (name: string) =>
      slots.acquire().then((release) => {
        order.push(name);
        return release;
      });
    const [first, , third] = [ask("a"), ask("b"), ask("c"), ask("d")];
    await setImmediate();
    expect(order).toEqual(["a", "b"]);

    (await first)();
    await setImmediate();
    expect(order).toEqual(["a", "b", "c"]);

    (await third)();
    await setImmediate();
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  test("that are released twice are free once", async () => {
    const slots = semaphore(1);
    const release = await slots.acquire();
    release();
    release();

    await slots.acquire();

    expect(await isFree(slots)).toBe(false);
  });
});

describe("a request to Graph", () => {
  const request = { operation: "GET x", target: "/v1.0/x" };
  const refusal: Answer = { status: 404, body: {} };

  test.each([
    ["has an answer", [{ body: {} }]],
    ["is refused", [refusal]],
    ["finds nobody", [{ reset: "before" }]],
  ] satisfies [string, Answer[]][])("lets go of its slot when it %s", async (_, answers) => {
    const slots = semaphore(1);
    const { client } = await aGraph(answers, { slots, untilMs: 0 });

    await client.json(request, z.unknown()).catch(() => undefined);
    await client.stream(request).catch(() => undefined);

    expect(await isFree(slots)).toBe(true);
  });

  test("waits for a slot before it is sent", async () => {
    const slots = semaphore(1);
    const { client, asked } = await aGraph([{ body: {} }], { slots });
    const release = await slots.acquire();
    const answer = client.json(request, z.unknown());
    await setImmediate();
    expect(asked).toHaveLength(0);

    release();

    expect(await answer).toEqual({});
  });

  test("releases its slot when an answer of usual size has arrived, though it is not read yet", async () => {
    const slots = semaphore(1);
    const { client } = await aGraph([{ body: "y".repeat(200_000) }], { slots });

    const body = await client.stream(request);

    expect(await isFree(slots)).toBe(true);
    expect(await collect(body)).toHaveLength(200_000);
  });

  test("holds its slot while a large answer arrives, and releases it at the end", async () => {
    const slots = semaphore(1);
    const { client } = await aGraph([{ body: "y".repeat(20_000_000) }], { slots });

    const body = await client.stream(request);
    expect(await isFree(slots)).toBe(false);

    expect(await collect(body)).toHaveLength(20_000_000);
    expect(await isFree(slots)).toBe(true);
  });

  test("releases its slot when its reader leaves, and when its answer breaks off", async () => {
    const slots = semaphore(1);
    const { client } = await aGraph([{ body: "y".repeat(20_000_000) }, { body: "y".repeat(200_000), reset: "amid" }], {
      slots,
      untilMs: 0,
    });

    for await (const _ of await client.stream(request)) break;
    await expect(collect(await client.stream(request))).rejects.toThrow();

    expect(await isFree(slots)).toBe(true);
  });
});

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { OrchestrationHandler } from "durable-functions";
import { describe, expect, test } from "vitest";
import { profileOf } from "../../../../local/host/profile.ts";
import { aDirectory, aTaskHub, handClock } from "./hub-under-test.ts";

const profile = profileOf("azure");
const { poll } = profile.delays;

const waitForGo: OrchestrationHandler = function* (context) {
  context.df.setCustomStatus("waiting");
  return [context.df.getInput(), yield context.df.waitForExternalEvent("go")];
};
const big = "x".repeat(100_000);

/** A host for clients and one for orchestrations, on one hub and one clock. */
const twoHosts = async () => {
  const dir = await aDirectory();
  const clock = handClock();
  const options = { dir, clock, profile };
  const durable = await aTaskHub({ orchestrators: { waitForGo } }, { ...options, group: "durable" });
  const clients = await aTaskHub({ orchestrators: { waitForGo } }, { ...options, group: "clients" });
  return { clock, durable, clients, look: () => clock.advance(poll) };
};

describe("orders from another process", () => {
  test("are carried out at the next look at the queue", async () => {
    const { clients, durable, look } = await twoHosts();
    await clients.start("waitForGo", "id", big);
    expect((await clients.status("id")).runtimeStatus).toBe("Pending");
    expect((await durable.send("GET", "instances/id")).status).toBe(404);
    look();

    await durable.until("id", "Running");
    await expect.poll(async () => (await clients.status("id")).customStatus).toBe("waiting");
    expect((await clients.send("POST", "instances/id/suspend?reason=wait")).status).toBe(202);
    expect((await clients.status("id")).runtimeStatus).toBe("Running");
    look();

    await clients.until("id", "Suspended");
    await clients.send("POST", "instances/id/resume?reason=on");
    await clients.raise("id", "go", "now");
    expect((await clients.status("id")).runtimeStatus).toBe("Suspended");
    look();

    expect((await clients.finished("id")).output).toEqual([big, "now"]);
    expect((await clients.raise("id", "go", "again")).status).toBe(410);
  });

  test("to end and to forget an instance are, too", async () => {
    const { clients, look } = await twoHosts();
    await clients.start("waitForGo", "id");
    look();
    await clients.until("id", "Running");
    await clients.send("POST", "instances/id/terminate?reason=enough");
    look();
    expect(await clients.finished("id")).toMatchObject({ runtimeStatus: "Terminated", output: "enough" });
    expect((await (await clients.send("GET", "instances")).json()) as unknown[]).toHaveLength(1);

    await clients.send("DELETE", "instances/id");
    look();
    await expect.poll(async () => (await clients.send("GET", "instances/id")).status).toBe(404);
  });

  test("to start one id are all accepted while it has not begun, and one counts", async () => {
    const { clients, durable, look } = await twoHosts();
    const answers = await Promise.all([1, 2, 3].map((n) => clients.send("POST", "orchestrators/waitForGo/id", n)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    look();
    await expect.poll(() => readdir(join(clients.dir, "TestHub", "orders"))).toEqual([]);
    await clients.until("id", "Running");

    expect((await clients.send("POST", "orchestrators/waitForGo/id", 4)).status).toBe(500);
    expect([1, 2, 3]).toContain((await durable.status("id")).input);
    expect(await (await clients.send("GET", "instances")).json()).toHaveLength(1);
  });
});

test("between looks that find nothing the pauses grow to the longest", async () => {
  const { clock } = await twoHosts();
  const pauses: number[] = [];
  for (let n = 0; n < 12; n += 1) {
    await expect.poll(() => clock.waits().length).toBe(1);
    const [pause = 0] = clock.waits();
    pauses.push(pause);
    clock.advance(pause);
  }

  expect(pauses[0]).toBe(1);
  expect(pauses.slice(-2)).toEqual([poll, poll]);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
});

import { describe, expect, test } from "vitest";
import { shareSlotsActivity } from "../../../functions/slots/share-slots.activity.ts";
import { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aFakeHub } from "../fake-hub.ts";
import { deliver } from "../kit.ts";

const asking = { mailboxKey: aKey, holder: "a", user: "backup", asking: "1", wanted: 4, holdMs: 60_000 } as const;
const rival = { ...asking, holder: "b", user: "restore", asking: "2" } as const;

const { clientOf } = aFakeHub();

describe("share-slots", () => {
  test("wakes the job that waits once slots are free", async () => {
    const hub = aFakeHub();
    const handler = shareSlotsActivity({ clientOf: hub.clientOf, work: memoryBlobs() });
    await deliver(handler, shareSlots, asking);
    await deliver(handler, shareSlots, { ...rival, job: "restore-1" });
    expect(hub.raised).toEqual([]);

    await deliver(handler, shareSlots, { ...asking, wanted: 0 });
    expect(hub.raised).toEqual([["restore-1", "wake"]]);
  });

  test("grants slots also when a job that waits cannot be woken: it asks again by itself", async () => {
    const clientThatFails = () =>
      ({ raiseEvent: () => Promise.reject(new Error("HTTP 410")) }) as unknown as ReturnType<typeof clientOf>;
    const handler = shareSlotsActivity({ clientOf: clientThatFails, work: memoryBlobs() });
    await deliver(handler, shareSlots, asking);
    await deliver(handler, shareSlots, { ...rival, job: "restore-1" });

    expect(await deliver(handler, shareSlots, { ...asking, asking: "3" })).toEqual({ granted: 1 });
  });

  test("grants slots, makes others wait, and takes them back", async () => {
    const handler = shareSlotsActivity({ clientOf, work: memoryBlobs() });

    expect(await deliver(handler, shareSlots, asking)).toEqual({ granted: 4 });
    expect(await deliver(handler, shareSlots, rival)).toEqual({ granted: 0 });
    expect(await deliver(handler, shareSlots, asking)).toEqual({ granted: 4 });
    expect(await deliver(handler, shareSlots, { ...asking, wanted: 0 })).toEqual({ granted: 0 });
    expect(await deliver(handler, shareSlots, { ...rival, asking: "4" })).toEqual({ granted: 4 });
  });

  test("writes one blob for each mailbox, with no name of a person in it", async () => {
    const work = memoryBlobs();
    await deliver(shareSlotsActivity({ clientOf, work }), shareSlots, asking);

    expect([...work.blobs.keys()]).toEqual([`slots/${aKey}.json`]);
  });

  test.each([
    { mailboxKey: "ada@contoso.example" },
    { user: "reader" },
    { wanted: -1 },
    { holdMs: 0 },
    { holder: "" },
    { asking: "" },
  ])("refuses %j", async (wrong) => {
    const work = memoryBlobs();
    const broken = { ...asking, ...wrong } as typeof asking;

    await expect(deliver(shareSlotsActivity({ clientOf, work }), shareSlots, broken)).rejects.toThrow(
      Object.keys(wrong)[0],
    );
    expect(work.writes).toEqual([]);
    expect(work.blobs.size).toBe(0);
  });
});

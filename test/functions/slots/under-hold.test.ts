import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type SlotRequest, takeSlots } from "../../../functions/slots/mailbox-slots.ts";
import type { SlotHold } from "../../../functions/slots/slots.contract.ts";
import { type HeldSlots, underHold } from "../../../functions/slots/under-hold.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";

const MINUTE = 60_000;
const HOLD: SlotHold = { holder: "run", asking: "first" };
const ASKING: SlotRequest = { ...HOLD, user: "backup", wanted: 4, holdMs: 3 * MINUTE };

/** A backup that holds all slots of a mailbox, and a restore that asks for them, on a clock that tests move. */
const aHeldMailbox = async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const work = memoryBlobs();
  const take = async (request: SlotRequest) => (await takeSlots(work, aKey, request)).granted;
  let askings = 0;
  const rivalAsks = () => {
    askings += 1;
    return take({ ...ASKING, holder: "restore", user: "restore", asking: `rival ${askings}` });
  };
  await take(ASKING);
  const useSlots = <T>(work_: (slots: HeldSlots) => Promise<T>, hold: SlotHold | undefined = HOLD) =>
    underHold(work, { mailboxKey: aKey, hold }, work_);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { work, take, rivalAsks, useSlots, pass };
};

describe("a wave under its hold", () => {
  test("keeps its slots as long as it works, however long one item takes", async () => {
    const { rivalAsks, useSlots, pass } = await aHeldMailbox();

    const result = await useSlots(async (slots) => {
      for (let minutes = 0; minutes < 22; minutes += 1) {
        await pass(MINUTE);
        expect(slots.isHeld()).toBe(true);
        expect(await rivalAsks()).toBe(0);
      }
      return "done";
    });

    expect(result).toBe("done");
  });

  test("lets go 45 s after it was killed", async () => {
    const { rivalAsks, useSlots, pass, work } = await aHeldMailbox();
    const { replace } = work;
    await useSlots(async () => {
      await pass(20 * MINUTE);
      work.replace = () => Promise.reject(new Error("killed"));
    });
    work.replace = replace;

    await pass(44_999);
    expect(await rivalAsks()).toBe(0);
    await pass(1);
    expect(await rivalAsks()).toBe(4);
  });

  test("leaves its slots to its job for two minutes, which asks next", async () => {
    const { rivalAsks, useSlots, pass, take } = await aHeldMailbox();
    await useSlots(async () => pass(20 * MINUTE));

    await pass(2 * MINUTE - 1);
    expect(await rivalAsks()).toBe(0);
    expect(await take({ ...ASKING, asking: "second" })).toBe(1);
    expect(await rivalAsks()).toBe(3);
  });

  test("works alone under its hold: another delivery begins when this one has ended", async () => {
    const { useSlots, pass } = await aHeldMailbox();
    const begin = vi.fn(async () => "again");
    let other: Promise<unknown> = Promise.resolve();
    await useSlots(async () => {
      other = useSlots(begin);
      await pass(10 * MINUTE);
      expect(begin).not.toHaveBeenCalled();
    });
    await pass(3_000);

    expect(await other).toBe("again");
  });

  test("takes its hold along when it is killed: another delivery begins nothing", async () => {
    const { useSlots, pass, work } = await aHeldMailbox();
    const begin = vi.fn(async () => "again");
    const { replace } = work;
    await useSlots(async () => {
      work.replace = () => Promise.reject(new Error("killed"));
    });
    work.replace = replace;
    const other = useSlots(begin);

    await pass(48_000);
    expect(await other).toBeUndefined();
    expect(begin).not.toHaveBeenCalled();
  });

  test.each([
    ["asks anew", { ...ASKING, asking: "second" }],
    ["gives them back", { ...ASKING, wanted: 0 }],
  ])("gives its slots to nobody before it has ended, when its job %s meanwhile", async (_, request) => {
    const { take, rivalAsks, useSlots, pass } = await aHeldMailbox();
    await useSlots(async (slots) => {
      expect(await take(request)).toBe(0);
      expect(await rivalAsks()).toBe(0);
      await pass(15_000);
      expect(slots.isHeld()).toBe(false);
      expect(await rivalAsks()).toBe(0);
    });

    expect(await rivalAsks()).toBe(4);
  });

  test("begins nothing when it comes too late", async () => {
    const { useSlots, pass } = await aHeldMailbox();
    const begin = vi.fn(async () => "done");
    await pass(3 * MINUTE);

    expect(await useSlots(begin)).toBeUndefined();
    expect(begin).not.toHaveBeenCalled();
  });

  test.each([
    ["its job has asked anew", { ...ASKING, asking: "second" }],
    ["its job has given them back", { ...ASKING, wanted: 0 }],
  ])("begins nothing when %s", async (_, request) => {
    const { take, useSlots } = await aHeldMailbox();
    const begin = vi.fn(async () => "done");
    await take(request);

    expect(await useSlots(begin)).toBeUndefined();
    expect(begin).not.toHaveBeenCalled();
  });

  test("goes on while storage fails for less than the hold, and no longer", async () => {
    const { work, useSlots, pass } = await aHeldMailbox();
    const { replace } = work;

    await useSlots(async (slots) => {
      work.replace = () => Promise.reject(new Error("storage is down"));
      await pass(30_000);
      expect(slots.isHeld()).toBe(true);
      work.replace = replace;
      await pass(15_000);
      work.replace = () => Promise.reject(new Error("storage is down"));
      await pass(45_000);
      expect(slots.isHeld()).toBe(false);
    });
  });

  test("fails with its work, and renews no more", async () => {
    const { rivalAsks, useSlots, pass } = await aHeldMailbox();

    await expect(useSlots(() => Promise.reject(new Error("beyond repair")))).rejects.toThrow("beyond repair");
    await pass(3 * MINUTE);
    expect(await rivalAsks()).toBe(4);
  });
});

import { describe, expect, onTestFinished, test, vi } from "vitest";
import { takeTarget } from "../../../../functions/restore/target/target-lease.ts";
import { onlyUnderLease, TargetLostError, underLease } from "../../../../functions/restore/target/under-lease.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aKey } from "../../../shared/vault/samples.ts";
import { aRestoreId } from "../../kit.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const rival = "20261122T093000Z-abc777";
const leased = { restoreId: aRestoreId, mailbox: { key: aKey }, exclusive: true };

/** A restore whose job has ended already, and another one that wants its mailbox, on a clock that tests move. */
const aCancelledRestore = async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const work = memoryBlobs();
  const take = (restoreId: string) => takeTarget(work, aKey, { restoreId, waits: true }, async () => "ended");
  await take(aRestoreId);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { work, take, pass };
};

describe("an activity of a restore", () => {
  test("keeps the mailbox as long as it works, also when its job has ended, and frees it at once", async () => {
    const { work, take, pass } = await aCancelledRestore();

    const done = await underLease(work, leased, async (lease) => {
      for (let minutes = 0; minutes < 22; minutes += 1) {
        await pass(MINUTE);
        expect(lease.isHeld()).toBe(true);
        expect(await take(rival)).not.toBe(true);
      }
      return "done";
    });

    expect(done).toBe("done");
    expect(await take(rival)).toBe(true);
  });

  test("sees that it lost the mailbox before another restore can have it", async () => {
    const { work, take, pass } = await aCancelledRestore();
    const { replace } = work;

    await underLease(work, leased, async (lease) => {
      work.replace = () => Promise.reject(new Error("storage is down"));
      await pass(44 * SECOND - 1);
      expect(lease.isHeld()).toBe(true);
      await pass(1);
      expect(lease.isHeld()).toBe(false);
      await pass(SECOND);
      work.replace = replace;
      expect(await take(rival)).toBe(true);
    });
  });

  test("begins nothing when another restore has the mailbox", async () => {
    const { work, take } = await aCancelledRestore();
    await take(rival);
    const begin = vi.fn(async () => "done");

    expect(await underLease(work, leased, begin)).toBeUndefined();
    await expect(onlyUnderLease(work, leased, begin)).rejects.toThrow(TargetLostError);
    expect(begin).not.toHaveBeenCalled();
  });

  test("needs no lease when its restore began before there were leases", async () => {
    const { work, take } = await aCancelledRestore();
    await take(rival);
    const { exclusive: _, ...older } = leased;

    expect(await onlyUnderLease(work, older, async ({ isHeld }) => isHeld())).toBe(true);
  });
});

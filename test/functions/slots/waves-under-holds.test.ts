import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type SlotRequest, takeSlots } from "../../../functions/slots/mailbox-slots.ts";
import { underHold } from "../../../functions/slots/under-hold.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOLD_MS = 45 * SECOND;

/** Between two looks of a wave at its hold. */
const LOOK_MS = 15 * SECOND;

const SLOTS = 4;

/** Longest time for which the requests of an item of 150 MB keep a wave at work beyond its budget. */
const LONGEST_WAVE_MS = 12 * MINUTE;

/** On the clock that the test moves. */
const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** What a job asks for its wave, and then what the task hub and the machine do to that wave. */
interface Wave {
  readonly wanted: number;
  /** How long each delivery waits in the task hub's queue. */
  readonly queuedMs: readonly number[];
  readonly workMs: number;
  /** When its first delivery is killed, after it has begun. */
  readonly killedAfterMs: number | undefined;
  /** The job gives its slots back at once, as one does that fails while its wave is still at work. */
  readonly isGivenUp: boolean;
}

const wave = fc.record({
  wanted: fc.integer({ min: 1, max: SLOTS }),
  queuedMs: fc.array(fc.integer({ min: 0, max: 5 * MINUTE }), { minLength: 1, maxLength: 2 }),
  workMs: fc.integer({ min: 0, max: LONGEST_WAVE_MS }),
  killedAfterMs: fc.option(fc.integer({ min: 0, max: LONGEST_WAVE_MS }), { nil: undefined, freq: 3 }),
  isGivenUp: fc.boolean(),
});
const waves = fc.array(wave, { minLength: 1, maxLength: 3 });
const jobs = fc.record({ backup: waves, "small-restore": waves, restore: waves });

/** When storage is away, and for how long. */
const storageAway = fc.record({
  from: fc.integer({ min: 0, max: 20 * MINUTE }),
  ms: fc.integer({ min: 0, max: 2 * MINUTE }),
});

/** A mailbox whose requests are counted, in storage that is away for a while. */
const aMailbox = (away: { readonly from: number; readonly ms: number }) => {
  const blobs = memoryBlobs();
  const began = Date.now();
  const isAway = (): boolean => {
    const now = Date.now() - began;
    return now >= away.from && now < away.from + away.ms;
  };
  /** Holds may run out then. */
  const isShaky = (): boolean => {
    const now = Date.now() - began;
    return now + LOOK_MS >= away.from && now < away.from + away.ms + HOLD_MS;
  };
  const reachable = async (): Promise<void> => {
    if (isAway()) throw new Error("storage is away");
  };
  const storage: Blobs = {
    ...blobs,
    create: async (...args) => reachable().then(() => blobs.create(...args)),
    replace: async (...args) => reachable().then(() => blobs.replace(...args)),
  };
  return { storage, isShaky, busy: { now: 0, most: 0 } };
};
type Mailbox = ReturnType<typeof aMailbox>;

/** What storage is to a process: once that is killed, it changes nothing there any more. */
const aProcess = (storage: Blobs) => {
  const life = { isKilled: false };
  const alive = async (): Promise<void> => {
    if (life.isKilled) throw new Error("killed");
  };
  const work: Blobs = {
    ...storage,
    create: async (...args) => alive().then(() => storage.create(...args)),
    replace: async (...args) => alive().then(() => storage.replace(...args)),
  };
  return { work, life };
};

/** One delivery of a wave: uses all its slots for as long as it holds them and is alive. */
const deliver = async (
  { storage, isShaky, busy }: Mailbox,
  { holder, asking }: SlotRequest,
  { slots, workMs, killedAfterMs }: { slots: number; workMs: number; killedAfterMs: number | undefined },
): Promise<void> => {
  const { work, life } = aProcess(storage);
  await underHold(work, { mailboxKey: aKey, hold: { holder, asking } }, async (held) => {
    busy.now += slots;
    busy.most = Math.max(busy.most, busy.now);
    const began = Date.now();
    while (held.isHeld() && Date.now() < began + workMs) {
      if (killedAfterMs !== undefined && Date.now() >= began + killedAfterMs) {
        life.isKilled = true;
        break;
      }
      await delay(isShaky() ? SECOND / 2 : LOOK_MS);
    }
    busy.now -= slots;
  });
};

/** Times that a job asks for slots before it gives up: others may have them for as long as a wave lasts. */
const MOST_ASKINGS = 60;

/** A job's waves, one after the other; each is delivered as the task hub likes, and none of that ends the job. */
const runJob = async (mailbox: Mailbox, user: SlotRequest["user"], planned: readonly Wave[]): Promise<void> => {
  const take = (request: SlotRequest) => takeSlots(mailbox.storage, aKey, request).catch(() => ({ granted: 0 }));
  let askings = 0;
  const ask = async (wanted: number) => {
    askings += 1;
    const request = { holder: user, user, asking: `${user} ${askings}`, askedAt: Date.now(), wanted };
    const whole = { ...request, holdMs: 220 * SECOND };
    return { request: whole, slots: (await take(whole)).granted };
  };
  for (const { wanted, queuedMs, workMs, killedAfterMs, isGivenUp } of planned) {
    let asked = await ask(wanted);
    for (let times = 1; asked.slots === 0 && times < MOST_ASKINGS; times += 1) {
      await delay(30 * SECOND);
      asked = await ask(wanted);
    }
    const { request, slots } = asked;
    if (slots === 0) continue;
    const deliveries = queuedMs.map(async (ms, nth) => {
      await delay(ms);
      await deliver(mailbox, request, { slots, workMs, killedAfterMs: nth === 0 ? killedAfterMs : undefined });
    });
    const delivered = Promise.allSettled(deliveries);
    if (isGivenUp) await delay(workMs / 2);
    else await Promise.race([delivered, ...deliveries.slice(0, 1)]).catch(() => undefined);
    await take({ ...request, wanted: 0 });
  }
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("waves that are queued, repeated, killed and cut off from storage never have more than four slots", async () => {
  let most = 0;
  await fc.assert(
    fc.asyncProperty(jobs, storageAway, async (planned, away) => {
      const mailbox = aMailbox(away);
      let running = true;
      const ended = Promise.all(
        Object.entries(planned).map(([user, its]) => runJob(mailbox, user as SlotRequest["user"], its)),
      ).finally(() => {
        running = false;
      });
      while (running) await vi.advanceTimersByTimeAsync(SECOND);
      await ended;
      most = Math.max(most, mailbox.busy.most);
      expect(mailbox.busy.most).toBeLessThanOrEqual(SLOTS);
    }),
    { numRuns: 100 },
  );
  expect(most).toBe(SLOTS);
});

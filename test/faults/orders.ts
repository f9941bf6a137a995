import { setTimeout as delay } from "node:timers/promises";
import type * as z from "zod";
import type { Stack } from "../../local/stack/stack.ts";
import { answerOf, ask, Steered } from "./insistent-caller.ts";
import type { Random } from "./random.ts";

/** What people do with a restore while it runs, and afterwards. */
export interface Orders {
  /** How often it is asked for at once, with one key. */
  readonly asked: number;
  /** Whether somebody else asks for the same items meanwhile. */
  readonly again: boolean;
  readonly pause?: { readonly afterMs: number; readonly forMs: number };
  readonly cancel?: { readonly afterMs: number };
  readonly undo: boolean;
}

/** A restore of this suite takes so long, on a busy machine longer. */
const WITHIN_MS = 15_000;

export const ordersFor = (random: Random): Orders => {
  const moment = () => random.number(0, WITHIN_MS);
  return {
    asked: random.chance(0.4) ? random.number(2, 4) : 1,
    again: random.chance(0.4),
    ...(random.chance(0.3) ? { pause: { afterMs: moment(), forMs: random.number(0, 4_000) } } : {}),
    ...(random.chance(0.2) ? { cancel: { afterMs: moment() } } : {}),
    undo: random.chance(0.25),
  };
};

const isOver = ({ state }: z.output<typeof Steered>): boolean => ["completed", "failed", "cancelled"].includes(state);

/** Gives a job its orders, each until it is answered; ends when it has them all. */
export const giveOrders = async (stack: Stack, job: string, { pause, cancel }: Orders): Promise<void> => {
  const order = async (name: "pause" | "resume" | "cancel") => {
    // Nobody resumes a job that ended: that would start what it left again.
    if (isOver(await answerOf(stack, `/api/jobs/${job}`, Steered))) return;
    await ask(stack, `/api/jobs/${job}/${name}`, { expected: [202, 409] });
  };
  const pausing = async () => {
    if (pause === undefined) return;
    await delay(pause.afterMs);
    await order("pause");
    await delay(pause.forMs);
    await order("resume");
  };
  const cancelling = async () => {
    if (cancel === undefined) return;
    await delay(cancel.afterMs);
    await order("cancel");
  };
  await Promise.all([pausing(), cancelling()]);
};

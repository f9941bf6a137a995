import { type Head, isHeld } from "../../shared/vault/head.ts";

/** The reason of a hold for someone who leaves. */
export const LEAVER = "leaver";

/** Whether a mailbox is held for a leaver already, so that nothing is left to do. */
export const isHeldForLeaver = ({ hold }: Pick<Head, "hold">, nowMs: number): boolean =>
  hold?.reason === LEAVER && isHeld(hold, nowMs);

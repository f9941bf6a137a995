import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionReset, GraphFailure } from "./errors.ts";
import type { RequestFault } from "./faults.ts";
import { Throttled } from "./throttle.ts";
import type { Reply, World } from "./world.ts";

/** A request that found its endpoint, before limits and faults have had their say. */
export interface Exchange {
  readonly endpoint: string;
  /** Absent for a request that no mailbox is charged for. */
  readonly charge?: { readonly appId: string; readonly mailboxId: string; readonly bodyBytes: number };
  readonly run: () => Reply | Promise<Reply>;
}

export interface Outcome {
  readonly reply: Reply;
  /** The connection is to break off in the middle of the answer. */
  readonly cut: boolean;
  /** To be called once the answer is sent, or the connection lost: until then the request holds its slot. */
  readonly finish: () => void;
}

/** Runs one request under its mailbox's limits and the injected faults. Failures of both kinds are thrown. */
export const conduct = async (world: World, exchange: Exchange, arrival: number): Promise<Outcome> => {
  const { endpoint, charge } = exchange;
  const left = world.counters.arrived(endpoint, charge?.mailboxId);
  let leave = () => {};
  const finish = () => {
    leave();
    left();
  };

  try {
    if (charge !== undefined) leave = world.throttle.enter(charge.appId, charge.mailboxId, charge.bodyBytes);
    const faults = world.faults.request(endpoint, charge?.mailboxId);
    if (faults.some(isReset("before"))) throw new ConnectionReset("before the answer");
    refuse(faults, "before");
    const reply = await exchange.run();
    await sleepUntil(arrival + world.settings().latencyMs + delayOf(faults));
    for (const fault of faults) if (fault.kind === "hold") await fault.released;
    if (faults.some(isReset("after-commit"))) throw new ConnectionReset("after commit");
    refuse(faults, "after-commit");
    return { reply, cut: faults.some(isReset("mid-answer")), finish };
  } catch (error) {
    if (!(error instanceof Throttled)) await sleepUntil(arrival + world.settings().latencyMs);
    finish();
    throw error;
  }
};

const isReset = (when: string) => (fault: RequestFault) => fault.kind === "reset" && fault.when === when;

const delayOf = (faults: readonly RequestFault[]) =>
  faults.reduce((sum, fault) => sum + (fault.kind === "slow" ? fault.delayMs : 0), 0);

const refuse = (faults: readonly RequestFault[], when: "before" | "after-commit") => {
  const refusal = faults.find((fault) => fault.kind === "status" && fault.when === when);
  if (refusal?.kind !== "status") return;
  throw new GraphFailure(refusal.status, refusal.code, refusal.message, {
    shape: refusal.emptyBody ? "none" : "graph",
    ...(refusal.retryAfter !== undefined && { headers: { "retry-after": String(refusal.retryAfter) } }),
  });
};

const sleepUntil = async (time: number): Promise<void> => {
  const left = time - performance.now();
  if (left > 0) await sleep(left);
};

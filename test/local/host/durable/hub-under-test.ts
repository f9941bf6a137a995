import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Clock } from "../../../../local/host/contract.ts";
import type { Status } from "../../../../local/host/durable/status.ts";
import { createTaskHub, type TaskHubOptions } from "../../../../local/host/durable/task-hub.ts";
import { eventually } from "../../../support/eventually.ts";
import { type App, type ReplayPool, replayPool } from "./replay-pool.ts";

export const BASE = "http://127.0.0.1:7071";
const WEBHOOK = `${BASE}/runtime/webhooks/durabletask`;

/** A clock that moves only when a test moves it. */
export const handClock = (startMs = Date.parse("2026-11-22T01:00:00Z")) => {
  let nowMs = startMs;
  let alarms: { atMs: number; action: () => void }[] = [];
  const clock: Clock = {
    now: () => nowMs,
    at(atMs, action) {
      const alarm = { atMs, action };
      alarms.push(alarm);
      queueMicrotask(fireDue);
      return () => {
        alarms = alarms.filter((other) => other !== alarm);
      };
    },
  };
  const fireDue = (): void => {
    const due = alarms.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
    alarms = alarms.filter((alarm) => !due.includes(alarm));
    for (const { action } of due) action();
  };
  return {
    ...clock,
    /** Milliseconds until the set timers fire, the earliest first. */
    waits: () => alarms.map(({ atMs }) => atMs - nowMs).sort((a, b) => a - b),
    advance(byMs: number) {
      nowMs += byMs;
      fireDue();
    },
  };
};

export type HandClock = ReturnType<typeof handClock>;

export const aDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "task-hub-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

interface Overrides extends Partial<Omit<TaskHubOptions, "pool" | "clock" | "dir">> {
  readonly pool?: ReplayPool;
  readonly clock?: HandClock;
  readonly dir?: string;
}

/** A started task hub over an app, and its HTTP API. */
export const aTaskHub = async (app: App, overrides: Overrides = {}) => {
  const pool = overrides.pool ?? replayPool(app);
  const clock = overrides.clock ?? handClock();
  const dir = overrides.dir ?? (await aDirectory());
  const hub = createTaskHub({
    hubName: "TestHub",
    maxConcurrentActivities: 10,
    maxConcurrentOrchestrators: 10,
    baseUrl: () => BASE,
    clientUrl: () => BASE,
    systemKey: "system-key",
    log: () => undefined,
    ...overrides,
    pool,
    clock,
    dir,
  });
  await hub.start();
  onTestFinished(() => hub.stop());

  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    hub.handle(
      new Request(`${WEBHOOK}/${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  const status = async (id: string, query = "") =>
    (await (await send("GET", `instances/${id}${query}`)).json()) as Status;
  const found = async (id: string): Promise<Status | undefined> => {
    const response = await send("GET", `instances/${id}`);
    return response.ok ? ((await response.json()) as Status) : undefined;
  };

  return {
    hub,
    pool,
    clock,
    dir,
    send,
    status,
    async start(name: string, id: string, input?: unknown) {
      const response = await send("POST", `orchestrators/${name}/${id}`, input);
      if (response.status !== 202) throw new Error(`start answered ${response.status}: ${await response.text()}`);
    },
    raise: (id: string, event: string, data?: unknown) =>
      send("POST", `instances/${id}/raiseEvent/${event}`, data ?? null),
    /** The status, once the instance is in one of these states. */
    until: (id: string, ...states: string[]) =>
      eventually(`${id} that is ${states.join(" or ")}`, async () => {
        const now = await found(id);
        return now && states.includes(now.runtimeStatus) ? now : undefined;
      }),
    finished: (id: string) => untilEnded(() => found(id)),
    /** The end of an instance, with the clock moved to whatever it waits for. */
    skippingTimers: (id: string) =>
      untilEnded(() => {
        clock.advance(clock.waits()[0] ?? 0);
        return found(id);
      }),
    /** Waits until this many timers are set, then moves the clock past the first. */
    async skipTimer() {
      await eventually("timer", () => clock.waits().length > 0 || undefined);
      clock.advance(clock.waits()[0] ?? 0);
    },
  };
};

export type HubUnderTest = Awaited<ReturnType<typeof aTaskHub>>;

const ENDED = ["Completed", "Failed", "Terminated"];

const untilEnded = (look: () => Promise<Status | undefined>): Promise<Status> =>
  eventually("end", async () => {
    const now = await look();
    return now && ENDED.includes(now.runtimeStatus) ? now : undefined;
  });

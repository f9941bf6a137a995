import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";

const Status = z.looseObject({
  runtimeStatus: z.string(),
  output: z.unknown(),
  customStatus: z.unknown(),
  createdTime: z.string(),
});
export type Status = z.output<typeof Status>;

const History = z.looseObject({ historyEvents: z.array(z.looseObject({ EventType: z.string() })) });

/** A look at something costs a host little, but not nothing. */
const POLL_MS = 50;

const ENDED = ["Completed", "Failed", "Terminated"];

/** The contract's app in some host. */
export const aHost = (url: string, key: string | undefined, patienceMs: number) => {
  const withKey: Record<string, string> = key === undefined ? {} : { "x-functions-key": key };
  const call = (path: string, init: RequestInit = {}) => fetch(new URL(path, url), init);
  const post = (path: string, body?: unknown) =>
    call(path, { method: "POST", ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const end = performance.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`There was no ${what}`);
      await delay(POLL_MS);
    }
  };
  const status = async (id: string): Promise<Status | undefined> => {
    const response = await call(`/api/status/${encodeURIComponent(id)}`);
    return response.ok ? Status.parse(await response.json()) : undefined;
  };

  return {
    url,
    withKey,
    hasKey: key !== undefined,
    call,
    post,
    until,
    status,
    /** By the extension's own API: the library's client shows none. */
    async history(id: string): Promise<z.output<typeof History>["historyEvents"]> {
      const path = `/runtime/webhooks/durabletask/instances/${id}?showHistory=true&showHistoryOutput=true`;
      return History.parse(await (await call(path, { headers: withKey })).json()).historyEvents;
    },
    async start(name: string, id: string, input?: unknown): Promise<void> {
      const response = await post(`/api/start/${name}/${id}`, input);
      if (response.status !== 202) throw new Error(`The start of ${id} answered ${response.status}`);
    },
    raise: (id: string, event: string, data: unknown) => post(`/api/raise/${id}/${event}`, data),
    order: (id: string, order: "suspend" | "resume" | "terminate") => post(`/api/order/${id}/${order}`),
    /** The app is there: while its process is not, every request is answered 500. */
    isUp: () => until("app", async () => (await call("/api/ticked")).ok || undefined),
    is: (id: string, state: string) =>
      until(`${id} that is ${state}`, async () => {
        const now = await status(id);
        return now?.runtimeStatus === state ? now : undefined;
      }),
    shows: (id: string, customStatus: unknown) =>
      until(`${id} that shows ${String(customStatus)}`, async () => {
        const now = await status(id);
        return now?.customStatus === customStatus ? now : undefined;
      }),
    ended: (id: string) =>
      until(`end of ${id}`, async () => {
        const now = await status(id);
        return now !== undefined && ENDED.includes(now.runtimeStatus) ? now : undefined;
      }),
    /** Whether a request is still without an answer after this time. */
    async hangs(path: string, ms: number, headers: Record<string, string> = {}): Promise<boolean> {
      try {
        await call(path, { headers, signal: AbortSignal.timeout(ms) });
        return false;
      } catch (error) {
        if (error instanceof Error && error.name === "TimeoutError") return true;
        throw error;
      }
    },
  };
};
export type AHost = ReturnType<typeof aHost>;

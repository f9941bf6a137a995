import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { AHost } from "./a-host.ts";

/** One thing that a host does. */
export interface Case {
  /** What the real host does. */
  readonly does: string;
  /** How that is known: from documentation, from Microsoft's source, or since it was seen. */
  readonly known: "doc" | "src" | "observed";
  /** It ends the app's process, so nothing else may run meanwhile. */
  readonly alone?: true;
  /** It asks for a host that checks keys; Core Tools does not. */
  readonly keys?: true;
  readonly holds: (host: AHost, id: string) => Promise<void>;
}

/** Within what a request is answered that can be, on a host that is busy. */
const HANGS_MS = 1_500;

const events = (subject: string, ids: readonly string[]) =>
  ids.map((id) => ({
    id,
    subject,
    topic: "contract",
    eventType: "Contract.Event",
    eventTime: "2026-01-01T00:00:00Z",
    data: {},
    dataVersion: "1",
  }));

const deliver = (host: AHost, type: string, body: unknown) =>
  host.call("/runtime/webhooks/eventgrid?functionName=on-event", {
    method: "POST",
    headers: { ...host.withKey, "content-type": "application/json", "aeg-event-type": type },
    body: JSON.stringify(body),
  });

const lines = async (host: AHost, name: string): Promise<string[]> =>
  (await (await host.call(`/api/lines/${name}`)).json()) as string[];

export const orchestrationCases: readonly Case[] = [
  {
    does: "chains activities",
    known: "doc",
    async holds(host, id) {
      await host.start("chain", id);
      equal((await host.ended(id)).output, "ab");
    },
  },
  {
    does: "fans out and in",
    known: "doc",
    async holds(host, id) {
      await host.start("fan", id);
      deepEqual((await host.ended(id)).output, [1, 2, 3, 4, 5]);
    },
  },
  {
    does: "goes on after a failed branch of Task.all when all of them have ended",
    known: "observed",
    async holds(host, id) {
      await host.start("halfFails", id, 1_500);
      const { output } = await host.ended(id);
      ok(Number(output) >= 1_000, `it went on after ${String(output)} ms`);
    },
  },
  {
    does: "tries an activity again",
    known: "doc",
    async holds(host, id) {
      await host.start("tries", id, "fail");
      equal((await host.ended(id)).output, 2);
    },
  },
  {
    does: "does not pause after the last attempt",
    known: "src",
    async holds(host, id) {
      await host.start("exhausts", id);
      const { output } = await host.ended(id);
      ok(Number(output) < 30_000, `it paused for ${String(output)} ms`);
    },
  },
  {
    does: "fires a timer, at most a second early",
    known: "observed",
    async holds(host, id) {
      await host.start("sleeps", id, 2_500);
      const { output } = await host.ended(id);
      ok(Number(output) >= 1_500, `it fired after ${String(output)} ms`);
    },
  },
  {
    does: "keeps an instance running until a timer that nobody waits for has fired",
    known: "src",
    async holds(host, id) {
      await host.start("leavesTimer", id, 3_000);
      equal((await host.shows(id, "returned")).runtimeStatus, "Running");
      equal((await host.ended(id)).output, "done");
    },
  },
  {
    does: "raises an event",
    known: "doc",
    async holds(host, id) {
      await host.start("waits", id);
      await host.shows(id, "waiting");
      await host.raise(id, "go", { said: "hello" });
      deepEqual((await host.ended(id)).output, { said: "hello" });
    },
  },
  {
    does: "lets a suspended orchestrator go on and show it, but calls nothing until it is resumed",
    known: "src",
    async holds(host, id) {
      await host.start("waits", id);
      await host.shows(id, "waiting");
      await host.order(id, "suspend");
      equal((await host.is(id, "Suspended")).output, "requested");
      await host.raise(id, "go", 1);
      equal((await host.shows(id, "gone on")).runtimeStatus, "Suspended");
      await host.order(id, "resume");
      equal((await host.ended(id)).output, 1);
    },
  },
  {
    does: "ends a terminated instance with the reason as its output",
    known: "doc",
    async holds(host, id) {
      await host.start("waits", id);
      await host.shows(id, "waiting");
      await host.order(id, "terminate");
      const { runtimeStatus, output } = await host.ended(id);
      deepEqual([runtimeStatus, output], ["Terminated", "requested"]);
    },
  },
  {
    does: "returns the result of a child",
    known: "doc",
    async holds(host, id) {
      await host.start("parent", id, { name: "echoes", input: 7, id: `${id}-child` });
      equal((await host.ended(id)).output, 7);
    },
  },
  {
    does: "fails the parent of a terminated child outside of its code",
    known: "observed",
    async holds(host, id) {
      const child = `${id}-child`;
      await host.start("parent", id, { name: "waits", input: null, id: child });
      await host.shows(child, "waiting");
      await host.order(child, "terminate");
      const { runtimeStatus, output } = await host.ended(id);
      equal(runtimeStatus, "Failed");
      notEqual(output, "caught");
    },
  },
  {
    does: "replaces whoever is alive under the id of a child",
    known: "observed",
    async holds(host, id) {
      const child = `${id}-child`;
      await host.start("waits", child);
      await host.shows(child, "waiting");
      await host.start("parent", id, { name: "echoes", input: "new", id: child });
      equal((await host.ended(id)).output, "new");
      equal((await host.ended(child)).output, "new");
    },
  },
  {
    does: "refuses to start an id that is alive and has begun",
    known: "observed",
    async holds(host, id) {
      await host.start("waits", id);
      await host.shows(id, "waiting");
      equal((await host.post(`/api/start/waits/${id}`)).status, 409);
      await host.order(id, "terminate");
      await host.ended(id);
    },
  },
  {
    does: "accepts starts of one id at the same moment, of which one counts",
    known: "observed",
    async holds(host, id) {
      const answers = await Promise.all([1, 2, 3, 4].map((n) => host.post(`/api/start/echoes/${id}`, n)));
      ok(answers.filter(({ status }) => status === 202).length > 1, "only one was accepted");
      ok([1, 2, 3, 4].includes(Number((await host.ended(id)).output)));
    },
  },
  {
    does: "goes on as new, with later events, and a creation time that moves",
    known: "observed",
    async holds(host, id) {
      await host.start("generations", id, { left: 1, seen: [] });
      const first = await host.is(id, "Running");
      await delay(1_100);
      await host.raise(id, "next", 1);
      await host.until("next generation", async () => {
        const now = await host.status(id);
        return now !== undefined && now.createdTime !== first.createdTime ? now : undefined;
      });
      await host.raise(id, "next", 2);
      deepEqual((await host.ended(id)).output, [1, 2]);
    },
  },
  {
    does: "carries messages of 100 KB",
    known: "doc",
    async holds(host, id) {
      const big = "x".repeat(100_000);
      await host.start("echoes", id, big);
      equal((await host.ended(id)).output, big);
    },
  },
  {
    does: "shows a custom status of 16 KB in UTF-16, and fails for a larger one",
    known: "src",
    async holds(host, id) {
      await Promise.all([host.start("shows", id, 8_000), host.start("shows", `${id}-large`, 9_000)]);
      equal((await host.ended(id)).output, "shown");
      const { runtimeStatus, output } = await host.ended(`${id}-large`);
      equal(runtimeStatus, "Failed");
      match(String(output), /must not exceed 16 KB/);
    },
  },
  {
    does: "fails an orchestration that throws, in the extension's words",
    known: "src",
    async holds(host, id) {
      await host.start("throws", id);
      const { runtimeStatus, output } = await host.ended(id);
      equal(runtimeStatus, "Failed");
      match(String(output), /^Orchestrator function 'throws' failed: no such thing/);
    },
  },
  {
    does: "keeps inputs of activities out of the history",
    known: "src",
    async holds(host, id) {
      await host.start("echoes", id, "in-the-input");
      await host.ended(id);
      const history = await host.history(id);
      const task = history.find(({ EventType }) => EventType === "TaskCompleted");
      ok(task !== undefined, "the history shows no task");
      ok(!JSON.stringify(task["Input"] ?? null).includes("in-the-input"));
    },
  },
];

export const triggerCases: readonly Case[] = [
  {
    does: "streams a request to its function and the answer back",
    known: "src",
    async holds(host) {
      const response = await host.call("/api/upper/there", { method: "POST", body: "abc" });
      deepEqual([response.status, response.headers.get("x-to"), await response.text()], [201, "there", "ABC"]);
      match(response.headers.get("x-ms-invocation-id") ?? "", /^[0-9a-f-]{36}$/);
    },
  },
  {
    does: "leaves the caller of a function that throws without an answer",
    known: "observed",
    holds: async (host) => ok(await host.hangs("/api/throws", HANGS_MS), "it was answered"),
  },
  {
    does: "leaves a caller without an answer who sends an invocation id of his own",
    known: "src",
    holds: async (host) =>
      ok(await host.hangs("/api/ticked", HANGS_MS, { "x-ms-invocation-id": randomUUID() }), "it was answered"),
  },
  {
    does: "answers 404 for a method that a route does not take, and a page at the root",
    known: "src",
    async holds(host) {
      equal((await host.call("/api/upper/there")).status, 404);
      equal((await host.call("/")).status, 200);
    },
  },
  {
    does: "runs a timer by its schedule",
    known: "doc",
    async holds(host) {
      await host.until("tick", async () => {
        const ticks = (await (await host.call("/api/ticked")).json()) as string[];
        return ticks.length > 0 || undefined;
      });
    },
  },
  {
    does: "answers Event Grid's handshake, and runs a function for each event of a delivery",
    known: "src",
    async holds(host, id) {
      const handshake = await deliver(host, "SubscriptionValidation", [{ data: { validationCode: "code" } }]);
      deepEqual(await handshake.json(), { validationResponse: "code" });
      equal((await deliver(host, "Notification", events(id, ["one", "two"]))).status, 202);
      deepEqual((await lines(host, id)).toSorted(), ["one", "two"]);
    },
  },
  {
    does: "asks for a key at webhooks and at its administration",
    known: "src",
    keys: true,
    async holds(host) {
      const paths = ["/admin/functions", "/runtime/webhooks/durabletask/instances"];
      for (const path of paths) {
        equal((await host.call(path)).status, 401, path);
        equal((await host.call(path, { headers: host.withKey })).status, 200, path);
      }
      equal((await host.call("/admin/host/ping")).status, 200);
    },
  },
];

export const deathCases: readonly Case[] = [
  {
    does: "uses up an attempt of an activity whose process dies",
    known: "observed",
    alone: true,
    async holds(host, id) {
      await host.isUp();
      await host.start("tries", id, "die");
      // Its process answers no request now.
      await host.isUp();
      equal((await host.ended(id)).output, 2);
    },
  },
  {
    does: "fails the instance whose turn the process dies in, for good",
    known: "observed",
    alone: true,
    async holds(host, id) {
      await host.isUp();
      await host.start("dies", id);
      await host.until("death", async () => (await lines(host, id).catch(() => [])).length > 0 || undefined);
      const { runtimeStatus, output } = await host.ended(id);
      equal(runtimeStatus, "Failed");
      match(String(output), /node exited with code 137/);
    },
  },
];

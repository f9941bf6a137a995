import type { HttpRequest, InvocationContext } from "@azure/functions";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import * as backup from "../../functions/backup/backup.contract.ts";
import * as inTurn from "../../functions/backup/backup-in-turn.contract.ts";
import * as scratch from "../../functions/backup/commit/remove-scratch.contract.ts";
import * as goOn from "../../functions/backup/go-on-alone.contract.ts";
import { ENDPOINTS } from "../../functions/endpoints.ts";
import * as leaver from "../../functions/holds/leaver.contract.ts";
import * as exchangeIds from "../../functions/id-translation/id-translation.contract.ts";
import * as claiming from "../../functions/jobs/claim-part.contract.ts";
import * as closing from "../../functions/jobs/close-job.contract.ts";
import * as wish from "../../functions/jobs/wish.contract.ts";
import * as notices from "../../functions/notify/notify.contract.ts";
import * as personalData from "../../functions/personal-data/personal-data.contract.ts";
import * as rehearsal from "../../functions/rehearsal/rehearsal.contract.ts";
import * as resolveList from "../../functions/restore/request/resolve-list.contract.ts";
import * as restore from "../../functions/restore/restore.contract.ts";
import * as restoreList from "../../functions/restore/restore-list.contract.ts";
import * as target from "../../functions/restore/target/hold-target.contract.ts";
import * as undo from "../../functions/restore/undo/undo.contract.ts";
import * as followUp from "../../functions/retention/retention.contract.ts";
import * as slots from "../../functions/slots/slots.contract.ts";
import * as tidy from "../../functions/tidy/tidy.contract.ts";
import * as verify from "../../functions/verify/verify.contract.ts";
import type { Callers } from "../../shared/http/guard.ts";
import { ROLES } from "../../shared/security/principal.ts";
import { aPrincipalHeader } from "../shared/security/a-principal.ts";
import { registeredApp } from "../support/registered-app.ts";
import { ask, PROBLEM } from "./fake-hub.ts";

const Binding = z.looseObject({
  type: z.string(),
  direction: z.string(),
  route: z.string().optional(),
  methods: z.array(z.string()).optional(),
  authLevel: z.string().optional(),
  schedule: z.string().optional(),
});

const handlers = new Map<string, (request: HttpRequest, context: InvocationContext) => unknown>();
const registered = new Map<string, z.output<typeof Binding>[]>();

beforeAll(async () => {
  const app = await registeredApp();
  for (const { metadata, callback } of app.functions.values()) {
    handlers.set(metadata.name, callback);
    registered.set(
      metadata.name,
      Object.values(metadata.bindings).map((binding) => Binding.parse(binding)),
    );
  }
});

const triggerOf = (name: string) => registered.get(name)?.find(({ type }) => type.endsWith("Trigger"));

const named = (type: string): string[] =>
  [...registered.keys()].filter((name) => triggerOf(name)?.type === type).toSorted();

const contracts = [
  backup,
  claiming,
  closing,
  exchangeIds,
  followUp,
  leaver,
  scratch,
  notices,
  personalData,
  rehearsal,
  restore,
  restoreList,
  slots,
  target,
  tidy,
  resolveList,
  undo,
  wish,
  goOn,
  inTurn,
  verify,
]
  .flatMap((contracts) => Object.values(contracts))
  .flatMap((value) => (typeof value === "object" && "retry" in value ? [value.name] : []));

describe("the app", () => {
  test("registers each of these HTTP routes, and no other", () => {
    const routes = named("httpTrigger").map((name) => {
      const { methods, route } = triggerOf(name) ?? {};
      return `${methods?.join()} ${route}: ${name}`;
    });

    expect(routes).toMatchInlineSnapshot(`
      [
        "POST jobs/{id}/cancel: cancel-job",
        "DELETE personal-data-exports/{id}: delete-personal-data-export",
        "GET coverage: get-coverage",
        "GET coverage/metrics: get-coverage-metrics",
        "GET jobs/{id}: get-job",
        "GET personal-data-exports/{id}: get-personal-data-export",
        "GET personal-data-exports/{id}/files/{*name}: get-personal-data-file",
        "GET restores/{id}/report: get-report",
        "GET mailboxes/{mailbox}/snapshots/{id}: get-snapshot",
        "GET jobs/{id}/result: get-translations",
        "GET uploads/{id}: get-upload",
        "GET mailboxes/{mailbox}/verification: get-verification",
        "GET health: health",
        "GET mailboxes/{mailbox}/snapshots/{id}/folders: list-folders",
        "GET mailboxes/{mailbox}/snapshots/{id}/items: list-items",
        "GET mailboxes: list-mailboxes",
        "GET mailboxes/{mailbox}/snapshots/{id}/problems: list-problems",
        "GET rehearsals: list-rehearsals",
        "GET mailboxes/{mailbox}/snapshots: list-snapshots",
        "POST jobs/{id}/pause: pause-job",
        "PUT uploads/{id}/pieces/{piece}: put-piece",
        "DELETE mailboxes/{mailbox}/hold: release-hold",
        "POST jobs/{id}/resume: resume-job",
        "PUT mailboxes/{mailbox}/hold: set-hold",
        "POST backups: start-backup",
        "POST personal-data-exports: start-personal-data-export",
        "POST restores: start-restore",
        "POST mailboxes/{mailbox}/retention: start-retention",
        "POST ids/translate: start-translation",
        "POST restores/{id}/undo: start-undo",
        "POST uploads: start-upload",
        "POST mailboxes/{mailbox}/verify: start-verify",
      ]
    `);
  });

  test("leaves authentication to the platform: no route has a key of its own", () => {
    const levels = named("httpTrigger").map((name) => triggerOf(name)?.authLevel);

    expect(new Set(levels)).toEqual(new Set(["anonymous"]));
  });

  test("registers its orchestrators", () => {
    expect(named("orchestrationTrigger")).toEqual([
      "backup-in-turn",
      "backup-mailbox",
      "backup-tenant",
      "clean-mailbox",
      "clean-vault",
      "export-personal-data",
      "follow-up-snapshot",
      "protect-leaver",
      "restore-in-turn",
      "restore-mailbox",
      "restore-mailboxes",
      "run-rehearsal",
      "tidy-work",
      "translate-exchange-ids",
      "undo-restore",
      "verify-vault",
    ]);
  });

  test("registers an activity for every contract, and none without", () => {
    expect(named("activityTrigger")).toEqual(contracts.toSorted());
  });

  test("runs its timers on the schedules of its settings", () => {
    const schedules = named("timerTrigger").map((name) => [name, triggerOf(name)?.schedule]);

    expect(Object.fromEntries(schedules)).toEqual({
      "nightly-backup": "%BACKUP_SCHEDULE%",
      "nightly-retention": "0 0 11 * * *",
      "nightly-tidy": "0 0 14 * * *",
      "rehearse-restore": "0 0 12 * * *",
      "rotating-verify": "0 0 13 * * *",
      "watch-coverage": "0 30 * * * *",
      "watch-jobs": "0 */5 * * * *",
    });
  });

  test("listens to events", () => {
    expect(named("eventGridTrigger")).toEqual(["personal-data-written", "snapshot-written", "user-changed"]);
  });

  test("serves each route with the method of the table", () => {
    const served = named("httpTrigger").map((name) => [name, triggerOf(name)?.methods, triggerOf(name)?.route]);

    expect(served.toSorted()).toEqual(
      Object.entries(ENDPOINTS)
        .map(([name, { method, route }]) => [name, [method], route])
        .toSorted(),
    );
  });

  test.each(Object.entries<{ callers: Callers }>(ENDPOINTS).filter(([, { callers }]) => callers !== "anyone"))(
    "%s answers 401 to a stranger, and 403 to someone without any of its roles",
    async (name, { callers }) => {
      const handler = handlers.get(name) ?? expect.fail("it is not registered");
      const others = ROLES.filter((role) => callers !== "anyone" && !callers.includes(role));
      const headers = aPrincipalHeader({ id: "0a0a0a0a-1111-4222-8333-444444444444", roles: others });

      expect(await ask(handler)).toMatchObject({ status: 401, headers: PROBLEM });
      expect(await ask(handler, { headers })).toMatchObject({ status: 403, body: { roles: callers } });
    },
  );

  test.each(Object.entries<{ callers: Callers }>(ENDPOINTS).filter(([name]) => name.startsWith("start-")))(
    "%s heeds Idempotency-Key, before anything else",
    async (name) => {
      const handler = handlers.get(name) ?? expect.fail("it is not registered");
      const caller = aPrincipalHeader({ id: "0a0a0a0a-1111-4222-8333-444444444444", roles: [...ROLES] });
      const headers = { ...caller, "idempotency-key": "no key" };

      expect(await ask(handler, { method: "POST", headers, body: "no JSON" })).toMatchObject({
        status: 400,
        body: { type: "/problems/invalid-idempotency-key" },
      });
    },
  );

  test.each(Object.entries<{ callers: Callers }>(ENDPOINTS).filter(([, { callers }]) => callers !== "anyone"))(
    "%s answers a failure that nobody foresaw, with its id",
    async (name) => {
      const handler = handlers.get(name) ?? expect.fail("it is not registered");
      const request = { method: "POST", headers: { get: () => expect.fail("Broken") } } as unknown as HttpRequest;
      const context = { invocationId: "inv-1", error: () => undefined } as unknown as InvocationContext;

      const { status, body } = (await handler(request, context)) as { status: number; body: string };
      expect([status, JSON.parse(body).id]).toEqual([500, "inv-1"]);
    },
  );

  test("gives the durable client to every route, and to functions that start or look for jobs", () => {
    const withClient = [...registered].filter(([, bindings]) => bindings.some(({ type }) => type === "durableClient"));
    const others = withClient.map(([name]) => name).filter((name) => !named("httpTrigger").includes(name));

    expect(others.toSorted()).toEqual([
      "claim-part",
      "discover-mailboxes",
      "go-on-alone",
      "hold-target",
      "nightly-backup",
      "nightly-retention",
      "nightly-tidy",
      "open-rehearsal",
      "personal-data-written",
      "reconcile-restore",
      "rehearse-restore",
      "report-undo",
      "retain-mailbox",
      "retain-mailboxes",
      "rotating-verify",
      "share-slots",
      "snapshot-written",
      "start-last-backup",
      "take-mailbox",
      "take-restore",
      "tidy-scratch",
      "user-changed",
      "watch-jobs",
    ]);
  });
});

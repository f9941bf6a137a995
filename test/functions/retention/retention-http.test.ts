import type { HttpRequest, InvocationContext } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { releaseHold } from "../../../functions/holds/release-hold.http.ts";
import { setHold } from "../../../functions/holds/set-hold.http.ts";
import { startRetention } from "../../../functions/retention/start-retention.http.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { RetentionPolicy } from "../../../shared/retention-policy.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { memoryAuditLog } from "../../shared/audit/memory-audit-log.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { noGraph, writeHistory } from "../browse/a-vault.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";

const OPERATOR = { id: "0a0a0a0a-1111-4222-8333-444444444444", roles: ["Backup.Operator"] };

const signedIn = (handler: SignedInHandler) => (request: HttpRequest, context: InvocationContext) =>
  handler(request, context, OPERATOR);

const aPlace = async (policy?: string) => {
  const vault = memoryBlobs();
  await writeHistory(
    vault,
    [1, 2, 3].map((n) => [[aPut({ changeKey: `${n}` })]]),
  );
  const audit = memoryAuditLog();
  const hub = aFakeHub();
  const deps = { ...hub, vault, audit, openGraph: noGraph, policy: policy && RetentionPolicy.parse(policy) };
  const lines = () =>
    [...audit.blobs.values()].flatMap((text) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    );
  return { ...deps, policy: deps.policy === "" ? undefined : deps.policy, lines, started: hub.started };
};

const params = { mailbox: aKey };

describe("POST /api/mailboxes/{mailbox}/retention", () => {
  test("shows why each snapshot stays or goes, and starts nothing", async () => {
    const place = await aPlace("last=2");

    const { status, body } = await ask(signedIn(startRetention(place)), { method: "POST", params });
    expect(status).toBe(200);
    expect(body).toEqual({
      mailbox: aKey,
      policy: "last=2",
      stay: 2,
      go: 1,
      snapshots: [
        { id: snapshotAt(0), started: "2026-11-22T01:00:00.000Z", stays: false, reasons: [] },
        { id: snapshotAt(1), started: "2026-11-22T01:00:01.000Z", stays: true, reasons: ["last 2"] },
        { id: snapshotAt(2), started: "2026-11-22T01:00:02.000Z", stays: true, reasons: ["newest", "last 1"] },
      ],
    });
    expect(place.started).toEqual([]);
    expect(place.lines()).toEqual([]);
  });

  test("tries another policy, also without a setting", async () => {
    const place = await aPlace();
    const body = { policy: "yearly=1" };

    expect(await ask(signedIn(startRetention(place)), { method: "POST", params, body })).toMatchObject({
      status: 200,
      body: { policy: "yearly=1", stay: 1, go: 2 },
    });
  });

  test("starts the removal without a dry run, and audits who asked for it", async () => {
    const place = await aPlace("last=2");
    const handler = signedIn(startRetention(place));
    const asked = { method: "POST" as const, params, body: { dryRun: false } };

    expect(await ask(handler, asked)).toMatchObject({ status: 202, body: { job: `clean-${aKey}` } });
    expect(place.started).toEqual([
      { name: "clean-mailbox", instanceId: `clean-${aKey}`, input: { mailboxKey: aKey } },
    ]);
    expect(place.lines()).toMatchObject([{ event: "retention-requested", principal: OPERATOR.id, mailbox: aKey }]);
    expect(await ask(handler, asked)).toMatchObject({ status: 409, headers: PROBLEM });
  });

  test("starts nothing that it cannot audit", async () => {
    const place = await aPlace("last=2");
    const audit = { append: () => Promise.reject(new Error("the log is full")) };
    const handler = signedIn(startRetention({ ...place, audit }));

    expect(await ask(handler, { method: "POST", params, body: { dryRun: false } })).toMatchObject({ status: 503 });
    expect(place.started).toEqual([]);
  });

  test.each([
    [400, { dryRun: "no" }],
    [400, { policy: "last=0" }],
    [400, { policy: "" }],
    [400, { dryRun: false, policy: "last=1" }],
    [400, { force: true }],
    [400, "{"],
    [409, {}],
    [409, { dryRun: false }],
  ])("answers %i for %j without a setting", async (status, body) => {
    const place = await aPlace();

    expect(await ask(signedIn(startRetention(place)), { method: "POST", params, body })).toMatchObject({
      status,
      headers: PROBLEM,
    });
  });

  test("answers 404 for a mailbox that the vault does not know", async () => {
    const place = await aPlace("last=2");
    const nobody = { params: { mailbox: "b".repeat(26) }, method: "POST" as const };

    expect(await ask(signedIn(startRetention(place)), nobody)).toMatchObject({ status: 404, headers: PROBLEM });
  });
});

describe("PUT and DELETE /api/mailboxes/{mailbox}/hold", () => {
  const UNTIL = "2999-01-01T00:00:00.000Z";

  test("hold a mailbox, change the hold, and end it, each with a line in the audit log", async () => {
    const place = await aPlace("last=1");
    const [set, release] = [signedIn(setHold(place)), signedIn(releaseHold(place))];
    const before = await readHead(place.vault, aKey);

    expect(await ask(set, { method: "PUT", params, body: { reason: "case 7", until: UNTIL } })).toMatchObject({
      status: 200,
      body: { mailbox: aKey, hold: { reason: "case 7", until: UNTIL } },
    });
    expect((await readHead(place.vault, aKey))?.hold).toMatchObject({ reason: "case 7", until: UNTIL });
    await ask(set, { method: "PUT", params, body: { reason: "case 8" } });
    expect((await readHead(place.vault, aKey))?.hold).toEqual({ since: expect.any(String), reason: "case 8" });
    const dryRun = await ask(signedIn(startRetention(place)), { method: "POST", params });
    expect(dryRun.body).toMatchObject({ hold: { reason: "case 8" }, stay: 3, go: 0 });

    expect(await ask(release, { method: "DELETE", params })).toMatchObject({ status: 200, body: { mailbox: aKey } });
    expect(await readHead(place.vault, aKey)).toEqual(before);
    expect(await ask(release, { method: "DELETE", params })).toMatchObject({ status: 404, headers: PROBLEM });
    expect(place.lines()).toMatchObject([
      { event: "hold-set", principal: OPERATOR.id, mailbox: aKey, reason: "case 7", until: UNTIL },
      { event: "hold-set", reason: "case 8" },
      { event: "hold-released", principal: OPERATOR.id, mailbox: aKey },
    ]);
  });

  test("change nothing that cannot be audited", async () => {
    const place = await aPlace();
    const audit = { append: () => Promise.reject(new Error("the log is full")) };

    const answer = await ask(signedIn(setHold({ ...place, audit })), { method: "PUT", params, body: { reason: "x" } });
    expect(answer).toMatchObject({ status: 503, headers: PROBLEM });
    expect((await readHead(place.vault, aKey))?.hold).toBeUndefined();
  });

  test.each([
    {},
    { reason: " " },
    { reason: "x", until: "tomorrow" },
    { reason: "x", until: "2020-01-01T00:00:00Z" },
    { reason: "x", since: UNTIL },
  ])("answer 400 for %j", async (body) => {
    const place = await aPlace();

    expect(await ask(signedIn(setHold(place)), { method: "PUT", params, body })).toMatchObject({ status: 400 });
  });

  test("answer 404 for a mailbox that the vault does not know", async () => {
    const place = await aPlace();
    const nobody = { params: { mailbox: "b".repeat(26) }, body: { reason: "x" } };

    expect(await ask(signedIn(setHold(place)), { method: "PUT", ...nobody })).toMatchObject({ status: 404 });
    expect(await ask(signedIn(releaseHold(place)), { method: "DELETE", ...nobody })).toMatchObject({ status: 404 });
  });
});

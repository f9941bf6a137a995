import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { ENDPOINTS } from "../../functions/endpoints.ts";
import type { Callers } from "../../shared/http/guard.ts";
import { ROLES } from "../../shared/security/principal.ts";
import { aPrincipalHeader } from "../shared/security/a-principal.ts";
import { eventually } from "../support/eventually.ts";
import { registeredApp } from "../support/registered-app.ts";
import { ADA, aStack, BO, stopStacks, type TestStack } from "../support/stack.ts";

const Problem = z.strictObject({
  type: z.string().startsWith("/problems/"),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  errors: z.array(z.strictObject({ field: z.string().min(1), message: z.string().min(1) })).optional(),
  mailbox: z.string().optional(),
  folder: z.string().optional(),
  job: z.string().optional(),
  location: z.string().optional(),
  roles: z.array(z.string()).optional(),
  maxBytes: z.int().optional(),
});

/** Who signs in, as the platform says it. */
const signedIn = (...roles: string[]) => aPrincipalHeader({ id: "0a0a0a0a-1111-4222-8333-444444444444", roles });
const OPERATOR = signedIn("Restore.Operator", "Backup.Operator");
const OFFICER = signedIn("Privacy.Officer");
const OFFICER_AND_OPERATOR = signedIn("Privacy.Officer", "Restore.Operator");

const Accepted = z.looseObject({ job: z.string() });

let stack: TestStack;

beforeAll(async () => {
  const mailboxes = [ADA, BO].map((userPrincipalName) => ({
    kind: "generated" as const,
    userPrincipalName,
    items: 10,
    bytes: { fixed: 2_000 },
  }));
  stack = await aStack({ graph: { mailboxes }, settings: { AUTHENTICATION: "platform" } }, OPERATOR);
  await stack.backUp(ADA);
});
afterAll(stopStacks);

const all = { all: true };
const reason = "a test";

describe("POST /api/backups answers 400 and names the field", () => {
  test.each<[body: unknown, field: string]>([
    [{ mailboxes: ADA }, "mailboxes"],
    [{ mailboxes: [] }, "mailboxes"],
    [{ mailboxes: [ADA, ""] }, "mailboxes.1"],
    [{ mailboxes: [null] }, "mailboxes.0"],
    [{ mailboxes: Array.from({ length: 101 }, () => ADA) }, "mailboxes"],
    [{ mailbox: ADA }, "(body)"],
    [JSON.parse('{"__proto__": {"mailboxes": []}}'), "(body)"],
    [[], "(body)"],
    [null, "(body)"],
    ["mailboxes", "(body)"],
    [7, "(body)"],
  ])("for %j", async (body, field) => {
    await expectInvalid(await post("/api/backups", JSON.stringify(body)), field);
  });
});

describe("POST /api/restores answers 400 and names the field", () => {
  test.each<[body: unknown, field: string]>([
    [{ select: all, reason }, "mailbox"],
    [{ mailbox: "", select: all, reason }, "mailbox"],
    [{ mailbox: 1, select: all, reason }, "mailbox"],
    [{ mailbox: ADA, reason }, "select"],
    [{ mailbox: ADA, select: "everything", reason }, "select"],
    [{ mailbox: ADA, select: {}, reason }, "select"],
    [{ mailbox: ADA, select: { folders: [] }, reason }, "select.folders"],
    [{ mailbox: ADA, select: all, snapshot: "yesterday", reason }, "snapshot"],
    [{ mailbox: ADA, select: all, snapshot: "../../head.json", reason }, "snapshot"],
    [{ mailbox: ADA, select: all, target: "elsewhere", reason }, "target"],
    [{ mailbox: ADA, select: all, dryRun: "yes", reason }, "dryRun"],
    [{ mailbox: ADA, select: all, onConflict: "overwrite", reason }, "onConflict"],
    [{ mailbox: ADA, select: all }, "reason"],
    [{ mailbox: ADA, select: all, reason: "" }, "reason"],
    [{ mailbox: ADA, select: all, reason: "x".repeat(501) }, "reason"],
  ])("for %j", async (body, field) => {
    await expectInvalid(await post("/api/restores", JSON.stringify(body)), field);
  });
});

describe.each(["/api/backups", "/api/restores", "/api/ids/translate"])("POST %s answers 400", (path) => {
  test.each<[kind: string, body: Uint8Array]>([
    ["text", Buffer.from("mailboxes=ada")],
    ["JSON that is cut off", Buffer.from('{"mailboxes": [')],
    ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0xff, 0xfe, 0x00, 0x7d)],
    ["brackets without end", Buffer.from("[".repeat(200_000))],
  ])("for %s", async (_, body) => {
    await expectInvalid(await post(path, body), "(body)");
  });
});

describe("a body of more than 4 MB is answered 413 with the way for larger input", () => {
  const tooLarge = Buffer.alloc(4 * 1024 * 1024 + 1, " ");
  const many = Buffer.alloc(30_000_000, " ");

  /** Sends a body without saying how long it is. */
  const inChunks = (path: string, body: Buffer): Promise<Response> => {
    const stream = new Blob([body]).stream();
    return fetch(new URL(path, stack.hostUrl), { method: "POST", headers: OPERATOR, body: stream, duplex: "half" });
  };

  test.each(["/api/restores", "/api/ids/translate", "/api/uploads", "/api/jobs/backup-tenant/pause"])(
    "POST %s",
    async (path) => {
      for (const body of [tooLarge, many])
        for (const response of [await post(path, body), await inChunks(path, body)])
          expect(await problemOf(response, 413)).toMatchObject({
            type: "/problems/body-too-large",
            maxBytes: 4_194_304,
            detail: expect.stringContaining("/api/uploads"),
          });
      // The same connections go on.
      expect((await post(path, tooLarge.subarray(1))).status).toBeLessThan(413);
    },
  );
});

describe("a restore is refused", () => {
  const body = JSON.stringify({ mailbox: ADA, select: all, dryRun: true, reason });

  test.each<[who: string, headers: Record<string, string>]>([
    ["who did not sign in", {}],
    ["whom the platform's header does not name", { "x-ms-client-principal": "bm9ib2R5" }],
  ])("with 401 to a caller %s", async (_, headers) => {
    expect((await problemOf(await post("/api/restores", body, headers), 401)).type).toBe("/problems/not-signed-in");
  });

  test("with 403 to a caller without the role, which it names", async () => {
    const problem = await problemOf(await post("/api/restores", body, signedIn("Restore.CrossMailbox")), 403);

    expect(problem).toMatchObject({ type: "/problems/role-missing", roles: ["Restore.Operator"] });
  });

  test("to nobody who signed in and has it", async () => {
    const response = await post("/api/restores", body);

    expect(response.status).toBe(202);
    await stack.api.finish(Accepted.parse(await response.json()).job);
  });
});

describe("a report is refused", () => {
  const path = "/api/restores/restore-20200101T000000Z-abc234/report";
  test.each<[status: number, who: string, headers: Record<string, string>]>([
    [401, "who did not sign in", {}],
    [403, "without the role", signedIn()],
    [406, "who takes neither JSON nor CSV", { ...OPERATOR, accept: "text/html" }],
  ])("with %i to a caller %s", async (status, _, headers) => {
    await problemOf(await fetch(new URL(path, stack.hostUrl), { headers }), status);
  });
});

describe("an export of personal data is refused", () => {
  const path = "/api/personal-data-exports";
  const body = { user: ADA, reason };

  test.each<[status: number, what: string, body: object, headers: Record<string, string>, kind: string]>([
    [401, "who did not sign in", body, {}, "not-signed-in"],
    [403, "without the role", body, OPERATOR, "role-missing"],
    [400, "who gives no reason", { user: ADA }, OFFICER, "invalid-request"],
    [404, "who names nobody", { ...body, user: "nobody@contoso.example" }, OFFICER, "user-not-found"],
    [403, "who wants the mailbox and may not restore it", { ...body, includeMailbox: true }, OFFICER, "role-missing"],
    [
      404,
      "who wants a mailbox that the vault has not",
      { ...body, user: BO, includeMailbox: true },
      OFFICER_AND_OPERATOR,
      "snapshot-not-found",
    ],
    [400, "who names a path instead of a person", { ...body, user: ".." }, OFFICER, "invalid-request"],
  ])("with %i to a caller %s", async (status, _, body, headers, kind) => {
    const problem = await problemOf(await post(path, JSON.stringify(body), headers), status);
    expect(problem.type).toBe(`/problems/${kind}`);
  });

  test("with 409 and its id while another of the same person runs, which is not removed either", async () => {
    const { job } = Accepted.parse(await (await post(path, JSON.stringify(body), OFFICER)).json());

    expect(await problemOf(await post(path, JSON.stringify(body), OFFICER), 409)).toMatchObject({ job });
    await problemOf(await stack.api.request(`${path}/${job}`, { method: "DELETE", headers: OFFICER }), 409);
    await stack.api.request(`/api/jobs/${job}/cancel`, { method: "POST", headers: OFFICER });
    await eventually("end of the job", async () => (await stack.api.job(job))?.state === "cancelled" || undefined);
    expect((await stack.api.request(`${path}/${job}`, { method: "DELETE", headers: OFFICER })).status).toBe(204);
  });
});

describe("what does not exist is answered with 404", () => {
  const unknownSnapshot = "20200101T000000Z-abc234";
  test.each<[what: string, path: string, body: unknown, kind: string]>([
    ["a mailbox to back up", "/api/backups", { mailboxes: ["nobody@contoso.example"] }, "mailbox-not-found"],
    ["one of two mailboxes", "/api/backups", { mailboxes: [ADA, "nobody@contoso.example"] }, "mailbox-not-found"],
    ["a mailbox key", "/api/backups", { mailboxes: ["a".repeat(26)] }, "mailbox-not-found"],
    ["a name like a path", "/api/backups", { mailboxes: ["../users/x?$select=id#"] }, "mailbox-not-found"],
    ["a name of dots", "/api/backups", { mailboxes: [".."] }, "mailbox-not-found"],
    ["a name with a quote", "/api/backups", { mailboxes: ["o'hara' or 1 eq 1"] }, "mailbox-not-found"],
    ["a name with control characters", "/api/backups", { mailboxes: ["a\u0000\r\nb: c"] }, "mailbox-not-found"],
    ["a long name", "/api/backups", { mailboxes: ["é".repeat(10_000)] }, "mailbox-not-found"],
    ["half a character", "/api/backups", { mailboxes: ["\ud800"] }, "mailbox-not-found"],
    [
      "a mailbox to restore",
      "/api/restores",
      { mailbox: "nobody@contoso.example", select: all, reason },
      "mailbox-not-found",
    ],
    ["a mailbox without snapshot", "/api/restores", { mailbox: BO, select: all, reason }, "snapshot-not-found"],
    [
      "a snapshot",
      "/api/restores",
      { mailbox: ADA, select: all, snapshot: unknownSnapshot, reason },
      "snapshot-not-found",
    ],
    ["a folder", "/api/restores", { mailbox: ADA, select: { folders: ["Inbox/Nowhere"] }, reason }, "folder-not-found"],
    [
      "one of two folders",
      "/api/restores",
      { mailbox: ADA, select: { folders: ["inbox", "x"] }, reason },
      "folder-not-found",
    ],
  ])("%s", async (_, path, body, kind) => {
    const problem = await problemOf(await post(path, JSON.stringify(body)), 404);
    expect(problem.type).toBe(`/problems/${kind}`);
  });

  test.each([
    "/api/jobs/nothing",
    "/api/jobs/restore-20200101T000000Z-abc234",
    "/api/jobs/backup-tenant-place-0",
    "/api/jobs/..%2F..%2Fadmin",
    `/api/jobs/${"x".repeat(5_000)}`,
    "/api/mailboxes/nobody@contoso.example/snapshots",
    "/api/mailboxes/%25/snapshots",
    "/api/mailboxes/..%2Fusers/snapshots",
    `/api/mailboxes/${"x".repeat(5_000)}/snapshots`,
    "/api/mailboxes/%E2%82%AC'%20%3F/snapshots",
  ])("GET %s", async (path) => {
    await problemOf(await stack.api.request(path), 404);
  });

  test.each(["restore-20200101T000000Z-abc234", "backup-tenant", "..%2Fplan.json"])(
    "GET /api/restores/%s/report",
    async (id) => {
      const response = await stack.api.request(`/api/restores/${id}/report`);
      expect((await problemOf(response, 404)).type).toBe("/problems/restore-not-found");
    },
  );

  // The host's own server refuses it, in Azure too.
  test("an encoded zero is refused", async () => {
    expect((await stack.api.request("/api/jobs/%00")).status).toBe(400);
  });

  // Routing is the host's own, in Azure too: its answer has no body.
  test.each([
    ["GET", "/api/backups"],
    ["GET", "/api/restores"],
    ["PUT", "/api/backups"],
    ["DELETE", "/api/jobs/backup-tenant"],
    ["POST", "/api/mailboxes"],
    ["GET", "/api"],
    ["GET", "/api/nothing"],
  ])("%s %s", async (method, path) => {
    expect((await stack.api.request(path, { method })).status).toBe(404);
  });
});

describe("while a backup is running", () => {
  test.each<[of: string, mailbox: string]>([
    ["the same mailbox", BO],
    ["another one", ADA],
  ])("a second one of %s is answered with 409 and the job that is in the way", async (_, mailbox) => {
    await stack.graph.run("add-fault", { kind: "hold", endpoint: "export-items" });
    const first = await stack.api.start("/api/backups", { mailboxes: [BO] });
    const key = await stack.keyOf(BO);
    await eventually("backup", async () => (await stack.api.job(`backup-${key}`))?.state === "running" || undefined);

    const problem = await problemOf(await post("/api/backups", JSON.stringify({ mailboxes: [mailbox] })), 409);
    expect(problem.job).toBe(mailbox === BO ? `backup-${key}` : first);
    expect((await stack.api.request(problem.location ?? "")).status).toBe(200);

    await stack.graph.run("clear-faults");
    await stack.api.finish(first);
    await stack.backUp(mailbox);
  });
});

/** A path of an endpoint, about a mailbox that is there and whatever else is not. */
const pathOf = (route: string): string =>
  `/api/${route.replace("{mailbox}", ADA).replace("{id}", "20200101T000000Z-abc234").replace("{*name}", "file")}`;

describe("the app as it is deployed", () => {
  test("has exactly the functions that are registered", async () => {
    const listed = Functions.parse(await stack.api.get("/admin/functions")).map(({ name }) => name);

    expect(listed.toSorted()).toEqual([...(await registeredApp()).functions.keys()].toSorted());
  });

  test.each(Object.entries<{ method: string; route: string; callers: Callers }>(ENDPOINTS))(
    "lets nobody call %s but who has one of its roles",
    async (_, { method, route, callers }) => {
      const statusFor = async (headers: Record<string, string>) => {
        const body = method === "GET" ? {} : { body: "{}" };
        const url = new URL(pathOf(route), stack.hostUrl);
        return (await fetch(url, { method, headers: { "content-type": "application/json", ...headers }, ...body }))
          .status;
      };
      const others = ROLES.filter((role) => callers !== "anyone" && !callers.includes(role));

      if (callers === "anyone") return expect(await statusFor({})).toBe(200);
      expect(await statusFor({})).toBe(401);
      expect(await statusFor(signedIn(...others))).toBe(403);
      for (const role of callers) expect(ITS_OWN_ANSWERS).toContain(await statusFor(signedIn(role)));
    },
  );
});

/** What a handler itself answers to a request without anything in it. */
const ITS_OWN_ANSWERS = [200, 202, 400, 404, 409];

const Functions = z.array(z.looseObject({ name: z.string() }));

const post = (path: string, body: string | Uint8Array, as: Record<string, string> = OPERATOR): Promise<Response> => {
  const headers = { "content-type": "application/json", ...as };
  return fetch(new URL(path, stack.hostUrl), { method: "POST", headers, body: Buffer.from(body) });
};

const problemOf = async (response: Response, status: number) => {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.any(String)]);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = Problem.parse(JSON.parse(text));
  expect(problem.status).toBe(status);
  return problem;
};

const expectInvalid = async (response: Response, field: string): Promise<void> => {
  const { type, detail, errors = [] } = await problemOf(response, 400);
  expect(type).toBe("/problems/invalid-request");
  expect(errors.map((error) => error.field)).toEqual([field]);
  expect(detail).not.toContain("\n");
};

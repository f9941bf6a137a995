import { HttpRequest, type HttpResponseInit, InvocationContext } from "@azure/functions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { bodyOf, noInput, queryOf } from "../../shared/http/input.ts";
import { json } from "../../shared/http/problem.ts";
import { type MailboxSource, mailboxRoute, storedMailboxRoute } from "../../shared/mailbox-route.ts";
import { NOBODY } from "../../shared/security/principal.ts";
import { headName } from "../../shared/vault/names.ts";
import { memoryBlobs } from "./storage/memory-blobs.ts";
import { aKey } from "./vault/samples.ts";

/** A key is looked up in the vault only: this client has no method that asks the directory. */
const noGraph = (() => ({})) as unknown as MailboxSource["openGraph"];

const asked = (mailbox: string, { query = {}, body }: { query?: Record<string, string>; body?: string } = {}) =>
  new HttpRequest({
    url: "http://127.0.0.1/api/mailboxes/x",
    method: body === undefined ? "GET" : "POST",
    params: { mailbox },
    query,
    ...(body === undefined ? {} : { body: { string: body } }),
  });

const context = new InvocationContext({ functionName: "test", logHandler: () => undefined });
const kindOf = ({ status, body }: HttpResponseInit) => [status, (JSON.parse(String(body)) as { type?: string }).type];

const withDamagedHead = async () => {
  const vault = memoryBlobs();
  await vault.create(headName(aKey), Buffer.from("{"));
  return { openGraph: noGraph, vault };
};

describe("a route below mailboxes/{mailbox}", () => {
  test("answers 404 for a mailbox that the vault does not know", async () => {
    const source = { openGraph: noGraph, vault: memoryBlobs() };
    const never = () => expect.unreachable("there is no mailbox to answer for");

    for (const route of [mailboxRoute(source, noInput, never), storedMailboxRoute(source, noInput, never)])
      expect(kindOf(await route(asked(aKey), context))).toEqual([404, "/problems/mailbox-not-found"]);
  });

  test("answers 400 for input that does not parse, before it looks for the mailbox", async () => {
    const source = { openGraph: noGraph, vault: memoryBlobs() };
    const never = () => expect.unreachable("the input is wrong");
    const Input = z.strictObject({ size: z.coerce.number() });

    for (const [read, request] of [
      [queryOf(Input), asked(aKey, { query: { size: "many" } })],
      [bodyOf(Input), asked(aKey, { body: "{" })],
    ] as const)
      expect(kindOf(await mailboxRoute(source, read, never)(request, context))).toEqual([
        400,
        "/problems/invalid-request",
      ]);
  });

  test("names the damaged blob", async () => {
    const route = mailboxRoute(await withDamagedHead(), noInput, () => json(200, {}));

    expect(JSON.parse(String((await route(asked(aKey), context)).body))).toMatchObject({
      type: "/problems/vault-damaged",
      blob: headName(aKey),
    });
  });

  test("throws any error other than damage, for the host to report", async () => {
    const fails = () => Promise.reject(new Error("the storage is gone"));
    const route = storedMailboxRoute(await withDamagedHead(), noInput, fails);

    await expect(route(asked(aKey), context)).rejects.toThrow("the storage is gone");
  });
});

describe("a route to a mailbox in the vault", () => {
  test("serves one whose head is damaged, and passes on the caller and the input", async () => {
    const Input = z.strictObject({ size: z.coerce.number() });
    const route = storedMailboxRoute(await withDamagedHead(), queryOf(Input), (mailbox, { input, principal }) =>
      json(200, { mailbox, input, principal }),
    );

    const { body } = await route(asked(aKey, { query: { size: "3" } }), context);
    expect(JSON.parse(String(body))).toEqual({ mailbox: aKey, input: { size: 3 }, principal: NOBODY });
  });
});

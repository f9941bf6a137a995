import { describe, expect, test } from "vitest";
import { guardOf } from "../../../shared/http/guard.ts";
import { json } from "../../../shared/http/problem.ts";
import { principalOf } from "../../../shared/security/principal.ts";
import { ask, PROBLEM } from "../../functions/fake-hub.ts";
import { aPrincipalHeader } from "../security/a-principal.ts";

const ID = "0a0a0a0a-1111-4222-8333-444444444444";

const guarded = (calls: string[] = []) =>
  guardOf(principalOf("platform"))(["Restore.Operator"], (_request, _context, { id }) => {
    calls.push(id);
    return json(200, { caller: id });
  });

describe("guard", () => {
  test("calls the handler with the principal", async () => {
    const headers = aPrincipalHeader({ id: ID, roles: ["Other", "Restore.Operator"] });

    expect(await ask(guarded(), { headers })).toMatchObject({ status: 200, body: { caller: ID } });
  });

  test("answers 401 to a caller who is not signed in", async () => {
    const calls: string[] = [];

    expect(await ask(guarded(calls), { headers: { "x-ms-client-principal": "garbage" } })).toMatchObject({
      status: 401,
      headers: PROBLEM,
      body: { type: "/problems/not-signed-in" },
    });
    expect(calls).toEqual([]);
  });

  test.each([[[]], [["Restore.CrossMailbox"]], [["restore.operator"]], [["Restore.Operator.Not"]]])(
    "answers 403 to a caller with the roles %j, and names the one that is missing",
    async (roles) => {
      const calls: string[] = [];

      expect(await ask(guarded(calls), { headers: aPrincipalHeader({ id: ID, roles }) })).toMatchObject({
        status: 403,
        headers: PROBLEM,
        body: { type: "/problems/role-missing", roles: ["Restore.Operator"] },
      });
      expect(calls).toEqual([]);
    },
  );
});

import { describe, expect, test } from "vitest";
import { getHealth } from "../../../functions/coverage/health.http.ts";
import { ask, PROBLEM } from "../fake-hub.ts";

describe("GET /api/health", () => {
  test("is healthy while the vault is in reach", async () => {
    expect(await ask(getHealth({ reachVault: async () => true }))).toMatchObject({
      status: 200,
      body: { status: "healthy", program: expect.any(String) },
    });
  });

  test("reports that the vault's container is missing", async () => {
    expect(await ask(getHealth({ reachVault: async () => false }))).toMatchObject({
      status: 503,
      headers: PROBLEM,
      body: { type: "/problems/vault-missing" },
    });
  });

  test("reports that the vault is out of reach, but not why: anyone may ask", async () => {
    const reachVault = async () => {
      throw new Error("https://account.blob.core.windows.net refused sig=secret");
    };

    const { status, body, text } = await ask(getHealth({ reachVault }));

    expect(status).toBe(503);
    expect(body).toMatchObject({ type: "/problems/vault-unreachable" });
    expect(text).not.toMatch(/account|secret/);
  });
});

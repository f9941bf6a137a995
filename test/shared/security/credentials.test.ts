import { ManagedIdentityCredential } from "@azure/identity";
import { describe, expect, test } from "vitest";
import { dutyCredential } from "../../../shared/security/credentials.ts";

describe("dutyCredential", () => {
  test("returns a fixed token for an emulator, valid for an hour", async () => {
    const before = Date.now();
    const token = await dutyCredential({ kind: "local-token", token: "let-me-in" }).getToken("any");

    expect(token?.token).toBe("let-me-in");
    expect(token?.expiresOnTimestamp).toBeGreaterThanOrEqual(before + 3_600_000);
  });

  test.each([undefined, "11111111-2222-3333-4444-555555555555"])(
    "is the managed identity with the client id %s",
    (clientId) => {
      expect(dutyCredential({ kind: "managed-identity", clientId })).toBeInstanceOf(ManagedIdentityCredential);
    },
  );
});

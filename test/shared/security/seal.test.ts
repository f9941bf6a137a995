import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sealer } from "../../../shared/security/seal.ts";

const PURPOSE = "import-session:one";
const REFUSED = `A sealed value for ${PURPOSE} does not open`;

describe("sealer", () => {
  const key = randomBytes(32);
  const { seal, open } = sealer(key);

  test("opens what it sealed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (secret, purpose) => {
        expect(open(seal(secret, purpose), purpose)).toBe(secret);
      }),
    );
  });

  test("hides the secret, and never seals the same way twice", () => {
    const sealed = seal("authtoken=eyJhbGciOi", PURPOSE);

    expect(Buffer.from(sealed, "base64url").toString("latin1")).not.toContain("authtoken");
    expect(seal("authtoken=eyJhbGciOi", PURPOSE)).not.toBe(sealed);
    expect(sealed).toMatch(/^[\w-]+$/);
  });

  test("refuses a value with any bit changed", () => {
    const sealed = Buffer.from(seal("secret", PURPOSE), "base64url");
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => open(altered.toString("base64url"), PURPOSE)).toThrow(REFUSED);
    }
  });

  test("refuses a value cut at any length", () => {
    const sealed = Buffer.from(seal("secret", PURPOSE), "base64url");
    for (let bytes = 0; bytes < sealed.length; bytes += 1) {
      expect(() => open(sealed.subarray(0, bytes).toString("base64url"), PURPOSE)).toThrow(REFUSED);
    }
  });

  test("refuses another purpose, and another key", () => {
    const sealed = seal("secret", "import-session:two");

    expect(() => open(sealed, PURPOSE)).toThrow(REFUSED);
    expect(() => sealer(randomBytes(32)).open(seal("secret", PURPOSE), PURPOSE)).toThrow(/was SEAL_KEY changed/);
  });
});

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redactError, redactor } from "../../../shared/security/redact.ts";

const sealKey = randomBytes(32).toString("base64");
const redact = redactor([sealKey, ""]);

const secret = fc.string({
  unit: fc.constantFrom(..."ABCDEFGHIJKLMabcdefghijklm0123456789-_"),
  minLength: 12,
  maxLength: 60,
});
const base64 = fc.uint8Array({ minLength: 12, maxLength: 48 }).map((bytes) => Buffer.from(bytes).toString("base64"));

/** Every form of a secret in a text, around the part that must not appear. */
const carrier = fc.oneof(
  fc.tuple(base64, fc.boolean()).map(([sig, withMore]) => {
    const value = encodeURIComponent(sig);
    const url = `https://account.blob.core.windows.net/dsr-1/RequestInfo.json?sv=2026-02-06&sp=c&sig=${value}`;
    return { text: withMore ? `${url}&se=2026-11-22T00%3A00%3A00Z` : url, core: value };
  }),
  base64.map((sig) => ({ text: `sv=2026-02-06&sr=c&sig=${encodeURIComponent(sig)}`, core: encodeURIComponent(sig) })),
  secret.map((core) => ({ text: `https://outlook.office365.com/api/gv1.0/x/importItem?authtoken=${core}`, core })),
  secret.map((core) => ({ text: `Authorization: Bearer ${core}`, core })),
  fc.tuple(base64, secret).map(([payload, core]) => {
    const body = `eyJ${payload.replace(/[+/=]/g, "_")}`;
    return { text: `token eyJhbGciOiJSUzI1NiJ9.${body}.${core}`, core: `${body}.${core}` };
  }),
  base64.map((core) => ({ text: `AccountName=a;AccountKey=${core};EndpointSuffix=x`, core })),
  secret.map((core) => ({ text: `{"access_token":"${core}","expires_in":3599}`, core })),
  secret.map((core) => ({ text: `{ "importUrl": "https://h.example/${core}" }`, core })),
  secret.map((core) => ({ text: `https://user:${core}@host.example/path`, core })),
  fc.constantFrom(sealKey, encodeURIComponent(sealKey)).map((core) => ({ text: `key ${core} is short`, core })),
);

const words = fc.string({ unit: "binary", maxLength: 40 });

describe("redactor", () => {
  test("removes every secret, in any surroundings", () => {
    fc.assert(
      fc.property(words, carrier, words, (before, { text, core }, after) => {
        expect(redact(`${before} ${text} ${after}`)).not.toContain(core);
      }),
      { numRuns: 10_000 },
    );
  });

  test.each([
    "Graph answered 404 ErrorItemNotFound to exportItems (request-id 0a0a0a0a-1111-4222-8333-444444444444)",
    '{"code":"ErrorItemNotFound","message":"The item was not found."}',
    "aaaaaaaaaaaaaaaaaaaaaaaaaa/packs/20261122T010000Z-abc234/c0-b1.zip: holds other bytes",
    "see https://graph.microsoft.com/v1.0/users for more",
    "wave 3 of backup-mailbox: 120 items, 4 lanes",
  ])("leaves other text alone: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  test("marks where a secret was, and keeps the text around it", () => {
    expect(redact("PUT https://a.blob.core.windows.net/c/b?sig=abc&x=1 failed")).toBe(
      "PUT https://a.blob.core.windows.net/c/b?[redacted] failed",
    );
  });
});

describe("redactError", () => {
  test("cleans message, stack and causes, and keeps the class", () => {
    const error = new AggregateError([new Error(`a ${sealKey}`)], `b ${sealKey}`, {
      cause: new TypeError(`c ${sealKey}`),
    });
    const shown = redactError(error, redact);

    expect(shown).toBeInstanceOf(AggregateError);
    const { message, stack, cause, errors } = shown as AggregateError & { cause: Error; errors: Error[] };
    const all = [
      message,
      stack,
      cause.message,
      cause.stack,
      ...errors.flatMap((each) => [each.message, each.stack]),
    ].join();
    expect(all).not.toContain(sealKey);
    expect(message).toBe("b [redacted]");
    expect(cause).toBeInstanceOf(TypeError);
  });

  test.each([
    ["an abort, whose message cannot be assigned", new DOMException(`stopped ${sealKey}`, "AbortError")],
    ["a frozen error", Object.freeze(new Error(`frozen ${sealKey}`))],
    ["a thrown text", `text ${sealKey}`],
  ])("cleans %s", (_what, thrown) => {
    expect(String(redactError(thrown, redact))).not.toContain(sealKey);
  });

  test("passes on a value that is not an error", () => {
    expect(redactError(undefined, redact)).toBeUndefined();
  });
});

describe("a redactor of what somebody sent", () => {
  /** Texts that look like the beginning of a secret everywhere, and never are one. */
  test.each(["a.", "a-", "http://a", "eyJabcdef-", "https://", "bearer ", "token:", "sig", "x@"])(
    "is done with a megabyte of %j: with time that grew with its square, this would outlast the test",
    (piece) => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      expect(redact(text).length).toBeGreaterThan(0);
    },
  );
});

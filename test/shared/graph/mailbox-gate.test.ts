import { describe, expect, test } from "vitest";
import { mailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import { aKey } from "../vault/samples.ts";

const other = aKey.replaceAll(/./g, "b");

describe("mailboxGates", () => {
  test("closes one mailbox for as long as the longest wait that was asked for", () => {
    let now = 0;
    const gates = mailboxGates(() => now);
    gates.of(aKey).close(5_000);
    gates.of(aKey).close(3_000);

    expect(gates.of(aKey).closedMs()).toBe(5_000);
    expect(gates.of(other).closedMs()).toBe(0);
    now = 4_000;
    expect(gates.of(aKey).closedMs()).toBe(1_000);
    now = 5_000;
    expect(gates.of(aKey).closedMs()).toBe(0);
  });
});

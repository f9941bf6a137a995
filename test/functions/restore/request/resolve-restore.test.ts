import { describe, expect, test } from "vitest";
import { missingRole } from "../../../../functions/restore/request/resolve-restore.ts";

const [ada, bo] = ["a".repeat(26), "b".repeat(26)] as const;
const caller = (...roles: string[]) => ({ id: "0a0a0a0a-1111-4222-8333-444444444444", roles });

describe("missingRole", () => {
  test("needs no more when a mailbox is restored into itself", () => {
    expect(missingRole(caller("Restore.Operator"), { source: ada, target: ada })).toBeUndefined();
  });

  test("needs a role of its own when the target is another mailbox", () => {
    const mailboxes = { source: ada, target: bo };

    expect(missingRole(caller("Restore.Operator"), mailboxes)).toBe("Restore.CrossMailbox");
    expect(missingRole(caller("Restore.Operator", "Restore.CrossMailbox"), mailboxes)).toBeUndefined();
  });
});

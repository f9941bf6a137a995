import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ExchangeAssignments, GRANTS, judgeGrants } from "../../../tools/check-grants/excess.ts";

const MAIL_READ = "810c84a8-4a9e-49e6-bf7d-12d183f40d01";
const NAMES = new Map([
  [MAIL_READ, "Mail.Read"],
  ...Object.entries(GRANTS.backup.graph).map(([name, id]) => [id, name] as const),
]);

const whatBackupNeeds = {
  graph: Object.values(GRANTS.backup.graph),
  exchange: GRANTS.backup.exchange.map((role) => ({ role, scope: "MailboxVault-backup" })),
};

describe("judgeGrants", () => {
  test("accepts exactly the rights that the duty needs", () => {
    expect(judgeGrants("backup", whatBackupNeeds, NAMES)).toEqual({ tooMuch: [], missing: [] });
  });

  test("reports that a mailbox permission in Graph overrides the scope", () => {
    const held = { ...whatBackupNeeds, graph: [...whatBackupNeeds.graph, MAIL_READ] };
    expect(judgeGrants("backup", held, NAMES).tooMuch).toEqual([
      "Mail.Read in Graph reaches every mailbox of the tenant, whatever its scope in Exchange: remove it",
    ]);
  });

  test("reports a right without a scope, and one of another duty", () => {
    const exchange = [
      { role: "Application MailboxFolder.Read", scope: "" },
      { role: "Application MailboxItem.ImportExport", scope: "MailboxVault-backup" },
    ];
    expect(judgeGrants("backup", { graph: whatBackupNeeds.graph, exchange }, NAMES)).toEqual({
      tooMuch: [
        "Application MailboxItem.ImportExport in Exchange is not needed: remove it",
        "Application MailboxFolder.Read in Exchange has no scope and reaches every mailbox: give it one",
      ],
      missing: ["Application MailboxItem.Read in Exchange", "Application MailboxItem.Export in Exchange"],
    });
  });

  test("lets a duty do without a right that is given by choice, which needs a scope too", () => {
    const role = "Application MailboxItem.ReadWrite";
    const restore = {
      graph: Object.values(GRANTS.restore.graph),
      exchange: GRANTS.restore.exchange.map((each) => ({ role: each, scope: "MailboxVault-restore" })),
    };
    const tooMuchWith = (scope: string) =>
      judgeGrants("restore", { ...restore, exchange: [...restore.exchange, { role, scope }] }, NAMES).tooMuch;

    expect(judgeGrants("restore", restore, NAMES)).toEqual({ tooMuch: [], missing: [] });
    expect(tooMuchWith("MailboxVault-restore")).toEqual([]);
    expect(tooMuchWith("")).toEqual([`${role} in Exchange has no scope and reaches every mailbox: give it one`]);
    const backup = { ...whatBackupNeeds, exchange: [...whatBackupNeeds.exchange, { role, scope: "x" }] };
    expect(judgeGrants("backup", backup, NAMES).tooMuch).toEqual([`${role} in Exchange is not needed: remove it`]);
  });

  test("reads a list of one as PowerShell writes it", () => {
    expect(ExchangeAssignments.parse({ role: "a", scope: "" })).toEqual([{ role: "a", scope: "" }]);
  });
});

describe("infra/**/*.sh", () => {
  const root = fileURLToPath(new URL("../../../infra/", import.meta.url));
  const scripts = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sh"));

  test.each(scripts)("%s parses, stops at the first failure, and prints its usage", (script) => {
    execFileSync("bash", ["-n", script], { cwd: root });
    expect(() => execFileSync("bash", [script], { cwd: root, stdio: "pipe" })).toThrow(/usage: /);
  });
});

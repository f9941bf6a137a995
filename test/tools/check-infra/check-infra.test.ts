import { beforeAll, describe, expect, test } from "vitest";
import { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { CONTAINERS } from "../../../shared/storage/containers.ts";
import { baseName, manifestName, packName } from "../../../shared/vault/names.ts";
import { checkFreshness, checkRules } from "../../../tools/check-infra/check-infra.ts";
import { lineOf } from "../../../tools/check-infra/finding.ts";
import { openProject, type Project, type Registered, registrations } from "../../../tools/check-infra/project.ts";
import { checkUse } from "../../../tools/check-infra/rules/rights.ts";

let functions: readonly Registered[];
let sound: Project;

beforeAll(async () => {
  functions = await registrations();
  sound = openProject(functions);
});

/** A mistake in one file: the passage that is replaced, and what is said of it. */
type Mistake = readonly [mistake: string, path: string, passage: string | RegExp, instead: string, found: RegExp];

const MISTAKES: readonly Mistake[] = [
  [
    "a setting of the sample that nobody reads",
    "local.settings.sample.json",
    '"AUTHENTICATION"',
    '"AUTHENTIFICATION"',
    /sample.json: nobody reads/,
  ],
  [
    "inputs in the traces",
    "host.json",
    '"traceInputsAndOutputs": false',
    '"traceInputsAndOutputs": true',
    /must not be traced/,
  ],
  ["an option of the host with a wrong name", "host.json", '"partitionCount"', '"partitions"', /storageProvider/],
  ["logs of every storage call", "host.json", '"Azure.Core": "Warning"', '"Azure.Core": "Information"', /costs more/],
  ["orders that wait half a minute", "host.json", '"00:00:05"', '"00:00:30"', /orders would wait/],
  [
    "a permission of Graph under another's id",
    "infra/identity/grants.json",
    "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "df021288-bdef-4463-88db-98f22de89214",
    /not the id of GroupMember/,
  ],
  [
    "a backup that may import",
    "infra/identity/grants.json",
    "Application MailboxItem.Export",
    "Application MailboxItem.ImportExport",
    /backup must not hold/,
  ],
  [
    "an app role that nobody can have",
    "infra/identity/api-roles.json",
    '"Privacy.Officer"',
    '"Privacy.Official"',
    /Privacy.Officer, which nobody can have/,
  ],
  ["an action that is not pinned", ".github/workflows/ci.yml", /@3d3c42e\w+ # v7.0.1/, "@v7", /named by its commit/],
  ["a workflow with a misspelt key", ".github/workflows/ci.yml", "runs-on:", "run-on:", /run-on/],
  [
    "a workflow with a key twice",
    ".github/workflows/ci.yml",
    "on:\n",
    "on: push\non:\n",
    /^\.github.*keys must be unique at line \d+, column 1$/,
  ],
  [
    "a version that YAML takes for a number",
    ".github/workflows/deploy.yml",
    /node-version: "22"/,
    "node-version: 22",
    /with\.node-version/,
  ],
  [
    "a sign-in outside of an environment",
    ".github/workflows/deploy.yml",
    /^ {4}environment: prod\n/m,
    "",
    /outside of an environment/,
  ],
  [
    "a workflow that does not hand a variable on",
    ".github/workflows/deploy.yml",
    /^ {6}API_CLIENT_ID: .*\n/m,
    "",
    /does not hand API_CLIENT_ID on/,
  ],
  [
    "an azure.yaml that is not YAML",
    "azure.yaml",
    "services:",
    "services: [",
    /^azure\.yaml: .* at line \d+, column \d+$/,
  ],
  [
    "an azure.yaml that deploys the checkout",
    "azure.yaml",
    "project: package",
    "project: .",
    /deploy the folder package/,
  ],
  [
    "a build far away of what is shipped",
    "azure.yaml",
    "remoteBuild: false",
    "remoteBuild: true",
    /cannot be built again/,
  ],
  ["a hook that runs what is not there", "azure.yaml", "preprovision.mjs }", "preprovide.mjs }", /neither a program/],
  [
    "a hook that runs a script that is not there",
    "azure.yaml",
    "npm run package }",
    "npm run pack }",
    /neither a program of infra nor a script of package.json: npm run pack$/,
  ],
  [
    "a hook that builds with whatever Node.js there is",
    "azure.yaml",
    "npm run package }",
    "node scripts/package.mjs }",
    /neither a program of infra nor a script/,
  ],
  [
    "a hook that Windows does not have",
    "azure.yaml",
    "windows: { shell: pwsh, run: node infra/events/deploy.mjs }",
    "windows: { shell: pwsh, run: npm run package }",
    /should run the same/,
  ],
  [
    "a variable of which azd is not told",
    "infra/hooks/needs.json",
    '"BACKUP_SCOPE"',
    '"BACKUP_SKOPE"',
    /not told of BACKUP_SCOPE/,
  ],
  [
    "a provider that nobody registers",
    "infra/hooks/needs.json",
    '    "Microsoft.EventGrid",\n',
    "",
    /provider Microsoft.EventGrid is used/,
  ],
  ["a runbook that is gone", "docs/operate.md", "## No backup\n", "## No backups\n", /names no runbook.*No backup/],
  [
    "a query that is not Kusto",
    "infra/queries/no-backup.kql",
    "| count\n",
    "| kount\n",
    /no-backup.kql: Query operator expected/,
  ],
  [
    "a query of a column that its table does not have",
    "infra/queries/vault-deletions.kql",
    'RequesterObjectId != "RETENTION"',
    'RequesterId != "RETENTION"',
    /RequesterId' does not refer to any known column/,
  ],
  [
    "a query that fails while its table is not there",
    "infra/queries/no-backup.kql",
    "union isfuzzy=true none, StorageBlobLogs",
    "StorageBlobLogs",
    /before its table has a row: .*'StorageBlobLogs'/,
  ],
  [
    "a query that fails for want of a column while its table is not there",
    "infra/queries/vault-deletions.kql",
    ", UserAgentHeader: string",
    "",
    /before its table has a row: .*'UserAgentHeader'/,
  ],
  [
    "a query that compares a text with a number",
    "infra/queries/failed-functions.kql",
    "Success == false",
    "ResultCode > 399",
    /not defined for the operand types/,
  ],
];

describe("npm run check:infra", () => {
  test("finds nothing wrong with the deployment, and its snapshots are of its sources", () => {
    expect([...checkRules(sound), ...checkFreshness(sound)].map(lineOf)).toEqual([]);
  });

  test.for([...MISTAKES])("finds %s", ([_, path, passage, instead, found]) => {
    const text = sound.text(path);
    const mistaken = text.replace(passage, () => instead);
    expect(mistaken, `${path} has no such passage, so that nothing was seeded`).not.toBe(text);
    expect(checkRules(openProject(functions, { [path]: mistaken })).map(lineOf)).toContainEqual(
      expect.stringMatching(found),
    );
  });

  test("finds a function that hears of events and has no subscription, by what the app registers", () => {
    const more = [...functions, { name: "mail-arrived", trigger: "eventGridTrigger", schedule: undefined }];
    expect(checkRules(openProject(more)).map(lineOf)).toContainEqual(
      expect.stringMatching(/no subscription delivers events to the function mail-arrived/),
    );
  });

  test("finds a right that the app does not use, and one that it lacks", () => {
    const mistaken = { ...CONTAINERS, backup: ["vault", "work"], restore: ["vault", "work", "audit", "state"] };
    expect(checkUse(mistaken).map(({ message }) => message)).toEqual([
      "the app needs a right that is not given: restore on state",
      "the app never uses the right of backup on state",
    ]);
  });

  test("knows the runs of packs and manifests, and leaves bases, which come later", () => {
    const query = sound.text("infra/queries/vault-overwritten.kql");
    const [run = "", day = ""] = [
      ...query.matchAll(/(?:extract|replace_regex)\((?:run, )?@"(\/\(\?:|\()([^"]+)"/g),
    ].map(([, start, rest]) => `${start}${rest}`);
    const mailbox = MailboxKey.parse("a".repeat(26));
    const id = RunId.parse("20261122T010203Z-m5r2xe");
    const runOf = (name: string) => new RegExp(run).exec(`https://mvdata.blob.core.windows.net/vault/${name}`)?.[1];
    expect(runOf(packName(mailbox, id, 0, 0))?.replace(new RegExp(day), "$1-$2-$3:$4:$5")).toBe("2026-11-22T01:02:03Z");
    expect(runOf(manifestName(mailbox, id))).toBe("20261122T010203Z");
    expect(runOf(baseName(mailbox, id))).toBeUndefined();
  });

  test("finds a snapshot that was made from other sources", () => {
    const path = "infra/modules/key-vault.bicep";
    const stale = openProject(functions, { [path]: `${sound.text(path)}\n// a change\n` });
    expect(checkFreshness(stale).map(lineOf)).toContain(
      "infra/prod.snapshot.json: was made from other sources: npm run check:infra -- --write",
    );
  });

  test("takes line ends for no change", () => {
    const path = "infra/modules/key-vault.bicep";
    expect(checkFreshness(openProject(functions, { [path]: sound.text(path).replaceAll("\n", "\r\n") }))).toEqual([]);
  });
});

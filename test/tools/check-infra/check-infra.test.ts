import { describe, expect, test } from "vitest";
import { checkInfra } from "../../../tools/check-infra/check-infra.ts";
import { lineOf } from "../../../tools/check-infra/finding.ts";
import { openProject } from "../../../tools/check-infra/project.ts";

const APP = "infra/modules/function-app.bicep";
const DATA = "infra/modules/data-storage.bicep";
const RIGHTS = "infra/modules/rights.bicep";
const EVENTS = "infra/events/main.bicep";
const MAIN = "infra/main.bicep";
const PROD = "infra/prod.bicepparam";

const sound = openProject();

/** The findings after one passage of a file is replaced. */
const findingsAfter = (path: string, passage: string | RegExp, instead: string): string[] => {
  const text = sound.text(path);
  const changed = text.replace(passage, instead);
  if (changed === text) throw new Error(`${path} has no such passage, so that nothing was seeded`);
  return checkInfra(openProject({ [path]: changed })).map(lineOf);
};

describe("npm run check:infra", () => {
  test("finds nothing wrong with the deployment", () => {
    expect(checkInfra(sound).map(lineOf)).toEqual([]);
  });

  test.each<[mistake: string, path: string, passage: string | RegExp, instead: string, found: RegExp]>([
    ["a property with a wrong name", APP, "httpsOnly: true", "httpOnly: true", /has no property httpOnly/],
    [
      "a property that only Azure writes",
      DATA,
      "accessTier: 'Hot'",
      "accessTier: 'Hot'\n    primaryLocation: location",
      /primaryLocation is read-only/,
    ],
    ["a missing property", "infra/modules/event-topic.bicep", /^ {2}location: location\n/m, "", /needs location/],
    ["an unknown value", DATA, "'TLS1_2'", "'TLS1_4'", /minimumTlsVersion is 'TLS1_4'/],
    [
      "a text instead of a number",
      APP,
      "instanceMemoryMB: instanceMemoryMb",
      "instanceMemoryMB: '2048'",
      /instanceMemoryMB should be int/,
    ],
    [
      "another API version",
      APP,
      "Microsoft.Web/sites@2024-11-01",
      "Microsoft.Web/sites@2019-08-01",
      /not at 2019-08-01/,
    ],
    ["a name that is declared nowhere", MAIN, "prefix: prefix", "prefix: prefiks", /prefiks is declared nowhere/],
    [
      "a parameter that nobody uses",
      MAIN,
      "param location string",
      "param location string\nparam colour string = 'red'",
      /nobody uses colour/,
    ],
    [
      "a module's parameter that does not exist",
      MAIN,
      "undeleteDays: undeleteDays",
      "undeleteDays: undeleteDays\n    redoDays: 3",
      /no parameter redoDays/,
    ],
    ["a module's parameter that is missing", MAIN, /^ {4}auditDays: auditDays\n/m, "", /needs the parameter auditDays/],
    ["a module's output that does not exist", MAIN, "keyVault.outputs.uri", "keyVault.outputs.url", /no output url/],
    [
      "a value that a parameter does not allow",
      PROD,
      "param instanceMemoryMb = 2048",
      "param instanceMemoryMb = 1024",
      /does not allow 1024/,
    ],
    [
      "shared keys left on",
      DATA,
      "allowSharedKeyAccess: false",
      "allowSharedKeyAccess: true",
      /allowSharedKeyAccess should be false/,
    ],
    [
      "no versions of the vault",
      DATA,
      "isVersioningEnabled: true",
      "isVersioningEnabled: false",
      /should keep versions/,
    ],
    [
      "a lifecycle that empties the vault",
      DATA,
      "prefixMatch: ['work/']",
      "prefixMatch: ['work/', 'vault/']",
      /removes what must be kept/,
    ],
    [
      "no container for the audit log",
      DATA,
      "name: 'audit'",
      "name: 'audits'",
      /container audit that no template makes/,
    ],
    [
      "a role that is missing",
      RIGHTS,
      "scope: audit\n  properties: {\n    principalId: restorePrincipalId",
      "scope: work\n  properties: {\n    principalId: restorePrincipalId",
      /missing: restore: appenderRole on audit/,
    ],
    [
      "a role on the whole group",
      RIGHTS,
      "  scope: vault\n  properties: {\n    principalId: restorePrincipalId",
      "  properties: {\n    principalId: restorePrincipalId",
      /nobody needs: restore: blobReader on the whole resource group/,
    ],
    [
      "an id of another role",
      RIGHTS,
      "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
      "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
      /not the id of blobReader/,
    ],
    [
      "a role assignment for any kind of principal",
      RIGHTS,
      "principalType: 'ServicePrincipal'",
      "principalType: 'User'",
      /needs principalType/,
    ],
    [
      "undelivered events that are dropped",
      EVENTS,
      /deadLetterWithResourceIdentity: \{[\s\S]*?\n {4}\}\n/,
      "",
      /keep undelivered events in dead-letters/,
    ],
    [
      "an event loop over all blobs of the vault",
      EVENTS,
      "subjectEndsWith: '.manifest.json'",
      "subjectEndsWith: '.json'",
      /feeds itself/,
    ],
    ["an event loop over every container", EVENTS, "containers/dsr-", "", /feeds itself/],
    [
      "an event loop over the app's own files of a package",
      EVENTS,
      "StringNotContains",
      "StringContains",
      /feeds itself/,
    ],
    [
      "the schema that is not CloudEvents",
      EVENTS,
      "CloudEventSchemaV1_0",
      "EventGridSchema",
      /should deliver CloudEvents/,
    ],
    [
      "a subscription for a function that does not exist",
      EVENTS,
      "/functions/personal-data-written",
      "/functions/personal-data-wrote",
      /no event function personal-data-wrote/,
    ],
    [
      "an event function without a subscription",
      EVENTS,
      "/functions/user-changed",
      "/functions/personal-data-written",
      /no subscription delivers events to the function user-changed/,
    ],
    [
      "a right on the blobs of every container",
      RIGHTS,
      String.raw`StringLike \'dsr-*\'`,
      String.raw`StringLike \'*\'`,
      /should reach the blobs of packages only/,
    ],
    [
      "a right that its condition does not limit",
      RIGHTS,
      String.raw` AND !(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete\'})`,
      "",
      /should reach the blobs of packages only/,
    ],
    [
      "a right that the app does not use",
      "functions/services.ts",
      "stateContainer(backupStorage)",
      "stateContainer(restoreStorage)",
      /never uses the right of backup on state/,
    ],
    [
      "a schedule that an environment does not set",
      "infra/main.bicepparam",
      /^ {2}BACKUP_SCHEDULE: .*\n/m,
      "",
      /main.bicepparam: the host asks for BACKUP_SCHEDULE/,
    ],
    [
      "a setting of the sample that nobody reads",
      "local.settings.sample.json",
      '"AUTHENTICATION"',
      '"AUTHENTIFICATION"',
      /sample.json: nobody reads/,
    ],
    [
      "a setting that nobody reads",
      APP,
      "AUTHENTICATION: 'platform'",
      "AUTHENTICATION: 'platform'\n  BACKUP_HOUR: '1'",
      /nobody reads the setting BACKUP_HOUR/,
    ],
    ["a setting that is not set", APP, /^ {2}SEAL_KEY: .*\n/m, "", /setting SEAL_KEY is read, but set in no template/],
    [
      "a setting of the emulators",
      APP,
      "AUTHENTICATION: 'platform'",
      "AUTHENTICATION: 'platform'\n  LOCAL_BACKUP_TOKEN: 'x'",
      /for the emulators only/,
    ],
    [
      "a setting that Flex Consumption refuses",
      APP,
      "TASKHUB_NAME: taskHub",
      "TASKHUB_NAME: taskHub\n  WEBSITE_RUN_FROM_PACKAGE: '1'",
      /not for Flex Consumption/,
    ],
    [
      "a setting that the app refuses",
      PROD,
      "BACKUP_WINDOW: '8'",
      "BACKUP_WINDOW: '800'",
      /BACKUP_WINDOW should be a whole number/,
    ],
    [
      "authentication that is turned off",
      APP,
      "AUTHENTICATION: 'platform'",
      "AUTHENTICATION: 'none'",
      /for the emulator only/,
    ],
    ["webhooks behind the sign-in", APP, "'/runtime/webhooks/*', ", "", /webhooks.* should be reached without a token/],
    [
      "an endpoint in front of the sign-in",
      APP,
      "'/api/health'",
      "'/api/health', '/api/restores'",
      /restores should not be reached without/,
    ],
    [
      "a password at the back door",
      APP,
      "properties: { allow: false }",
      "properties: { allow: true }",
      /passwords should be off for ftp/,
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
      "an azure.yaml that is not YAML",
      "azure.yaml",
      "services:",
      "services: [",
      /^azure\.yaml: .* at line \d+, column \d+$/,
    ],
    [
      "a sign-in outside of an environment",
      ".github/workflows/deploy.yml",
      /^ {4}environment: prod\n/m,
      "",
      /outside of an environment/,
    ],
    ["a line that is not Bicep", MAIN, "targetScope = 'subscription'", "targetScope 'subscription'", /expected =/],
  ])("finds %s", (_mistake, path, passage, instead, found) => {
    expect(findingsAfter(path, passage, instead)).toContainEqual(expect.stringMatching(found));
  });
});

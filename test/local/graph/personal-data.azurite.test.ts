import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  AccountSASPermissions,
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
} from "@azure/storage-blob";
import { describe, expect, onTestFinished, test } from "vitest";
import type { StartOptions } from "../../../local/graph/emulator.ts";
import { useAzurite } from "../../support/azurite.ts";
import { temporaryDir } from "../storage/temporary-dir.ts";
import { anEmulator, UPN } from "./kit.ts";

const { connectionString, freshContainer } = useAzurite();

const soon = () => new Date(Date.now() + 600_000);

const sas = (container: ContainerClient, permissions: string): Promise<string> =>
  container.generateSasUrl({ permissions: ContainerSASPermissions.parse(permissions), expiresOn: soon() });

const PATH = `/v1.0/users/${UPN}/exportPersonalData`;

type Behaviours = NonNullable<NonNullable<StartOptions["settings"]>["behaviours"]>;

/** An emulator whose exports move on only when it is told to. */
const aTenant = async (behaviours: Behaviours = {}, options: StartOptions = {}) => {
  const settings = { ...options.settings, behaviours: { exportStepMs: 0, ...behaviours } };
  const kit = await anEmulator({
    mailboxes: [{ kind: "generated", userPrincipalName: UPN, items: 0, userFolders: 0 }],
    ...options,
    settings,
  });
  const request = (storageLocation: unknown, path = PATH) => kit.ask(path, { body: { storageLocation } });
  const start = async (container: ContainerClient) => {
    const { headers } = await request(await sas(container, "acw"));
    return new URL(headers.get("location") ?? "").pathname;
  };
  const look = async (operation: string) => (await kit.ask(operation)).body;
  const step = (steps: number) => kit.emulator.admin["step-exports"]({ steps });
  return { ...kit, request, start, look, step };
};

const namesIn = async (container: ContainerClient): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat()) names.push(name);
  return names;
};

/** A storage of which only its answers are there. */
const aStorageThatSays = async (code: string): Promise<string> => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(request.method === "PUT" ? 409 : 403, { "x-ms-error-code": code }).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/account/container?sv=2025-11-05&sig=x`;
};

describe("exportPersonalData", () => {
  test("takes a container that it may write to and nothing else, and names an operation", async () => {
    const { request, emulator } = await aTenant();
    const container = await freshContainer();

    const { status, headers, text } = await request(await sas(container, "acw"));

    expect([status, text]).toEqual([202, ""]);
    expect(headers.get("location")).toMatch(
      new RegExp(`^${emulator.graphUrl}/v1.0/dataPolicyOperations/[0-9a-f-]{36}$`),
    );
    expect(headers.get("retry-after")).toBe("60");
    expect(await namesIn(container)).toEqual(["RequestInfo.json"]);
  });

  const anAccountSas = () =>
    BlobServiceClient.fromConnectionString(connectionString).generateAccountSasUrl(
      soon(),
      AccountSASPermissions.parse("acw"),
      "co",
    );
  const rows: [
    code: string,
    of: string,
    storageLocation: (container: ContainerClient) => Promise<unknown> | unknown,
  ][] = [
    ["SharedAccessSignatureTokenInvalid", "what is no URL", () => "the storage"],
    ["SharedAccessSignatureTokenInvalid", "nothing", () => undefined],
    ["SharedAccessSignatureTokenInvalid", "a URL without SAS", ({ url }) => url],
    ["StorageLocationNotServiceSAS", "an account SAS", anAccountSas],
    [
      "StorageLocationNotAzureBlob",
      "a blob",
      (container) =>
        container
          .getAppendBlobClient("x")
          .generateSasUrl({ permissions: BlobSASPermissions.parse("acw"), expiresOn: soon() }),
    ],
    ["StorageLocationShouldNotAllowListAccess", "a SAS that can list", (container) => sas(container, "acwl")],
    ["StorageLocationNeedsWriteAddPermissions", "a SAS that cannot write", (container) => sas(container, "r")],
    [
      "StorageLocationAlreadyUsed",
      "a container with a RequestInfo.json",
      async (container) => {
        await container.getAppendBlobClient("RequestInfo.json").create();
        return sas(container, "acw");
      },
    ],
    ["StorageLocationShouldSupportAppendBlobs", "premium storage", () => aStorageThatSays("BlobTypeNotSupported")],
    ["StorageLocationShouldNotAllowReadAccess", "a SAS that can read", (container) => sas(container, "racw")],
    [
      "StorageLocationInvalid",
      "a container that is not there",
      async (container) => {
        await container.delete();
        return sas(container, "acw");
      },
    ],
    ["StorageLocationShouldNotAllowListAccess", "a SAS that can list and read", (container) => sas(container, "racwl")],
  ];
  test.each(rows)("refuses with %s %s", async (code, _, storageLocation) => {
    const { request, emulator } = await aTenant();

    const { status, body } = await request(await storageLocation(await freshContainer()));

    expect([status, body.error?.code]).toEqual([400, code]);
    expect(await emulator.admin.exports({})).toEqual([]);
  });

  test("leaves RequestInfo.json behind when it could read it and may not delete it", async () => {
    const { request } = await aTenant();
    const [kept, cleared] = [await freshContainer(), await freshContainer()];
    await request(await sas(kept, "racw"));
    await request(await sas(cleared, "racwd"));

    expect([await namesIn(kept), await namesIn(cleared)]).toEqual([["RequestInfo.json"], []]);
  });

  test("answers 429 without Retry-After once the day's exports of a person, or of the tenant, are spent", async () => {
    const limits = { maxExportsOfUser: 1, maxExportsOfTenant: 2 };
    let now = Date.UTC(2026, 10, 22);
    const users = ["bo@contoso.example", "cy@contoso.example"].map((userPrincipalName) => ({ userPrincipalName }));
    const { emulator, ask } = await anEmulator(
      { users, settings: { limits, behaviours: { exportStepMs: 0 } } },
      { now: () => now },
    );
    expect(emulator.graphUrl).toBeDefined();
    const request = async (name: string) => {
      const body = { storageLocation: await sas(await freshContainer(), "acw") };
      const { status, headers } = await ask(`/v1.0/users/${name}/exportPersonalData`, { body });
      return [status, headers.has("retry-after")];
    };

    expect(await request(UPN)).toEqual([202, true]);
    expect(await request(UPN)).toEqual([429, false]);
    expect(await request("bo@contoso.example")).toEqual([202, true]);
    expect(await request("cy@contoso.example")).toEqual([429, false]);
    now += 86_400_001;
    expect(await request(UPN)).toEqual([202, true]);
  });

  test("is 404 for a user whom nobody knows, and 403 without User.Export.All", async () => {
    const { request, emulator, ask } = await aTenant();
    const location = await sas(await freshContainer(), "acw");
    await emulator.admin["add-app"]({ appId: "reader", token: "reader", roles: ["User.Read.All"] });

    expect((await request(location, "/v1.0/users/nobody/exportPersonalData")).body.error?.code).toBe(
      "Request_ResourceNotFound",
    );
    const refused = await ask(PATH, { body: { storageLocation: location }, token: "reader" });
    expect([refused.status, refused.body.error?.code]).toEqual([403, "Authorization_RequestDenied"]);
  });
});

describe("a dataPolicyOperation", () => {
  test("goes from notStarted to complete, while its files are written", async () => {
    const { start, look, step } = await aTenant({ exportFiles: 2 });
    const container = await freshContainer();
    const operation = await start(container);

    const seen: unknown[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { status, progress, completedDateTime } = await look(operation);
      seen.push([status, progress, completedDateTime === null, (await namesIn(container)).length]);
      await step(1);
    }
    expect(seen).toEqual([
      ["notStarted", 0, true, 1],
      ["running", 0, true, 1],
      ["running", 50, true, 2],
      ["running", 100, true, 3],
      ["complete", 100, false, 3],
    ]);
    expect(await namesIn(container)).toEqual([
      "OneDrive/Documents/Note 1.txt",
      "Reports/activity-2.json",
      "RequestInfo.json",
    ]);
  });

  test("moves by itself", async () => {
    const { start, look } = await aTenant({ exportStepMs: 1, exportFiles: 1 });
    const operation = await start(await freshContainer());

    await expect.poll(async () => (await look(operation))["status"]).toBe("complete");
  });

  test.each<[what: string, behaviours: Behaviours, seen: object]>([
    ["progress as text", { exportProgress: "string" }, { status: "running", progress: "25" }],
    ["a state of the future", { exportRunningStatus: "paused" }, { status: "paused", progress: 25 }],
    [
      "its location without the SAS",
      { operationShowsSas: false },
      { storageLocation: expect.not.stringMatching(/sig=/) },
    ],
  ])("shows %s", async (_, behaviours, seen) => {
    const { start, look, step } = await aTenant(behaviours);
    const operation = await start(await freshContainer());
    await step(2);

    expect(await look(operation)).toMatchObject(seen);
  });

  test("fails half way when it is to fail", async () => {
    const { start, look, step } = await aTenant({ exportOutcome: "failed" });
    const container = await freshContainer();
    const operation = await start(container);
    await step(4);

    expect(await look(operation)).toMatchObject({ status: "failed", progress: 50 });
    expect(await namesIn(container)).toHaveLength(3);
  });

  test("fails when its container goes", async () => {
    const { start, look, step } = await aTenant();
    const container = await freshContainer();
    const operation = await start(container);
    await container.delete();
    await step(2);

    expect(await look(operation)).toMatchObject({ status: "failed" });
  });

  test("goes on after a restart", async () => {
    const stateDir = await temporaryDir();
    const first = await aTenant({}, { stateDir });
    const operation = await first.start(await freshContainer());
    await first.step(3);
    await first.emulator.stop();

    const second = await aTenant({}, { stateDir });
    expect(await second.look(operation)).toMatchObject({ status: "running", progress: 50 });
    await second.step(3);
    expect(await second.look(operation)).toMatchObject({ status: "complete", progress: 100 });
  });

  test("is 404 when nobody knows it, and 429 without Retry-After when it is read too often", async () => {
    const { ask } = await aTenant({}, { settings: { limits: { maxOperationReads: 1 } } });

    const unknown = await ask("/v1.0/dataPolicyOperations/00000000-0000-4000-8000-000000000000");
    expect([unknown.status, unknown.body.error?.message]).toEqual([
      404,
      "Cannot find any operations with the input Id.",
    ]);
    const refused = await ask("/v1.0/dataPolicyOperations/00000000-0000-4000-8000-000000000000");
    expect([refused.status, refused.headers.has("retry-after")]).toEqual([429, false]);
  });
});

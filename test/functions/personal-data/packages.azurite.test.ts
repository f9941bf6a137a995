import { BlobServiceClient, ContainerClient, RestError } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import { exportIdOf, packageName } from "../../../functions/personal-data/package-names.ts";
import { azurePackages } from "../../../functions/personal-data/packages.ts";
import { useAzurite } from "../../support/azurite.ts";
import { aPackageName } from "./an-export.ts";

const { connectionString } = useAzurite();
const service = BlobServiceClient.fromConnectionString(connectionString);

const HOUR_MS = 3_600_000;

const aPackage = async (sasMs = HOUR_MS) => {
  const packages = azurePackages(service, { kind: "connection-string", sasMs });
  const name = aPackageName();
  await packages.make(name);
  const url = await packages.writeOnlyUrl(name);
  // One try each: a refusal stays a refusal.
  const asMicrosoft = new ContainerClient(url, undefined, { retryOptions: { maxTries: 1 } });
  return { packages, name, url, asMicrosoft, files: packages.open(name) };
};

/** The storage's answer to an act: its status, or `done`. */
const answerTo = async (act: () => Promise<unknown>): Promise<unknown> => {
  try {
    await act();
    return "done";
  } catch (error) {
    if (error instanceof RestError) return error.statusCode;
    throw error;
  }
};

describe("the URL of a package", () => {
  test("writes files of both kinds", async () => {
    const { asMicrosoft, files } = await aPackage();
    await asMicrosoft.getBlockBlobClient("a/block").upload("12", 2);
    const append = asMicrosoft.getAppendBlobClient("append");
    await append.create();
    await append.appendBlock("34", 2);

    expect((await files.readWhole("a/block"))?.body.toString()).toBe("12");
    expect((await files.readWhole("append"))?.body.toString()).toBe("34");
  });

  test.each<[act: string, act: (container: ContainerClient) => Promise<unknown>]>([
    ["read", (container) => container.getBlobClient("file").downloadToBuffer()],
    ["get the properties of", (container) => container.getBlobClient("file").getProperties()],
    ["list", (container) => container.listBlobsFlat().next()],
    ["delete", (container) => container.getBlobClient("file").delete()],
    ["delete the container of", (container) => container.delete()],
    ["get the properties of the container of", (container) => container.getProperties()],
  ])("cannot %s the files", async (_, act) => {
    const { asMicrosoft } = await aPackage();
    await asMicrosoft.getBlockBlobClient("file").upload("1", 1);

    expect(await answerTo(() => act(asMicrosoft))).toBe(403);
  });

  test("expires", async () => {
    const { asMicrosoft } = await aPackage(-1_000);

    expect(await answerTo(() => asMicrosoft.getBlockBlobClient("file").upload("1", 1))).toBe(403);
  });

  test("is valid for its own container only", async () => {
    const [one, other] = [await aPackage(), await aPackage()];
    const moved = new ContainerClient(one.url.replace(one.name, other.name), undefined, {
      retryOptions: { maxTries: 1 },
    });

    expect(await answerTo(() => moved.getBlockBlobClient("file").upload("1", 1))).toBe(403);
  });

  test("is signed with a user delegation key when the credential is a token, for TLS only", async () => {
    const asked: string[] = [];
    const delegating = new BlobServiceClient(
      "https://vault.blob.core.windows.net",
      { getToken: async () => ({ token: "token", expiresOnTimestamp: Date.now() + HOUR_MS }) },
      {
        httpClient: {
          sendRequest: async (request) => {
            asked.push(new URL(request.url).search);
            return { request, status: 200, headers: HEADERS, bodyAsText: A_KEY } as never;
          },
        },
      },
    );
    const packages = azurePackages(delegating, { kind: "endpoint", sasMs: HOUR_MS });

    const before = Date.now();
    const { searchParams: sas, pathname } = new URL(await packages.writeOnlyUrl("dsr-x"));

    expect(asked).toEqual(["?restype=service&comp=userdelegationkey"]);
    expect(pathname).toBe("/dsr-x");
    expect(Object.fromEntries(sas)).toMatchObject({ sr: "c", sp: "acw", spr: "https", skoid: OBJECT_ID });
    expect(sas.has("ss")).toBe(false);
    const ends = Date.parse(sas.get("se") ?? "");
    // A SAS counts whole seconds.
    expect(ends).toBeGreaterThan(before + HOUR_MS - 1_000);
    expect(ends).toBeLessThanOrEqual(Date.now() + HOUR_MS);
  });
});

const OBJECT_ID = "0a0a0a0a-1111-4222-8333-444444444444";
const A_KEY = [
  '<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>',
  `<SignedOid>${OBJECT_ID}</SignedOid><SignedTid>0b0b0b0b-1111-4222-8333-444444444444</SignedTid>`,
  "<SignedStart>2026-11-22T01:00:00Z</SignedStart><SignedExpiry>2026-11-23T01:00:00Z</SignedExpiry>",
  "<SignedService>b</SignedService><SignedVersion>2025-11-05</SignedVersion>",
  `<Value>${Buffer.alloc(32, 7).toString("base64")}</Value></UserDelegationKey>`,
].join("");
/** Headers in the older form that the storage client still uses with its transport. */
const HEADERS = { toJson: () => ({ "content-type": "application/xml" }) };

describe("a package", () => {
  test("cannot be read without credentials", async () => {
    const { files, asMicrosoft } = await aPackage();
    await files.create("file", Buffer.from("1"));
    const anonymous = `${new URL(asMicrosoft.url).origin}${new URL(asMicrosoft.url).pathname}/file`;

    expect((await fetch(anonymous)).status).toBeGreaterThanOrEqual(403);
  });

  test("is created once, found by its export, and removed for good", async () => {
    const { packages, name } = await aPackage();
    const exportId = exportIdOf(name) ?? "";
    await packages.make(name);
    await packages.make(packageName(exportId, 2));

    expect(await packages.find(exportId)).toEqual([name, `${name}-2`]);
    await packages.remove(name);
    await packages.remove(name);
    expect(await packages.find(exportId)).toEqual([`${name}-2`]);
  });
});

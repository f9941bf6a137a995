import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ContainerClient } from "@azure/storage-blob";
import { afterEach, describe, expect, test } from "vitest";
import { azureBlobs } from "../../../shared/storage/azure-blobs.ts";

const servers: ReturnType<typeof createServer>[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Storage that refuses each write, as it does who may only add blobs when the blob is there. */
const aRefusal = async (code: string, exists: boolean) => {
  const server = createServer((request, response) => {
    request.resume();
    const status = request.method === "PUT" ? 403 : exists ? 200 : 404;
    response.writeHead(status, status === 200 ? {} : { "x-ms-error-code": status === 403 ? code : "BlobNotFound" });
    response.end();
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return azureBlobs(new ContainerClient(`http://127.0.0.1:${port}/account/vault`));
};

describe("creating a blob with no right to overwrite one", () => {
  test("finds the blob that is there", async () => {
    const blobs = await aRefusal("AuthorizationPermissionMismatch", true);
    expect(await blobs.create("a", Buffer.from("x"))).toBe("exists");
  });

  test.each([
    ["the blob is not there", "AuthorizationPermissionMismatch", false],
    ["it is refused for another reason", "AuthorizationFailure", true],
  ])("fails when %s", async (_, code, exists) => {
    const blobs = await aRefusal(code, exists);
    await expect(blobs.create("a", Buffer.from("x"))).rejects.toMatchObject({ statusCode: 403 });
  });
});

import { describe, expect, test } from "vitest";
import { operationOf } from "../../../local/storage/operation.ts";

const name = (method: string, path: string, headers: Record<string, string> = {}) => {
  const operation = operationOf({ method, url: `/devstoreaccount1${path}`, headers });
  return `${operation.name}/${operation.kind}`;
};

describe("operationOf", () => {
  test.each([
    ["PUT", "/c/b", { "x-ms-blob-type": "BlockBlob" }, "PutBlob/write"],
    ["PUT", "/c/b", { "x-ms-copy-source": "http://x/c/a?sig=s" }, "CopyBlob/write"],
    ["PUT", "/c/b", { "x-ms-blob-type": "BlockBlob", "x-ms-copy-source": "http://x/c/a" }, "PutBlob/write"],
    ["PUT", "/c/b?comp=block&blockid=YQ==", {}, "PutBlock/write"],
    ["PUT", "/c/b?comp=blocklist", {}, "PutBlockList/write"],
    ["PUT", "/c/b?comp=appendblock", {}, "AppendBlock/write"],
    ["PUT", "/c/b?comp=lease", { "x-ms-lease-action": "acquire" }, "AcquireBlobLease/other"],
    ["PUT", "/c?comp=lease&restype=container", { "x-ms-lease-action": "break" }, "BreakContainerLease/other"],
    ["GET", "/c/b", {}, "GetBlob/read"],
    ["HEAD", "/c/b", {}, "GetBlobProperties/other"],
    ["DELETE", "/c/b", {}, "DeleteBlob/delete"],
    ["PUT", "/c?restype=container", {}, "CreateContainer/list"],
    ["GET", "/c?restype=container&comp=list", {}, "ListBlobs/list"],
    ["GET", "/?comp=list", {}, "ListContainers/list"],
    ["POST", "/?restype=service&comp=userdelegationkey", {}, "GetUserDelegationKey/other"],
    ["PATCH", "/c/b", {}, "Unknown/other"],
  ])("%s %s with %j is %s", (method, path, headers, expected) => {
    expect(name(method, path, headers)).toBe(expected);
  });

  test("decodes the blob's name and leaves the query out", () => {
    const operation = operationOf({ method: "GET", url: "/devstoreaccount1/c/a%20b/%C3%A4?sig=secret", headers: {} });
    expect(operation.path).toBe("/c/a b/ä");
    expect(JSON.stringify(operation)).not.toContain("secret");
  });
});

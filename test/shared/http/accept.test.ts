import { describe, expect, test } from "vitest";
import { preferredType } from "../../../shared/http/accept.ts";

const JSON_TYPE = "application/json";
const CSV = "text/csv";

describe("preferredType", () => {
  test.each<[accept: string | null, type: string | undefined]>([
    [null, JSON_TYPE],
    [" ", JSON_TYPE],
    ["*/*", JSON_TYPE],
    ["application/json", JSON_TYPE],
    ["text/csv", CSV],
    ["TEXT/CSV; charset=utf-8", CSV],
    ["text/*", CSV],
    ["text/csv, */*", CSV],
    ["text/csv, application/json", JSON_TYPE],
    ["text/csv, application/json;q=0.9", CSV],
    ["text/csv;q=0.5, application/*;q=0.8", JSON_TYPE],
    ["*/*, application/json;q=0", CSV],
    ["*/*;q=1, text/*;q=0.1, text/csv;q=0", JSON_TYPE],
    ["text/html,application/xml;q=0.9,*/*;q=0.8", JSON_TYPE],
    ["text/csv; Q = 0.001", CSV],
    ["text/html", undefined],
    ["text/csv;q=0", undefined],
    ["*/*;q=0", undefined],
    ["text/csv;q=2", undefined],
    ["text/csv;q=", undefined],
    [";;,,", undefined],
  ])("for %j is %s", (accept, type) => {
    expect(preferredType(accept, [JSON_TYPE, CSV])).toBe(type);
  });
});

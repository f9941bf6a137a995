import { expect, test } from "vitest";
import { ENDPOINTS } from "../../functions/endpoints.ts";

test("every endpoint that starts a job heeds Idempotency-Key, and no other", () => {
  for (const [name, endpoint] of Object.entries(ENDPOINTS))
    expect([name, "starts" in endpoint]).toEqual([name, name.startsWith("start-")]);
});

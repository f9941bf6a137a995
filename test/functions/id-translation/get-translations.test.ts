import { describe, expect, test } from "vitest";
import { getTranslations } from "../../../functions/id-translation/get-translations.http.ts";
import { keepResults } from "../../../functions/id-translation/translation-state.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aTranslationId } from "./a-translation.ts";

const job = `translate-${aTranslationId}`;

const RESULTS = [[{ id: "a", translated: "A" }], [{ id: "b", error: { message: "gone" } }]] as const;

/** A job in a state, with its results if it has any. */
const anApi = async (runtimeStatus = "Completed", kept: readonly (typeof RESULTS)[number][] = RESULTS) => {
  const work = memoryBlobs();
  for (const [piece, results] of kept.entries()) await keepResults(work, aTranslationId, piece, results);
  const output = { ids: 1_001, pieces: 2, translated: 1, failed: 1, throttled: 0 };
  const hub = aFakeHub({
    [job]: { name: "translate-exchange-ids", runtimeStatus, output },
    [`backup-${aKey}`]: { runtimeStatus: "Completed" },
  });
  const handler = getTranslations({ ...hub, work });
  return (id = job, query: Record<string, string> = {}) => ask(handler, { params: { id }, query });
};

describe("GET /api/jobs/{id}/result", () => {
  test("answers with a translation's results, page by page", async () => {
    const get = await anApi();
    const first = await get();
    const { next, ...page } = first.body as { next: string };

    expect([first.status, page]).toEqual([200, { results: RESULTS[0] }]);
    expect(await get(job, { page: next })).toMatchObject({ status: 200, body: { results: RESULTS[1] } });
    expect((await get(job, { page: next })).body).not.toHaveProperty("next");
  });

  test.each([
    ["Running", "running"],
    ["Failed", "failed"],
    ["Suspended", "paused"],
  ])("answers 409 with the state of a job that is %s", async (runtimeStatus, state) => {
    const get = await anApi(runtimeStatus);
    expect(await get()).toMatchObject({ status: 409, headers: PROBLEM, body: { state } });
  });

  test("answers 410 when the results have expired", async () => {
    const get = await anApi("Completed", []);
    expect(await get()).toMatchObject({ status: 410, headers: PROBLEM, body: { type: "/problems/result-expired" } });
  });

  test.each([
    ["translate-20200101T000000Z-abc234", "job-not-found"],
    ["../admin", "job-not-found"],
    [`backup-${aKey}`, "no-result"],
  ])("answers 404 for %s: %s", async (id, kind) => {
    const get = await anApi();
    expect(await get(id)).toMatchObject({ status: 404, headers: PROBLEM, body: { type: `/problems/${kind}` } });
  });

  test.each([{ page: "no token" }, { pageSize: "10" }])("refuses %j", async (query) => {
    const get = await anApi();
    expect(await get(job, query)).toMatchObject({ status: 400, body: { type: "/problems/invalid-request" } });
  });
});

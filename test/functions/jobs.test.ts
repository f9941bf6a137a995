import { describe, expect, test } from "vitest";
import { JOBS, type JobKind, jobKind } from "../../functions/jobs.ts";
import { JobId } from "../../shared/contracts/job-ids.ts";
import { registeredApp } from "../support/registered-app.ts";

const KEY = "a".repeat(26);
const RUN = "20261122T010000Z-abc234";

/** An id of every form that people see. */
const IDS = [
  "backup-tenant",
  `backup-${KEY}`,
  "clean-vault",
  `clean-${KEY}`,
  "tidy-work",
  `restore-${RUN}`,
  `restores-${RUN}`,
  `undo-${RUN}`,
  `translate-${RUN}`,
  `follow-up-${KEY}-${RUN}`,
  `leaver-${KEY}`,
  "rehearsal-2026-11-22",
  `verify-${KEY}`,
  "verify-share-2026-11-22",
  `personal-data-${RUN}`,
];

describe("the table of jobs", () => {
  test("has a row for each orchestrator that the app registers, and no other", async () => {
    const app = await registeredApp();
    const orchestrators = [...app.functions.values()]
      .filter(({ metadata }) => Object.values(metadata.bindings).some(({ type }) => type === "orchestrationTrigger"))
      .map(({ metadata }) => metadata.name);

    expect(Object.keys(JOBS).toSorted()).toEqual(orchestrators.toSorted());
  });

  test("knows one kind for each id of a job", () => {
    for (const id of IDS) {
      const kinds = Object.values<JobKind>(JOBS).filter(({ ids }) => ids.some((form) => form.parse(id) !== undefined));
      expect(kinds, id).toHaveLength(1);
      expect(JobId.safeParse(id).success, id).toBe(true);
    }
    expect(Object.values<JobKind>(JOBS).flatMap(({ ids }) => ids)).toHaveLength(IDS.length);
  });

  test("has nothing for the names that every object has", () => {
    for (const name of ["toString", "constructor", "backup"]) expect(jobKind(name)).toBeUndefined();
  });
});

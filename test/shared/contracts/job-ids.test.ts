import { describe, expect, test } from "vitest";
import {
  backupInstance,
  backupTenantInstance,
  cleanInstance,
  cleanVaultInstance,
  followUpInstance,
  JobId,
  leaverInstance,
  personalDataInstance,
  placeInstance,
  rehearsalInstance,
  restoreInstance,
  restoresInstance,
  tidyWorkInstance,
  translationInstance,
  undoInstance,
  verifyInstance,
  verifyShareInstance,
} from "../../../shared/contracts/job-ids.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";

const KEY = mailboxKey("abc");
const RUN = "20261122T010000Z-abc234";

describe("the id of a job", () => {
  test.each([
    ["backup-tenant", backupTenantInstance, []],
    [`backup-${KEY}`, backupInstance, [KEY]],
    ["clean-vault", cleanVaultInstance, []],
    [`clean-${KEY}`, cleanInstance, [KEY]],
    ["tidy-work", tidyWorkInstance, []],
    [`restore-${RUN}`, restoreInstance, [RUN]],
    [`restores-${RUN}`, restoresInstance, [RUN]],
    [`undo-${RUN}`, undoInstance, [RUN]],
    [`translate-${RUN}`, translationInstance, [RUN]],
    [`follow-up-${KEY}-${RUN}`, followUpInstance, [KEY, RUN]],
    [`leaver-${KEY}`, leaverInstance, [KEY]],
    ["rehearsal-2026-11-22", rehearsalInstance, ["2026-11-22"]],
    [`verify-${KEY}`, verifyInstance, [KEY]],
    ["verify-share-2026-11-22", verifyShareInstance, ["2026-11-22"]],
    [`personal-data-${RUN}`, personalDataInstance, [RUN]],
  ])("is %s, and parses to its parts", (id, form, parts) => {
    expect((form as (...parts: string[]) => string)(...parts)).toBe(id);
    expect(form.parse(id)).toEqual(parts);
    expect(JobId.safeParse(id).success).toBe(true);
  });

  test.each([
    "verify-",
    `verify-${KEY}-`,
    `verify-${KEY}-${RUN}-${RUN}`,
    "verify-share-20261122",
    "verify-vault",
    RUN,
    "restore-",
    `restore-${RUN}/..`,
    `restore-${RUN}\n`,
    "personal-data-",
    placeInstance(0, backupTenantInstance()),
  ])("is not %j", (job) => {
    expect(JobId.safeParse(job).success).toBe(false);
  });

  test("of one form is none of another", () => {
    for (const id of [backupInstance(KEY), restoresInstance(RUN), personalDataInstance(RUN), RUN])
      expect(restoreInstance.parse(id)).toBeUndefined();
  });
});

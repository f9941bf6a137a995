import { describe, expect, test } from "vitest";
import { exportIdOf, isFileName, packageName } from "../../../functions/personal-data/package-names.ts";

const anExportId = "20261122T010000Z-abc234";

describe("the name of a package", () => {
  test.each([1, 2, 9])("is a valid container name, and leads back to its export, attempt %i", (attempt) => {
    const name = packageName(anExportId, attempt);

    expect(name).toMatch(/^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    expect(exportIdOf(name)).toBe(anExportId);
  });

  test.each([
    "vault",
    "work",
    "dsr-",
    "dsr-20261122t010000z-abc234-",
    "dsr-20261122T010000Z-abc234",
    "xdsr-20261122t010000z-abc234",
  ])("is not %j", (name) => {
    expect(exportIdOf(name)).toBeUndefined();
  });
});

describe("a file name from outside", () => {
  test.each(["a", "a/b c.txt", "é/..x", "a//b", ".../x", "100%25.txt"])("may be %j", (name) => {
    expect(isFileName(name)).toBe(true);
  });

  test.each(["", ".", "..", "../vault/x", "a/../../vault/x", "a/./b", "..\\vault", "x".repeat(1_025), "\ud800"])(
    "may not be %j",
    (name) => {
      expect(isFileName(name)).toBe(false);
    },
  );
});

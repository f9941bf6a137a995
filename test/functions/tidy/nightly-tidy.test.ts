import { expect, test } from "vitest";
import { nightlyTidy } from "../../../functions/tidy/nightly-tidy.timer.ts";
import { aFakeHub, aQuietContext } from "../fake-hub.ts";

test("a tick starts tidying, unless it is still under way", async () => {
  const { started, end, ...hub } = aFakeHub();
  const tick = () => nightlyTidy(hub)({} as never, aQuietContext());

  for (const _ of ["a tick", "its double"]) await tick();
  expect(started).toEqual([{ name: "tidy-work", instanceId: "tidy-work", input: {} }]);

  end("tidy-work");
  await tick();
  expect(started).toHaveLength(2);
});

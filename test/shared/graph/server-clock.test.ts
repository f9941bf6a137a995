import { expect, test } from "vitest";
import { serverClock } from "../../../shared/graph/server-clock.ts";

const START = Date.parse("2026-11-22T09:30:00Z");

test("a server's clock is never ahead of the server, whatever is cut off or late", () => {
  const server = { ms: START + 600_900 };
  let own = START;
  const clock = serverClock(() => own);
  expect(clock.now()).toBeUndefined();
  const answerAfter = (onTheWayMs: number) => {
    const date = new Date(server.ms).toUTCString();
    own += onTheWayMs;
    server.ms += onTheWayMs;
    clock.note(date);
  };

  answerAfter(5_000);
  expect(clock.now()).toBe(START + 600_000);
  answerAfter(100);
  for (const odd of [undefined, "", "soon"]) clock.note(odd);
  own += 60_000;
  server.ms += 60_000;

  expect(clock.now()).toBeLessThanOrEqual(server.ms);
  expect(server.ms - (clock.now() ?? 0)).toBeLessThanOrEqual(1_100);
});

import { describe, expect, test } from "vitest";
import { readArguments } from "../../../local/storage/arguments.ts";

describe("readArguments", () => {
  test("takes a free port, the disk and no events by default", () => {
    expect(readArguments(["--dir", "x"])).toEqual({ dir: "x", port: 0, inMemory: false, events: undefined });
  });

  test("keeps blobs in memory where it is told to", () => {
    expect(readArguments(["--dir", "x", "--in-memory"])).toMatchObject({ inMemory: true });
  });

  test("reads subscriptions as JSON", () => {
    const subscriptions = JSON.stringify([{ functionName: "snapshot-written" }]);
    const args = ["--dir", "x", "--port", "7071", "--host-url", "http://127.0.0.1:1", "--subscriptions", subscriptions];

    expect(readArguments(args)).toEqual({
      dir: "x",
      port: 7071,
      inMemory: false,
      events: { hostUrl: "http://127.0.0.1:1", subscriptions: [{ functionName: "snapshot-written", schema: "cloud" }] },
    });
  });

  test.each([
    [["--port", "0"], /^Wrong arguments: dir: say where/],
    [["--dir", "x", "--port", "99999"], /port/],
    [["--dir", "x", "--subscriptions", "{"], /subscriptions: must be JSON/],
    [["--dir", "x", "--host-url", "nowhere"], /host-url/],
    [["--dir", "x", "--colour", "red"], /--colour/],
  ])("refuses %j", (args, complaint) => {
    expect(() => readArguments(args)).toThrow(complaint);
  });
});

import { describe, expect, test } from "vitest";
import { filteredLog, formatLogLine, type LogEntry } from "../../../local/host/log.ts";

const anEntry = (entry: Partial<LogEntry>): LogEntry => ({
  level: "information",
  category: "Host.Startup",
  message: "hello",
  ...entry,
});

describe("filteredLog", () => {
  test.each([
    ["Host.Startup", "information", false],
    ["Host.Startup", "warning", true],
    ["Function.backup", "information", true],
    ["function.backup.user", "debug", true],
    ["Function.quiet.User", "critical", false],
  ] as const)("for %s at %s passes: %s", (category, level, heard) => {
    const entries: LogEntry[] = [];
    const levels = {
      default: "warning",
      Function: "information",
      "Function.backup.User": "debug",
      "Function.quiet": "none",
    } as const;
    filteredLog(levels, (entry) => entries.push(entry))(anEntry({ category, level }));
    expect(entries.length).toBe(heard ? 1 : 0);
  });

  test("passes information and higher levels by default", () => {
    const entries: LogEntry[] = [];
    const log = filteredLog({}, (entry) => entries.push(entry));
    log(anEntry({ level: "debug" }));
    log(anEntry({ level: "information" }));
    expect(entries.map(({ level }) => level)).toEqual(["information"]);
  });
});

test("a line names the function, or the part of the host", () => {
  const at = new Date("2026-11-22T01:00:00Z");
  const entry = anEntry({ category: "Function.backup.User", functionName: "backup" });
  expect(formatLogLine(entry, at)).toBe("2026-11-22T01:00:00.000Z information [backup] hello");
  expect(formatLogLine(anEntry({ level: "error" }), at)).toBe(
    "2026-11-22T01:00:00.000Z error       [Host.Startup] hello",
  );
});

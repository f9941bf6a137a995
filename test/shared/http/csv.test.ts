import { describe, expect, test } from "vitest";
import { csvOf } from "../../../shared/http/csv.ts";

describe("csvOf", () => {
  test("ends each row with CRLF, and leaves undefined cells empty", () => {
    expect(
      csvOf([
        ["path", "count"],
        ["Inbox", 3],
        [undefined, 0],
      ]),
    ).toBe("path,count\r\nInbox,3\r\n,0\r\n");
    expect(csvOf([])).toBe("");
  });

  test.each([
    ["a,b", '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ["two\nlines", '"two\nlines"'],
    ["two\r\nlines", '"two\r\nlines"'],
    [" spaced é ", " spaced é "],
  ])("quotes %j only if it must", (cell, text) => {
    expect(csvOf([[cell]])).toBe(`${text}\r\n`);
  });

  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", '"\'\t=1"'],
    ["  =1", "'  =1"],
    [";=1", '"\';=1"'],
    ["a;=1", '"a;=1"'],
    ["\u00a0=1", "'\u00a0=1"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ["a=1", "a=1"],
  ])("writes %j so that no spreadsheet calculates with it", (cell, text) => {
    expect(csvOf([[cell]])).toBe(`${text}\r\n`);
  });
});

import { describe, expect, test } from "vitest";
import { compareRoutes, matchRoute, parseRoute } from "../../../../local/host/triggers/route-template.ts";

describe("matchRoute", () => {
  test.each([
    ["a/{id}", "/a/x%20y", { id: "x y" }],
    ["a/{id}", "/A/x/", { id: "x" }],
    ["a/{id}", "/a", undefined],
    ["a/{id}", "/a/b/c", undefined],
    ["a/{id?}", "/a", {}],
    ["a/{id=7}", "/a", { id: "7" }],
    ["a/{id:int=7}", "/a/8", { id: "8" }],
    ["a/{*rest}", "/a", {}],
    ["a/{*rest}", "/a/b/c", { rest: "b/c" }],
    ["a/{**rest}", "/a/b/c/", { rest: "b/c" }],
    ["{name}.{kind}", "/report.2026.pdf", { name: "report", kind: "2026.pdf" }],
    ["v{major:int}.{minor:int}", "/v1.2", { major: "1", minor: "2" }],
    ["a/{id:guid}", "/a/0f8fad5b-d9cb-469f-a165-70867728950e", { id: "0f8fad5b-d9cb-469f-a165-70867728950e" }],
    ["a/{id:guid}", "/a/0f8fad5b", undefined],
    ["a/{id:long}", "/a/9223372036854775807", { id: "9223372036854775807" }],
    ["a/{id:long}", "/a/9223372036854775808", undefined],
    ["a/{id:int}", "/a/-2147483648", { id: "-2147483648" }],
    ["a/{id:int}", "/a/2147483648", undefined],
    ["a/{on:bool}", "/a/TRUE", { on: "TRUE" }],
    ["a/{x:double}", "/a/1.5e3", { x: "1.5e3" }],
    ["a/{x:alpha}", "/a/b1", undefined],
    ["a/{x:length(3)}", "/a/abc", { x: "abc" }],
    ["a/{x:length(3)}", "/a/abcd", undefined],
    ["a/{x:length(1,3)}", "/a/ab", { x: "ab" }],
    ["a/{x:minlength(2):maxlength(3)}", "/a/abcd", undefined],
    ["a/{x:range(1,10)}", "/a/10", { x: "10" }],
    ["a/{x:range(1,10)}", "/a/11", undefined],
    ["a/{x:min(5)}", "/a/4", undefined],
    ["a/{x:max(5)}", "/a/5", { x: "5" }],
    ["a/{x:datetime}", "/a/2026-11-22", { x: "2026-11-22" }],
    ["a/{x:datetime}", "/a/today", undefined],
    ["a/{code:regex(^\\d{{3}}-[a-z]+$)}", "/a/123-Ab", { code: "123-Ab" }],
    ["a/{code:regex(^\\d{{3}}$)?}", "/a/12", undefined],
    ["a/{code:regex(^\\d{{3}}$)?}", "/a", {}],
    ["a+b", "/a+b", {}],
    ["a+b", "/aab", undefined],
  ])("%s matches %s as %j", (route, path, values) => {
    expect(matchRoute(parseRoute(route), path)).toEqual(values);
  });
});

test("compareRoutes puts specific routes before general ones", () => {
  const expected = ["a/b/c", "a/b", "a/{x:int:min(1)}", "a/{x:int}", "a/{x}/c", "a/{x}", "a/{*x}", "{x}"];
  const sorted = expected.toReversed().sort((a, b) => compareRoutes(parseRoute(a), parseRoute(b)));
  expect(sorted).toEqual(expected);
});

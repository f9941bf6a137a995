import { describe, expect, test } from "vitest";
import { prometheusText } from "../../../shared/http/prometheus.ts";

describe("prometheusText", () => {
  test("writes each metric with its help and type, and one line a sample", () => {
    const text = prometheusText([
      { name: "a", help: "First.", samples: [{ value: 1 }] },
      {
        name: "b",
        help: "Second.",
        samples: [
          { labels: { x: "1", y: "2" }, value: 1.5 },
          { labels: { x: "3" }, value: 0 },
        ],
      },
      { name: "c", help: "Nothing.", samples: [] },
    ]);

    expect(text).toBe(
      '# HELP a First.\n# TYPE a gauge\na 1\n# HELP b Second.\n# TYPE b gauge\nb{x="1",y="2"} 1.5\nb{x="3"} 0\n',
    );
  });

  test("escapes characters that would end a line or a label", () => {
    const text = prometheusText([
      { name: "a", help: 'say "\\n"\nor not', samples: [{ labels: { path: 'C:\\new\n"x"' }, value: 1 }] },
    ]);

    expect(text.split("\n")).toEqual([
      '# HELP a say "\\\\n"\\nor not',
      "# TYPE a gauge",
      'a{path="C:\\\\new\\n\\"x\\""} 1',
      "",
    ]);
  });

  test.each([
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
    [1e21, "1e+21"],
  ])("writes %d as Prometheus reads it", (value, written) => {
    expect(prometheusText([{ name: "a", help: "", samples: [{ value }] }])).toContain(`a ${written}\n`);
  });
});

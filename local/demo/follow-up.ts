import * as z from "zod";
import type { VaultApi } from "../stack/api.ts";
import type { Screen } from "./screen.ts";

const Count = z.number().nonnegative();
const Coverage = z.looseObject({ summary: z.looseObject({ mailboxes: Count, protected: Count }) });
const Rehearsals = z.looseObject({
  rehearsals: z.array(
    z.looseObject({
      counts: z.looseObject({ items: Count, same: Count }),
      sample: z.array(z.unknown()),
      proved: z.boolean(),
      removed: z.string().optional(),
    }),
  ),
});

export interface CoverageFigures {
  readonly mailboxes: number;
  readonly protected: number;
}

/** How many mailboxes are covered as they should be. */
export const showCoverage = async (api: VaultApi, screen: Screen): Promise<CoverageFigures> => {
  const { summary } = Coverage.parse(await api.get("/api/coverage"));
  screen.say(`\nCoverage: ${summary.protected} of ${summary.mailboxes} mailboxes are protected`);
  return { mailboxes: summary.mailboxes, protected: summary.protected };
};

export interface RehearsalFigures {
  readonly items: number;
  readonly same: number;
  readonly proved: boolean;
}

/** Has the day's restore rehearsal begin out of turn, waits for its end, and shows its report. */
export const rehearse = async (api: VaultApi, screen: Screen): Promise<RehearsalFigures> => {
  const headers = { "content-type": "application/json" };
  const begun = await api.request("/admin/functions/rehearse-restore", { method: "POST", headers, body: "{}" });
  if (begun.status !== 202) throw new Error("The host does not run the rehearsal");
  await api.finish(`rehearsal-${new Date().toISOString().slice(0, 10)}`);
  const [report] = Rehearsals.parse(await api.get("/api/rehearsals")).rehearsals;
  if (report === undefined) throw new Error("The rehearsal left no report");

  const { counts, sample, proved, removed } = report;
  screen.say(
    `\nRehearsal: ${counts.items} items of ${sample.length} mailboxes restored into another one, ` +
      `${counts.same} the same, ${removed === undefined ? "NOT removed" : "and removed again"}`,
  );
  return { items: counts.items, same: counts.same, proved };
};

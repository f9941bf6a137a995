import * as z from "zod";
import type { VaultApi } from "../stack/api.ts";
import type { Screen } from "./screen.ts";

const DryRun = z.looseObject({
  snapshots: z.array(z.looseObject({ started: z.string(), stays: z.boolean(), reasons: z.array(z.string()) })),
});

/** A policy to try: nothing is removed by trying. */
const POLICY = "last=7,daily=30,weekly=12,monthly=24,yearly=7";

/** Tells which snapshots of a mailbox a policy would keep, and why. */
export const tryRetention = async (api: VaultApi, screen: Screen, mailbox: string): Promise<void> => {
  const answer = await api.request(`/api/mailboxes/${encodeURIComponent(mailbox)}/retention`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ policy: POLICY }),
  });
  if (!answer.ok) throw new Error(`The dry run of retention answered ${answer.status}: ${await answer.text()}`);
  screen.say(`\nRetention, as a dry run of ${POLICY}`);
  for (const { started, stays, reasons } of DryRun.parse(await answer.json()).snapshots)
    screen.say(`  ${started} ${stays ? `stays: ${reasons.join(", ")}` : "goes"}`);
};

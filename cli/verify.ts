import type { Blobs } from "../shared/storage/blobs.ts";
import { type Finding, findingList } from "../shared/vault/finding.ts";
import { listMailboxes } from "../shared/vault/snapshots.ts";
import { verifyMailbox } from "../shared/vault/verify-mailbox.ts";
import { findMailbox } from "./find.ts";
import type { Printer } from "./printer.ts";

/** Reads every byte that the snapshots need. Prints one line for each finding, then the totals. */
export const verify = async (vault: Blobs, { print, warn }: Printer, mailbox: string | undefined): Promise<number> => {
  const only = mailbox === undefined ? undefined : await findMailbox(vault, mailbox);
  const sum = { mailboxes: 0, snapshots: 0, packs: 0, items: 0, findings: 0 };
  for await (const key of listMailboxes(vault)) {
    if (only !== undefined && key !== only) continue;
    const list = findingList();
    const { snapshots, packs, items } = await verifyMailbox(vault, key, (finding) => {
      const before = list.count;
      list.report(finding);
      if (list.count > before) print(lineOf(finding));
    });
    sum.mailboxes += 1;
    sum.snapshots += snapshots;
    sum.packs += packs;
    sum.items += items;
    sum.findings += list.count;
  }
  const counts = `${sum.mailboxes} mailboxes, ${sum.snapshots} snapshots, ${sum.packs} packs, ${sum.items} items`;
  warn(`${counts}: ${sum.findings === 0 ? "no damage" : `${sum.findings} findings`}`);
  return sum.findings === 0 ? 0 : 1;
};

const lineOf = ({ blob, item, problem }: Finding): string =>
  `${blob}${item === undefined ? "" : `, item ${item}`}: ${problem}`;

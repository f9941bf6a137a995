import { storedHead } from "../../../functions/browse/stored-mailbox.ts";
import { coverageOf } from "../../../functions/coverage/coverage.ts";
import { readVerification } from "../../../functions/verify/verification-state.ts";
import { verifyWave } from "../../../functions/verify/verify.contract.ts";
import { verifyWaveActivity } from "../../../functions/verify/verify-wave.activity.ts";
import { runId } from "../../../shared/contracts/ids.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { listSnapshots } from "../../../shared/vault/snapshots.ts";
import { all } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph, deliver } from "../kit.ts";

let verifications = 0;

/** A mailbox that is backed up, and whose vault may be damaged and verified. */
export const aDamagedMailbox = async (...options: Parameters<typeof aMailboxInGraph>) => {
  const kit = await aMailboxInGraph(...options);
  const { emulator, vault, work, state, mailbox } = kit;
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work, state };
  const criteria = { nowMs: Date.now(), intervalMs: 24 * 3_600_000, scope: undefined };
  return {
    ...kit,
    back: (how: Parameters<typeof runBackup>[2] = {}) => runBackup(place, mailbox, how),
    /** The items of a snapshot, as the catalogue has them. */
    stored: (id: string) => all(foldSnapshot(vault, mailbox.key, id)),
    /** The ids of a snapshot's items, each read to its end. */
    readable: async (id: string) => {
      const ids: string[] = [];
      for await (const record of foldSnapshot(vault, mailbox.key, id)) {
        await all(readItem(vault, record));
        ids.push(record.id);
      }
      return ids.sort();
    },
    /** Verifies the whole mailbox, and returns the blobs that were found damaged, with what is known of them. */
    verify: async () => {
      verifications += 1;
      const run = runId(new Date(Date.UTC(2026, 10, 25) + verifications * 60_000), "00000000");
      const handler = verifyWaveActivity({ vault, work, state, budgetMs: 600_000 });
      await deliver(handler, verifyWave, { run, wave: 0, scope: { mailbox: mailbox.key } });
      return (await readVerification(state, mailbox.key))?.findings ?? [];
    },
    coverage: async () =>
      coverageOf(
        mailbox.key,
        await storedHead(vault, mailbox.key),
        await readVerification(state, mailbox.key),
        criteria,
      ),
    /** The blobs whose names hold a text. */
    names: (text: string) => [...vault.blobs.keys()].filter((name) => name.includes(text)),
    snapshots: () => all(listSnapshots(vault, mailbox.key)),
  };
};

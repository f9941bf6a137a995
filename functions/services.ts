import { blobAuditLog } from "../shared/audit/blob-audit-log.ts";
import type { Config } from "../shared/config.ts";
import { claimingStarts } from "../shared/durable/claimed-starts.ts";
import { type ClientOf, clientOf as hubClientOf } from "../shared/durable/client.ts";
import { graph } from "../shared/graph/graph-client.ts";
import { importer } from "../shared/graph/import-item.ts";
import { mailboxGates } from "../shared/graph/mailbox-gate.ts";
import { PROGRAM } from "../shared/program.ts";
import { dutyCredential } from "../shared/security/credentials.ts";
import { onBehalfOf } from "../shared/security/on-behalf-of.ts";
import { sealer } from "../shared/security/seal.ts";
import { azureBlobs } from "../shared/storage/azure-blobs.ts";
import { blobService, containersOf, packageService } from "../shared/storage/containers.ts";
import { appTranslator, callerTranslator } from "./id-translation/translator.ts";
import { recordingStarts } from "./jobs/recorded-starts.ts";
import { notifier } from "./notify/notifier.ts";
import { webhook } from "./notify/webhook.ts";
import { azurePackages } from "./personal-data/packages.ts";
import { UndoEntry } from "./restore/undo/undo-ledger.ts";
import { blobLedgers, blobLedgersOf } from "./restore/upload/ledger.ts";

/**
 * The services that functions use, by duty. Each duty has an identity of its own with the rights that the duty needs,
 * to its containers and in Graph, and no others: the identity that backs up cannot import.
 */
export const openServices = ({
  graph: graphConfig,
  storage,
  sealKey,
  idTranslation,
  followUp,
  personalData,
  slots,
}: Config) => {
  const { endpoint, importHosts } = graphConfig;
  const userAgent = PROGRAM;

  const gates = mailboxGates();
  const { holdMs } = slots;

  const backupCredential = dutyCredential(graphConfig.backup);
  const restoreCredential = dutyCredential(graphConfig.restore);
  const privacyCredential = dutyCredential(graphConfig.privacy);
  const retentionCredential = dutyCredential(graphConfig.retention);
  const backupContainer = containersOf("backup", blobService(storage, backupCredential));
  const retentionContainer = containersOf("retention", blobService(storage, retentionCredential));
  const restoreContainer = containersOf("restore", blobService(storage, restoreCredential));
  const privacyContainer = containersOf("privacy", blobService(storage, privacyCredential));

  const state = azureBlobs(backupContainer("state"));
  const audit = blobAuditLog(restoreContainer("audit"));
  const clientOf: ClientOf = (context) => claimingStarts(recordingStarts(hubClientOf(context), state), state);

  const backup = {
    clientOf,
    gates,
    holdMs,
    openGraph: graph({ endpoint, credential: backupCredential, userAgent }),
    vault: azureBlobs(backupContainer("vault")),
    work: azureBlobs(backupContainer("work")),
    state,
    audit,
    reachVault: () => backupContainer("vault").exists(),
  };
  const retention = {
    /** Only what a list of removals has named for a day: `functions/retention/prune.ts`. */
    remove: azureBlobs(retentionContainer("vault")).remove,
  };
  const restore = {
    clientOf,
    gates,
    holdMs,
    openGraph: graph({ endpoint, credential: restoreCredential, userAgent }),
    openImporter: importer({ importHosts, userAgent }),
    importHosts,
    sealer: sealer(sealKey),
    vault: azureBlobs(restoreContainer("vault")),
    work: azureBlobs(restoreContainer("work")),
    ledgers: blobLedgers(restoreContainer("work")),
    undoLedgers: blobLedgersOf(restoreContainer("work"), UndoEntry),
    state,
    audit,
  };
  const privacy = {
    clientOf,
    openGraph: graph({ endpoint, credential: privacyCredential, userAgent }),
    vault: azureBlobs(privacyContainer("vault")),
    work: azureBlobs(privacyContainer("work")),
    packages: azurePackages(packageService(storage, privacyCredential), {
      kind: storage.kind,
      sasMs: personalData.sasMs,
    }),
    audit: blobAuditLog(privacyContainer("audit")),
  };

  const translator =
    idTranslation.by === "app"
      ? appTranslator(backup.openGraph)
      : callerTranslator({
          scope: `${endpoint}/.default`,
          credentialOf: onBehalfOf(
            { tenantId: idTranslation.tenantId, clientId: idTranslation.clientId },
            backupCredential,
          ),
          graphAs: (credential) => graph({ endpoint, credential, userAgent }),
        });
  const post = followUp.webhook && webhook(followUp.webhook, { userAgent });
  return { backup, retention, restore, privacy, translator, notifier: notifier({ state, post }) };
};

export type Services = ReturnType<typeof openServices>;

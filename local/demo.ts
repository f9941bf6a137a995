import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import * as z from "zod";
import { rehearse, showCoverage } from "./demo/follow-up.ts";
import { type DemoOptions, readDemoOptions, USAGE } from "./demo/options.ts";
import { tryRetention } from "./demo/retention.ts";
import { backUp, chooseFolder, exportPerson, isBack, restore } from "./demo/run.ts";
import { readableBytes, readableSeconds, type Screen, screen, table } from "./demo/screen.ts";
import { translateIds } from "./demo/translate.ts";
import { verifyVault } from "./demo/verify.ts";
import type { StartOptions } from "./graph/emulator.ts";
import { OutlookFileError } from "./graph/pst/open.ts";
import { readOutlookFile } from "./graph/pst/outlook-file.ts";
import { graphAdmin } from "./stack/admin.ts";
import { vaultApi } from "./stack/api.ts";
import { StackError } from "./stack/child.ts";
import { type Stack, startStack } from "./stack/stack.ts";

const DOMAIN = "contoso.example";

/** About 2,000 items in three mailboxes. */
const GENERATED: StartOptions["mailboxes"] = [
  { kind: "generated", userPrincipalName: `ada.berg@${DOMAIN}`, items: 900 },
  { kind: "generated", userPrincipalName: `bo.lind@${DOMAIN}`, items: 700 },
  { kind: "generated", userPrincipalName: `cara.moss@${DOMAIN}`, items: 400 },
];

/** An empty mailbox that takes the rehearsal, and is none of those that are backed up. */
const REHEARSAL = `rehearsal@${DOMAIN}`;
const REHEARSAL_MAILBOX = {
  kind: "generated",
  userPrincipalName: REHEARSAL,
  items: 0,
  userFolders: 0,
  layout: "inbox-only",
} as const;

/** Microsoft takes hours or days; nobody watches a demo so long. */
const QUICK_EXPORT: StartOptions["settings"] = {
  behaviours: { exportStepMs: 100, exportRetryAfterSeconds: 1, operationRetryAfterSeconds: 1 },
};

const GraphCounters = z.looseObject({
  requests: z.record(z.string(), z.number()),
  throttled: z.record(z.string(), z.number()),
  mailboxes: z.record(z.string(), z.looseObject({ highestConcurrency: z.number() })),
});
const StorageCounters = z.looseObject({ kinds: z.looseObject({ write: z.number(), read: z.number() }) });

/** A mailbox for each Outlook file, opened once here so that a bad file stops the demo before anything starts. */
const outlookMailboxes = (files: readonly string[]): StartOptions["mailboxes"] =>
  files.map((file, index) => {
    const path = resolve(file);
    readOutlookFile(path).close();
    const name = basename(file, extname(file))
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-");
    return { kind: "outlook", userPrincipalName: `${name}-${index + 1}@${DOMAIN}`, files: [path] };
  });

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

const figuresOf = async (stack: Stack) => {
  const graph = GraphCounters.parse(await graphAdmin(stack.graphUrl).counters());
  const storage = StorageCounters.parse(await (await fetch(new URL("/__admin/counters", stack.storageUrl))).json());
  return {
    graph: {
      requests: sum(graph.requests),
      throttled: sum(graph.throttled),
      maxConcurrency: Math.max(0, ...Object.values(graph.mailboxes).map((mailbox) => mailbox.highestConcurrency)),
    },
    storage: { writes: storage.kinds.write, reads: storage.kinds.read },
  };
};

const show = async (options: DemoOptions, out: Screen, stack: Stack): Promise<boolean> => {
  const api = vaultApi(stack.hostUrl, { "x-functions-key": stack.hostKey });
  const admin = graphAdmin(stack.graphUrl);
  const users = (await admin.users()).filter(({ userPrincipalName }) => userPrincipalName !== REHEARSAL);
  let expected = 0;
  for (const user of users) for (const folder of await admin.folders(user.userPrincipalName)) expected += folder.items;

  out.say(`Backing up ${users.length} mailboxes with ${expected} items`);
  const backup = await backUp(api, out, expected);

  const loss = await chooseFolder(admin, users);
  await admin.run("remove-folder", { mailbox: loss.user.userPrincipalName, folder: loss.folder.id });
  out.say(`\nDeleting the folder ${loss.path} of ${loss.user.displayName}: ${loss.items} items are gone`);

  out.say("\nRestoring it");
  const restored = await restore(api, out, loss);
  const isWhole = (await isBack(admin, loss)) && backup.items === expected;
  const coverage = await showCoverage(api, out);
  const rehearsal = await rehearse(api, out);
  const isSound = await verifyVault(api, out, users);
  const translation = await translateIds(api, admin, out, loss.user);
  const verified =
    isWhole &&
    isSound &&
    translation.same === translation.ids &&
    coverage.protected === users.length &&
    rehearsal.proved;

  out.say(`\nExporting what there is of ${loss.user.displayName}`);
  const personalData = await exportPerson(api, out, loss.user);
  const { graph, storage } = await figuresOf(stack);
  await tryRetention(api, out, loss.user.userPrincipalName);

  out.say(`\n${isWhole ? "Every byte came back." : "What came back is NOT what was lost."}\n`);
  out.say(
    table([
      ["", "items", "bytes", "time"],
      ["backup", String(backup.items), readableBytes(backup.bytes), readableSeconds(backup.seconds)],
      ["restore", String(restored.items), readableBytes(restored.bytes), readableSeconds(restored.seconds)],
    ]),
  );
  out.say(
    `\n  Graph: ${graph.requests} requests, ${graph.throttled} refused, ` +
      `at most ${graph.maxConcurrency} at a time for a mailbox` +
      `\n  Storage: ${storage.writes} writes, ${storage.reads} reads`,
  );
  if (options.json)
    console.log(
      JSON.stringify({
        backup,
        restore: restored,
        translation,
        coverage,
        rehearsal,
        personalData,
        graph,
        storage,
        verified,
      }),
    );
  return verified;
};

const main = async (): Promise<number> => {
  const options = readDemoOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const out = screen(options.json ? process.stderr : process.stdout);
  const mailboxes = options.pst.length > 0 ? outlookMailboxes(options.pst) : GENERATED;
  const appDir = options.app === undefined ? undefined : resolve(options.app);
  const dataDir = await mkdtemp(join(tmpdir(), "mailbox-vault-demo-"));
  let stack: Stack | undefined;
  const interrupted = new Promise<number>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done(130));
  });
  try {
    out.say("Starting storage, the Graph emulator and the Functions host");
    const line = (name: string, text: string): void => {
      if (options.verbose) process.stderr.write(`[${name}] ${text}\n`);
    };
    const starting = startStack({
      dataDir,
      appDir,
      graph: { mailboxes: [...(mailboxes ?? []), REHEARSAL_MAILBOX], settings: QUICK_EXPORT },
      events: true,
      profile: options.profile,
      scale: options.scale,
      settings: { REHEARSAL_MAILBOX: REHEARSAL, BACKUP_EXCLUDE: REHEARSAL },
      line,
    }).then((started) => {
      stack = started;
      return started;
    });
    const shown = starting.then((started) => Promise.race([show(options, out, started), started.broken]));
    const code = await Promise.race([shown.then((verified) => (verified ? 0 : 1)), interrupted]);
    if (code === 130) await starting.catch(() => undefined);
    return code;
  } finally {
    await stack?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

try {
  process.exitCode = await main();
} catch (error) {
  const isExpected = error instanceof StackError || error instanceof OutlookFileError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? 2 : 1;
}

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { StartOptions } from "./graph/emulator.ts";
import { OutlookFileError } from "./graph/pst/open.ts";
import { readOutlookFile } from "./graph/pst/outlook-file.ts";
import { StackError } from "./stack/child.ts";
import { startStack } from "./stack/stack.ts";

const USAGE = `Usage: npm start -- [--data DIR] [--port N] [--clock N] [--pst FILE...] [--app DIR] [--quiet]

  --data DIR     where mailboxes, vault and task hub are kept (.data)
  --port N       port of the Functions host (7071)
  --clock N      how much faster than the wall durable timers run (1)
  --pst FILE...  mailboxes of Outlook data files, beside the generated ones, at the first start
  --app DIR      folder of the built app (this project)
  --quiet        do not show what the processes print`;

const MAILBOXES: NonNullable<StartOptions["mailboxes"]> = [
  { kind: "generated", userPrincipalName: "ada.berg@contoso.example", items: 900 },
  { kind: "generated", userPrincipalName: "bo.lind@contoso.example", items: 700 },
  { kind: "generated", userPrincipalName: "cara.moss@contoso.example", items: 400 },
];

const readOptions = (args: readonly string[]) => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: "string", default: ".data" },
        port: { type: "string", default: "7071" },
        clock: { type: "string", default: "1" },
        pst: { type: "string", multiple: true, default: [] },
        app: { type: "string" },
        quiet: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const port = Number(values.port);
    const clock = Number(values.clock);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--port ${values.port} is no port`);
    if (!(clock > 0)) throw new Error(`--clock ${values.clock} is no factor`);
    return { ...values, app: values.app && resolve(values.app), port, clock, pst: [...values.pst, ...positionals] };
  } catch (error) {
    throw new StackError(`${error instanceof Error ? error.message : String(error)}. See npm start -- --help`);
  }
};

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const interrupted = new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
  // A bad file stops here, before anything starts.
  for (const file of options.pst) readOutlookFile(resolve(file)).close();
  const outlook = options.pst.map((file, index) => ({
    kind: "outlook" as const,
    userPrincipalName: `outlook-${index + 1}@contoso.example`,
    files: [resolve(file)],
  }));
  const stack = await startStack({
    dataDir: resolve(options.data),
    appDir: options.app,
    port: options.port,
    clock: options.clock,
    events: true,
    graph: { mailboxes: [...MAILBOXES, ...outlook] },
    line: (name, text) => {
      if (!options.quiet) console.log(`[${name}] ${text}`);
    },
  });
  try {
    console.log(`
Mailbox Vault   ${stack.hostUrl}
Graph emulator  ${stack.graphUrl}
Blob Storage    ${stack.storageUrl}

  curl -X POST ${stack.hostUrl}/api/backups
  curl ${stack.hostUrl}/api/jobs/backup-tenant
  curl ${stack.hostUrl}/api/coverage

State is kept in ${options.data}. Ctrl-C stops everything.`);
    await Promise.race([interrupted, stack.broken]);
  } finally {
    await stack.stop();
  }
};

try {
  await main();
} catch (error) {
  const isExpected = error instanceof StackError || error instanceof OutlookFileError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? 2 : 1;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { vaultApi } from "../../local/stack/api.ts";
import { eventually } from "../support/eventually.ts";
import { aFolder, stopStacks } from "../support/stack.ts";

const commands: Command[] = [];

afterEach(async () => {
  for (const { child, pids } of commands.splice(0)) {
    for (const pid of [child.pid ?? 0, ...pids()]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
  await stopStacks();
});

interface Command {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
  /** Every process that it was seen to have, itself not among them. */
  readonly pids: () => readonly number[];
}

const run = (program: "demo" | "start", ...args: string[]): Command => {
  const child = spawn(process.execPath, [`local/${program}.ts`, ...args]);
  const text = { out: "", err: "" };
  child.stdout.on("data", (data) => {
    text.out += data;
  });
  child.stderr.on("data", (data) => {
    text.err += data;
  });
  const seen = new Set<number>();
  const watch = setInterval(() => {
    for (const pid of descendants(child.pid ?? 0)) seen.add(pid);
  }, 20);
  const ended = once(child, "close").then(([code]) => {
    clearInterval(watch);
    return code as number | null;
  });
  const command = { child, out: () => text.out, err: () => text.err, ended, pids: () => [...seen] };
  commands.push(command);
  return command;
};

const descendants = (pid: number): number[] => {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
};

/** A process that nobody has waited for yet is dead all the same. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

const expectNothingLeft = async (command: Command): Promise<void> => {
  await eventually("end of every process", () => (command.pids().some(isAlive) ? undefined : true));
};

const app = () => ["--app", inject("appDir")];
const demoFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("mailbox-vault-demo-"));

describe("npm run demo and npm start", () => {
  const cases: [what: string, line: RegExp, start: () => Promise<Command>][] = [
    [
      "a file that is no Outlook file",
      /letter\.pst.*Outlook/,
      async () => {
        const file = join(await aFolder(), "letter.pst");
        await writeFile(file, "Dear Ada,");
        return run("demo", ...app(), "--pst", file);
      },
    ],
    ["a file that is not there", /nowhere\.pst/, async () => run("demo", ...app(), "--pst", "nowhere.pst")],
    ["an unknown option", /--fast.*--help/, async () => run("demo", "--fast")],
    ["an unknown word", /'now'.*--help/, async () => run("demo", "now")],
    [
      "an app that is not built",
      /npm run build/,
      async () => {
        const folder = await aFolder();
        await mkdir(join(folder, "dist"));
        return run("demo", "--app", folder);
      },
    ],
    ["an unknown option of start", /--fast.*--help/, async () => run("start", "--fast")],
    ["a port that is none", /--port 70000/, async () => run("start", "--port", "70000")],
    ["a clock that is none", /--clock fast/, async () => run("start", "--clock", "fast")],
    [
      "a file that is not there, for start",
      /nowhere\.pst/,
      async () => run("start", ...app(), "--data", await aFolder(), "--port", await freePort(), "--pst", "nowhere.pst"),
    ],
    [
      "a data folder that holds something else",
      /identity\.json.*--data/,
      async () => {
        const data = await aFolder();
        await writeFile(join(data, "identity.json"), "{}");
        return run("start", ...app(), "--data", data, "--port", await freePort());
      },
    ],
  ];

  test.each(cases)("end with one line and 2 for %s", async (_, line, start) => {
    const command = await start();
    expect(await command.ended).toBe(2);
    expectOneLine(command, line);
    await expectNothingLeft(command);
  });

  test("end with one line and 2 for a port in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const command = run("start", ...app(), "--data", await aFolder(), "--port", String(port));
    expect(await command.ended).toBe(2);
    expectOneLine(command, new RegExp(`${port}.*in use`));
    await expectNothingLeft(command);
    server.close();
  });
});

const expectOneLine = (command: Command, line: RegExp): void => {
  expect(command.err().trimEnd().split("\n")).toEqual([expect.stringMatching(line)]);
};

describe("npm run demo", () => {
  test("stops everything in order when it is interrupted, and leaves nothing behind", async () => {
    const before = demoFolders();
    const command = run("demo", "--verbose", ...app());
    await eventually("backup", () => command.out().includes("Backing up") || undefined);
    command.child.kill("SIGINT");
    expect(await command.ended).toBe(130);
    expect(command.pids().length).toBeGreaterThanOrEqual(4);
    await expectNothingLeft(command);
    const lines = command.err().trimEnd().split("\n");
    expect(lines.filter((line) => !/^\[(storage|graph|host)\] /.test(line) || line.includes("killed"))).toEqual([]);
    expect(demoFolders().filter((name) => !before.includes(name))).toEqual([]);
  });
});

const Snapshots = z.looseObject({ snapshots: z.array(z.looseObject({ id: z.string() })) });

describe("npm start", () => {
  test("keeps mailboxes and snapshots from one start to the next", async () => {
    const data = await aFolder();
    const port = await freePort();
    const cara = "cara.moss@contoso.example";
    const start = async () => {
      const command = run("start", ...app(), "--data", data, "--port", port);
      await eventually("start", () => command.out().includes("Ctrl-C stops everything") || undefined);
      return { command, api: vaultApi(`http://127.0.0.1:${port}`) };
    };
    const interrupt = async (command: Command) => {
      command.child.kill("SIGINT");
      expect(await command.ended).toBe(0);
      await expectNothingLeft(command);
    };

    const first = await start();
    const job = await first.api.start("/api/backups", { mailboxes: [cara] });
    const done = await first.api.finish(job);
    const snapshots = Snapshots.parse(await first.api.get(`/api/mailboxes/${cara}/snapshots`));
    expect(snapshots.snapshots).toHaveLength(1);
    await interrupt(first.command);

    const second = await start();
    expect(await second.api.job(job)).toEqual(done);
    expect(Snapshots.parse(await second.api.get(`/api/mailboxes/${cara}/snapshots`))).toEqual(snapshots);
    const restored = await second.api.finish(
      await second.api.start("/api/restores", {
        mailbox: cara,
        select: { all: true },
        target: "original",
        dryRun: true,
        reason: "a test",
      }),
    );
    expect(restored.result).toMatchObject({ items: 0, present: 400 });
    await interrupt(second.command);
  });
});

const freePort = async (): Promise<string> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return String(port);
};

import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const [major = "", minor = ""] = process.versions.node.split(".");

const inAProjectThatNeeds = async (node: string) => {
  const dir = await mkdtemp(join(tmpdir(), "require-node-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, "scripts"));
  await writeFile(join(dir, "package.json"), JSON.stringify({ engines: { node } }));
  await copyFile("scripts/require-node.mjs", join(dir, "scripts/require-node.mjs"));
  const { status, stderr } = spawnSync(process.execPath, ["scripts/require-node.mjs"], { cwd: dir, encoding: "utf8" });
  return { status, stderr };
};

test.each([[`${major}.${minor}`], [`${Number(major) - 1}.${Number(minor) + 1}`]])(
  "says nothing where Node.js %s is enough",
  async (least) => {
    expect(await inAProjectThatNeeds(`>=${least}`)).toEqual({ status: 0, stderr: "" });
  },
);

test.each([[`${major}.${Number(minor) + 1}`], [`${Number(major) + 1}.0`]])(
  "ends with one line where it takes Node.js %s",
  async (least) => {
    const { status, stderr } = await inAProjectThatNeeds(`>=${least}`);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Mailbox Vault needs Node\\.js ${least} or newer.*install Node\\.js.*\\n$`));
  },
);

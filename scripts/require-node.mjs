import { readFileSync } from "node:fs";

/**
 * Ends the process with one sentence when this Node.js is too old for the project, which happens only where the one
 * that `npm ci` brings is missing. Plain JavaScript, so that an old Node.js gets as far as saying so.
 */
const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [least, now] = [engines.node.replace(">=", ""), process.versions.node];

const [major, minor] = least.split(".").map(Number);
const [nowMajor, nowMinor] = now.split(".").map(Number);
if (nowMajor < major || (nowMajor === major && nowMinor < minor)) {
  process.stderr.write(
    `Mailbox Vault needs Node.js ${least} or newer, and would run on ${now}. \`npm ci\` brings the right one, except ` +
      `with --omit=optional or on a platform that it has none for (this is ${process.platform} ${process.arch}): ` +
      "install Node.js 22 or 24 there.\n",
  );
  process.exit(1);
}

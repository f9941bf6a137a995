import { execFileSync } from "node:child_process";

const isWindows = process.platform === "win32";

/** The one that azd deploys to: the CLI may have another selected. The URL of a `rest` call names its own. */
const subscriptionOf = ([command]) => {
  const id = process.env.AZURE_SUBSCRIPTION_ID;
  return id && command !== "rest" ? ["--subscription", id] : [];
};

/**
 * Runs the Azure CLI and returns what it printed. On Windows it is a batch file, which takes a shell to run.
 *
 * @throws with what it said when it fails.
 */
export const az = (args, env = {}) => {
  const all = [...args, ...subscriptionOf(args)];
  return execFileSync(isWindows ? "az.cmd" : "az", isWindows ? all.map((arg) => `"${arg}"`) : all, {
    encoding: "utf8",
    env: { ...process.env, ...env },
    shell: isWindows,
    stdio: ["ignore", "pipe", "pipe"],
  });
};

export const azJson = (args, env) => JSON.parse(az([...args, "--output", "json"], env));

/** Ends the program with a line for a person. */
export const stop = (message) => {
  console.error(message);
  process.exit(1);
};

/** What the CLI said, without the stack of the call. */
export const saidBy = (error) => String(error.stderr || error.message).trim();

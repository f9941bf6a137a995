import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { az, saidBy, stop } from "../hooks/az.mjs";
import { resolveReferences } from "../hooks/resolve-references.mjs";

/**
 * Puts one secret into the key vault unless it is there, and has the app look it up.
 *
 * Goes through the resource manager, so that whoever deploys needs no right to read secrets. With --renew a new value
 * takes the place of the old. Let restores that are under way end before you renew the seal key: they cannot open what
 * the old one sealed.
 */
const USAGE = `usage: node infra/identity/secret.mjs RESOURCE_GROUP KEY_VAULT_NAME SECRET APP_NAME [--renew]
SECRET is seal-key or notify-webhook-url.
A seal key is 32 random bytes that nobody sees. Any other secret is the first line of standard input.`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { renew: { type: "boolean" } } });
const [group, vault, name, app] = positionals;
if (app === undefined || !["seal-key", "notify-webhook-url"].includes(name)) stop(USAGE);

/** Not knowing is not the same as none: a key too many would lock out what the first one sealed. */
const isThere = () => {
  const show = ["keyvault", "show", "--resource-group", group, "--name", vault];
  const id = az([...show, "--query", "id", "--output", "tsv"]).trim();
  try {
    az(["rest", "--method", "GET", "--url", `${id}/secrets/${name}?api-version=2024-11-01`, "--output", "none"]);
    return true;
  } catch (error) {
    if (/not ?found/i.test(saidBy(error))) return false;
    throw error;
  }
};

try {
  const before = isThere();
  if (before && !values.renew) console.log(`${name} is there`);
  else {
    const value =
      name === "seal-key" ? randomBytes(32).toString("base64") : readFileSync(0, "utf8").split(/\r?\n/)[0].trim();
    if (value === "") stop("The first line of standard input is empty, and no address.");
    const parameters = fileURLToPath(new URL("secret.bicepparam", import.meta.url));
    // In the environment, since other users of a machine can read the arguments of a process.
    az(
      [
        "deployment",
        "group",
        "create",
        "--resource-group",
        group,
        "--name",
        name,
        "--parameters",
        parameters,
        "--output",
        "none",
      ],
      { KEY_VAULT_NAME: vault, SECRET_NAME: name, SECRET_VALUE: value },
    );
    console.log(before ? `renewed ${name}` : `made ${name}`);
  }
  console.log(await resolveReferences(group, app));
} catch (error) {
  stop(saidBy(error));
}

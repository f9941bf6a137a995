import { readFileSync } from "node:fs";
import { azJson, saidBy } from "./az.mjs";

/**
 * Says what a deployment with azd lacks, and how to get each, before it begins: Bicep's own words for it are a code,
 * and an unregistered provider shows after minutes.
 */
const { variables, providers } = JSON.parse(readFileSync(new URL("needs.json", import.meta.url), "utf8"));

const lines = Object.entries(variables)
  .filter(([name]) => !process.env[name])
  .map(([name, { what, example }]) => `${name} is not set: ${what}.\n  azd env set ${name} ${example}`);

try {
  const query = "[?registrationState=='Registered'].namespace";
  const registered = new Set(azJson(["provider", "list", "--query", query]).map((name) => name.toLowerCase()));
  for (const name of providers)
    if (!registered.has(name.toLowerCase()))
      lines.push(`The provider ${name} is not registered here.\n  az provider register --namespace ${name} --wait`);
} catch (error) {
  lines.push(`The Azure CLI cannot be asked which providers are registered: ${saidBy(error)}\n  az login`);
}

if (lines.length > 0) {
  console.error(`${lines.join("\n")}\nThen run azd again.`);
  process.exitCode = 1;
}

import { fileURLToPath } from "node:url";
import { az, saidBy, stop } from "../hooks/az.mjs";

/**
 * Deploys the last layer: who hears of what is written. It comes after the app, whose functions it names. What the
 * layers before printed is in the environment, under their names.
 */
const NEEDED = [
  "AZURE_RESOURCE_GROUP",
  "APP_NAME",
  "TOPIC_NAME",
  "DATA_ACCOUNT_NAME",
  "VAULT_RESOURCE_GROUP",
  "VAULT_SUBSCRIPTION_ID",
  "PACKAGE_TOPIC_NAME",
  "PACKAGE_ACCOUNT_NAME",
];

const missing = NEEDED.filter((name) => !process.env[name]);
if (missing.length > 0) stop(`Not in the environment: ${missing.join(", ")}. They are outputs of the layers before.`);
try {
  az([
    "deployment",
    "group",
    "create",
    "--resource-group",
    process.env.AZURE_RESOURCE_GROUP,
    "--name",
    "events",
    "--parameters",
    fileURLToPath(new URL("main.bicepparam", import.meta.url)),
    "--output",
    "none",
  ]);
  console.log("the app hears of what is written");
} catch (error) {
  stop(saidBy(error));
}

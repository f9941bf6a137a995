import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HOST_JSON = {
  version: "2.0",
  extensionBundle: { id: "Microsoft.Azure.Functions.ExtensionBundle", version: "[4.*, 5.0.0)" },
  extensions: { durableTask: { hubName: "HostContract" } },
};
const LOCAL_SETTINGS = {
  IsEncrypted: false,
  Values: { FUNCTIONS_WORKER_RUNTIME: "node", AzureWebJobsStorage: "UseDevelopmentStorage=true" },
};

/** Makes the contract's app in a folder, as any host loads it. */
export const buildContractApp = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await build({
    entryPoints: [fileURLToPath(new URL("app.ts", import.meta.url))],
    outfile: join(folder, "main.mjs"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    external: ["@azure/functions-core"],
    banner: {
      js: [
        'import { createRequire as __createRequire } from "node:module";',
        "const require = __createRequire(import.meta.url);",
      ].join(" "),
    },
    logLevel: "warning",
  });
  await mkdir(folder, { recursive: true });
  const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value, undefined, 2));
  await write("package.json", { name: "host-contract", type: "module", main: "main.mjs" });
  await write("host.json", HOST_JSON);
  await write("local.settings.json", LOCAL_SETTINGS);
};

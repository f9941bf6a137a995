import { runVault } from "./run.ts";

process.exitCode = await runVault(process.argv.slice(2), process.stdout, process.stderr);

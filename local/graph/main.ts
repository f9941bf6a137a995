import { startGraphEmulator } from "./emulator.ts";
import { loadOutlookFiles } from "./outlook-files.ts";

/**
 * Runs the emulator as a process of its own: options as JSON in the first argument or in GRAPH_EMULATOR_OPTIONS. Says
 * `{"graphUrl","importUrl"}` when it is ready, over IPC or as a line, and ends with its parent.
 */
const options = JSON.parse(process.argv[2] ?? process.env["GRAPH_EMULATOR_OPTIONS"] ?? "{}");
const emulator = await startGraphEmulator(options, { loadOutlook: loadOutlookFiles });
const ready = { graphUrl: emulator.graphUrl, importUrl: emulator.importUrl };
if (process.send === undefined) console.log(JSON.stringify(ready));
else process.send(ready);

const leave = () => void emulator.stop().then(() => process.exit(0));
process.once("SIGTERM", leave);
process.once("SIGINT", leave);
if (process.connected) process.once("disconnect", leave);
else process.stdin.once("end", leave).resume();

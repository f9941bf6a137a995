import { fileURLToPath } from "node:url";
import { buildContractApp } from "./contract-app.ts";

/** `npm run build:host-contract`: makes the app for a host that is started by somebody else, and says where it is. */
const folder = fileURLToPath(new URL("dist", import.meta.url));
await buildContractApp(folder);
console.log(folder);

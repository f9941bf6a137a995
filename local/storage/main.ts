import { readArguments } from "./arguments.ts";
import { startStorage } from "./storage.ts";

const storage = await startStorage(readArguments(process.argv.slice(2)));

const stop = async () => {
  await storage.stop();
  process.exit();
};
process.once("disconnect", stop);
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

const { url, port, connectionString, blobEndpoint } = storage;
const ready = { url, port, connectionString, blobEndpoint };
if (process.send === undefined) console.log(JSON.stringify(ready));
else process.send(ready);

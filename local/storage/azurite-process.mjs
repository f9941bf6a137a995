// Plain JavaScript: what it changes in Azurite has no types.
import Module, { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const ofAzurite = createRequire(require.resolve("azurite/package.json"));

/** Nothing is sent to Microsoft from here, so what would send it is left out: three quarters of the modules to load. */
const telemetry = ofAzurite.resolve("applicationinsights");
require.cache[telemetry] = Object.assign(new Module(telemetry), { loaded: true });

const { default: BlobConfiguration } = require("azurite/dist/src/blob/BlobConfiguration.js");
const { default: BlobServer } = require("azurite/dist/src/blob/BlobServer.js");

/**
 * Azurite looks a blob up by its account first, which all of them have: each request reads through every blob there is.
 * Its name, which is indexed as well, finds it at once.
 */
const { prototype: collection } = ofAzurite("lokijs").Collection;
const { findOne } = collection;
collection.findOne = function (query) {
  const names = Object.entries(query).filter(([key]) => key === "blobName" || key === "name");
  return findOne.call(this, { ...Object.fromEntries(names), ...query });
};

const [dir, port, where] = process.argv.slice(2);
const keepAliveSeconds = 60;
const accessLog = [false, undefined];
const debugLog = [false, undefined];
const loose = false;
const skipApiVersionCheck = true;
const noCertificate = ["", "", ""];
const noOauth = undefined;
const disableProductStyleUrl = false;
const inMemory = where === "in-memory";

const server = new BlobServer(
  new BlobConfiguration(
    "127.0.0.1",
    Number(port),
    keepAliveSeconds,
    join(dir, "blobs.json"),
    join(dir, "extents.json"),
    [{ locationId: "Default", locationPath: join(dir, "extents"), maxConcurrency: 50 }],
    ...accessLog,
    ...debugLog,
    loose,
    skipApiVersionCheck,
    ...noCertificate,
    noOauth,
    disableProductStyleUrl,
    inMemory,
  ),
);

const stop = async () => {
  if (server.getStatus() === "Running") await server.close();
  process.exit();
};

// The channel closes when the parent stops us and also when it is killed. Ctrl-C reaches the whole process group,
// and what to do about it is the parent's decision.
process.once("disconnect", stop);
process.once("SIGTERM", stop);
process.on("SIGINT", () => undefined);

await server.start();
if (process.connected) process.send({ url: server.getHttpServerAddress() });
else await stop();

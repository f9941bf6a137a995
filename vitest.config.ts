import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { HANGS_MS, PATIENCE_MS } from "./test/support/limits.ts";

/**
 * What a test needs shows in its name: nothing, Azurite, the whole stack, or Bicep's compiler. .dependency-cruiser.cjs
 * checks it.
 */
const AZURITE = "test/**/*.azurite.test.ts";
const END_TO_END = "test/end-to-end/**/*.test.ts";
/** Those that take many seconds each, whatever they need. */
const LONG = "test/**/*.long.*test.ts";
const MEMORY = "test/memory/**/*.test.ts";
const INFRA = "test/**/*.bicep.test.ts";

/**
 * What the tests start, some hundred processes, keeps its compiled code between starts. That saves a seventh of the
 * whole suite's processor time.
 */
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/node");

export default defineConfig({
  test: {
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    teardownTimeout: HANGS_MS,
    expect: { poll: { timeout: PATIENCE_MS, interval: 5 } },
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: "units",
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [AZURITE, END_TO_END, LONG, MEMORY, INFRA],
          setupFiles: ["test/support/after-each.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "azurite",
          isolate: false,
          include: [AZURITE],
          exclude: [LONG],
          globalSetup: ["test/support/azurite.ts"],
          setupFiles: ["test/support/after-each.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "end-to-end",
          isolate: false,
          include: [END_TO_END],
          exclude: [LONG],
          globalSetup: ["test/support/stack-app.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "long",
          isolate: false,
          include: [LONG],
          globalSetup: ["test/support/azurite.ts", "test/support/stack-app.ts"],
          setupFiles: ["test/support/after-each.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "infra",
          include: [INFRA],
          maxConcurrency: 2,
        },
      },
      {
        extends: true,
        test: {
          name: "memory",
          include: [MEMORY],
          globalSetup: ["test/support/stack-app.ts"],
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: "units",
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: ["test/end-to-end/**", "test/memory/**"],
          globalSetup: ["test/support/azurite.ts"],
          setupFiles: ["test/support/after-each.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "end-to-end",
          include: ["test/end-to-end/**/*.test.ts"],
          globalSetup: ["test/support/stack-app.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "memory",
          include: ["test/memory/**/*.test.ts"],
          globalSetup: ["test/support/stack-app.ts"],
          testTimeout: 120_000,
        },
      },
    ],
  },
});

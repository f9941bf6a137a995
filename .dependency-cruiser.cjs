/** What starts Azurite. */
const AZURITE = "^(test/support/azurite|local/storage/(azurite|storage))\\.ts$";

/** The direction of dependencies: functions/index.ts -> functions/<feature> -> shared, and nothing the other way. */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-orphans",
      comment: "A file that nobody imports is dead, unless it starts something.",
      severity: "error",
      from: { orphan: true, pathNot: "^test/|\\.d\\.ts$|main\\.ts$|\\.mjs$|^local/(demo|start)\\.ts$" },
      to: {},
    },
    {
      name: "shared-stands-alone",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^(functions|cli|local|tools|scripts|bench|test)/" },
    },
    {
      name: "app-knows-nothing-of-the-stand-ins",
      severity: "error",
      from: { path: "^functions/" },
      to: { path: "^(cli|local|tools|scripts|bench|test)/" },
    },
    {
      name: "stand-ins-know-nothing-of-the-app",
      comment: "The emulators must not agree with the app by sharing its code.",
      severity: "error",
      from: { path: "^local/(host|graph|storage)/" },
      to: { path: "^(functions|shared)/" },
    },
    {
      name: "only-index-registers",
      severity: "error",
      from: { path: "^(functions|shared)/", pathNot: "^functions/index\\.ts$" },
      to: { path: "node_modules/@azure/functions/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "durable-functions-behind-one-door",
      severity: "error",
      from: { path: "^(functions|shared)/", pathNot: "^shared/durable/" },
      to: { path: "node_modules/durable-functions/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "orchestrators-are-pure",
      comment: "An orchestrator knows contracts and pure helpers; of everything else it may know types.",
      severity: "error",
      from: { path: "\\.orchestrator\\.ts$" },
      to: {
        path: "^(shared|functions)/",
        pathNot: "^shared/(contracts|durable)/|\\.(contract|notice|progress|steps)\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "no-builtins-in-orchestrators",
      severity: "error",
      from: { path: "\\.(orchestrator|contract|notice|progress|steps)\\.ts$|^shared/contracts/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "what-orchestrators-import-is-pure",
      comment: "What a contract, notice, progress or steps file imports, an orchestrator imports with it.",
      severity: "error",
      from: { path: "\\.(contract|notice|progress|steps)\\.ts$|^shared/contracts/" },
      to: {
        path: "^(shared|functions)/",
        pathNot: "^shared/(contracts|durable)/|\\.(contract|notice|progress|steps)\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "shared-serves-several-features",
      comment: "A contract, a state or a step of one feature stands in that feature.",
      severity: "error",
      from: {},
      to: {
        path: "^shared/.*(\\.(contract|notice|progress|steps|orchestrator|activity|http|timer|event)|-state)\\.ts$",
      },
    },
    {
      name: "azurite-for-its-own-tests",
      comment: "A test that needs Azurite is an .azurite.test.ts: others run without it.",
      severity: "error",
      from: { path: "^test/.*\\.test\\.ts$", pathNot: "\\.azurite\\.test\\.ts$" },
      to: { path: AZURITE, reachable: true },
    },
    {
      name: "the-stack-for-end-to-end-tests",
      comment: "A test that needs the whole stack stands in test/end-to-end or test/memory.",
      severity: "error",
      from: { path: "^test/.*\\.test\\.ts$", pathNot: "^test/(end-to-end|memory)/" },
      to: { path: "^test/support/stack\\.ts$", reachable: true },
    },
  ],
  required: [
    {
      name: "azurite-tests-need-azurite",
      comment: "A test without need of Azurite is a plain .test.ts: it starts sooner.",
      severity: "error",
      module: { path: "\\.azurite\\.test\\.ts$" },
      to: { path: AZURITE, reachable: true },
    },
    {
      name: "end-to-end-tests-need-the-stack",
      comment: "A test without need of the whole stack stands beside the tests of what it tests.",
      severity: "error",
      module: { path: "^test/(end-to-end|memory)/.*\\.test\\.ts$" },
      to: { path: "^test/support/stack\\.ts$", reachable: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist/" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".json"],
      conditionNames: ["import", "require", "node", "default"],
    },
  },
};

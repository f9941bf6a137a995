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

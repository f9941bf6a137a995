import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Brings Bicep's compiler from NuGet, by the .NET SDK, into node_modules/.cache. The version is pinned: another one may
 * make other snapshots.
 */
const VERSION = "0.49.2";
const PACKAGE = "Azure.Bicep.CommandLine.linux-x64";

const folder = fileURLToPath(new URL("../../node_modules/.cache/bicep", import.meta.url));
const compiler = join(folder, PACKAGE.toLowerCase(), VERSION, "tools/bicep");

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error("This brings the compiler for Linux on x64. Elsewhere: az bicep install, or set BICEP to its path.");
  process.exit(1);
}
if (!existsSync(compiler)) {
  mkdirSync(folder, { recursive: true });
  const project = join(folder, "compiler.csproj");
  writeFileSync(
    project,
    `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
    <RestorePackagesPath>${folder}</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="${PACKAGE}" Version="[${VERSION}]" />
  </ItemGroup>
</Project>
`,
  );
  execFileSync("dotnet", ["restore", project], { stdio: ["ignore", "ignore", "inherit"] });
}
// The package comes without the right to run.
chmodSync(compiler, 0o755);
console.log(compiler);

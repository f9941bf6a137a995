import { checkInfra, NOT_CHECKED } from "./check-infra.ts";
import { lineOf } from "./finding.ts";
import { openProject } from "./project.ts";

const project = openProject();
const findings = checkInfra(project);
for (const found of findings) console.error(lineOf(found));
if (findings.length > 0) process.exitCode = 1;
else {
  const resources = project.bicep.flatMap(({ statements }) => statements.filter(({ kind }) => kind === "resource"));
  console.log(
    `The deployment is sound as far as can be seen here: ${project.bicep.length} files, ${resources.length} resources.`,
  );
  console.log("What this cannot check:");
  for (const line of NOT_CHECKED) console.log(`- ${line}`);
}

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { aFolder, removeFolders } from "../../local/host/fixture.ts";

afterAll(removeFolders);

/** A command `az` whose answers a module gives: `answer(args, env)` returns what it prints, or throws. */
const anAz = async (answer: string) => {
  const folder = join(await aFolder(), "bin");
  await mkdir(folder);
  const calls = join(folder, "calls");
  await writeFile(
    join(folder, "az.mjs"),
    `import { appendFileSync } from "node:fs";
const answer = ${answer};
appendFileSync(${JSON.stringify(calls)}, process.argv.slice(2).join(" ") + "\\n");
try { console.log(answer(process.argv.slice(2), process.env)); }
catch (error) { console.error(error.message); process.exit(1); }`,
  );
  await writeFile(join(folder, "az"), `#!/bin/sh\nexec ${process.execPath} ${folder}/az.mjs "$@"\n`);
  await chmod(join(folder, "az"), 0o755);
  return { PATH: `${folder}${delimiter}${process.env["PATH"]}`, calls };
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

const run = (args: readonly string[], env: Record<string, string>, input = ""): Promise<Ran> =>
  new Promise((done) => {
    const program = [resolve(args[0] ?? ""), ...args.slice(1)];
    const { stdin } = execFile(process.execPath, program, { env }, (error, out, errors) =>
      done({ code: Number(error?.code ?? 0), out, errors }),
    );
    stdin?.end(input);
  });

const EVERYTHING = {
  API_CLIENT_ID: "x",
  API_CALLERS: "x",
  ALERT_EMAIL: "x",
  BUDGET_START: "x",
  BACKUP_SCOPE: "x",
};
const OUTPUTS = {
  AZURE_RESOURCE_GROUP: "x",
  APP_NAME: "x",
  TOPIC_NAME: "x",
  DATA_ACCOUNT_NAME: "x",
  VAULT_RESOURCE_GROUP: "x",
  VAULT_SUBSCRIPTION_ID: "x",
  PACKAGE_TOPIC_NAME: "x",
  PACKAGE_ACCOUNT_NAME: "x",
};
const ALL_REGISTERED = `() => JSON.stringify(["App","Authorization","Consumption","DurableTask","EventGrid","Insights",
  "KeyVault","ManagedIdentity","Network","OperationalInsights","Resources","Storage","Web"]
  .map((name) => "microsoft." + name))`;

describe.skipIf(process.platform === "win32")("before azd provisions", () => {
  test("says which variables are missing, and how to set each", async () => {
    const { PATH } = await anAz(ALL_REGISTERED);
    const { code, errors } = await run(["infra/hooks/preprovision.mjs"], { PATH, API_CLIENT_ID: "x" });
    expect(code).toBe(1);
    expect(errors).toMatch(/BACKUP_SCOPE is not set: .*\n {2}azd env set BACKUP_SCOPE /);
    expect(errors).not.toContain("API_CLIENT_ID");
  });

  test("says which providers are not registered, and how to register each", async () => {
    const { PATH } = await anAz(`() => '["Microsoft.Web"]'`);
    const { code, errors } = await run(["infra/hooks/preprovision.mjs"], { PATH, ...EVERYTHING });
    expect(code).toBe(1);
    expect(errors).toContain("az provider register --namespace Microsoft.EventGrid --wait");
    expect(errors).not.toContain("--namespace Microsoft.Web ");
  });

  test("says nothing when there is nothing to say", async () => {
    const { PATH } = await anAz(ALL_REGISTERED);
    expect(await run(["infra/hooks/preprovision.mjs"], { PATH, ...EVERYTHING })).toEqual({
      code: 0,
      out: "",
      errors: "",
    });
  });

  test("says to sign in when the Azure CLI cannot be asked", async () => {
    const { PATH } = await anAz(`() => { throw new Error("Please run 'az login'") }`);
    const { code, errors } = await run(["infra/hooks/preprovision.mjs"], { PATH, ...EVERYTHING });
    expect([code, errors]).toEqual([1, expect.stringContaining("az login")]);
  });
});

describe.skipIf(process.platform === "win32")("the seal key", () => {
  const azure = (secret: string, status = '"Resolved"') => `(args, env) => {
    const line = args.join(" ");
    if (line.includes("/secrets/")) { if (${secret}) return ""; throw new Error('Not Found({"error":{}})'); }
    const isKey = (text) => Buffer.from(text, "base64").length === 32;
    if (line.startsWith("deployment") && !isKey(env.SECRET_VALUE)) throw new Error("no key");
    if (line.includes("--method GET") && line.includes("configreferences"))
      return JSON.stringify({ value: [{ name: "SEAL_KEY", properties: { status: ${status} } }] });
    return "/id";
  }`;
  const seal = (env: Record<string, string>, ...more: string[]) =>
    run(["infra/identity/secret.mjs", "group", "vault", "seal-key", "app", ...more], env);
  const linesOf = async (calls: string) => readFileSync(calls, "utf8");

  test("is made where there is none, out of sight, and the app looks it up", async () => {
    const { PATH, calls } = await anAz(azure("false"));
    expect(await seal({ PATH })).toMatchObject({ code: 0, out: "made seal-key\n1 references are resolved\n" });
    const lines = await linesOf(calls);
    expect(lines).toMatch(/deployment group create .*secret\.bicepparam/);
    expect(lines).toContain("/config/configreferences/appsettings/refresh?");
  });

  test("stays as it is where there is one", async () => {
    const { PATH, calls } = await anAz(azure("true"));
    expect(await seal({ PATH })).toMatchObject({ code: 0, out: "seal-key is there\n1 references are resolved\n" });
    expect(await linesOf(calls)).not.toContain("deployment");
  });

  test("is renewed when that is asked for", async () => {
    const { PATH } = await anAz(azure("true"));
    expect(await seal({ PATH }, "--renew")).toMatchObject({
      code: 0,
      out: expect.stringContaining("renewed seal-key"),
    });
  });

  test("is looked for and made in the subscription that azd deploys to", async () => {
    const { PATH, calls } = await anAz(azure("false"));
    expect(await seal({ PATH, AZURE_SUBSCRIPTION_ID: "the-one" })).toMatchObject({ code: 0 });
    const lines = (await linesOf(calls)).trim().split("\n");
    // The URL of a rest call names it.
    expect(lines.filter((line) => line.startsWith("rest ") === line.endsWith(" --subscription the-one"))).toEqual([]);
  });

  test("is not made when nobody can say whether there is one", async () => {
    const { PATH, calls } = await anAz(
      `(args) => { if (args.join().includes("/secrets/")) throw new Error("timed out"); return "/id"; }`,
    );
    expect(await seal({ PATH })).toMatchObject({ code: 1, errors: expect.stringContaining("timed out") });
    expect(await linesOf(calls)).not.toContain("deployment");
  });
});

describe.skipIf(process.platform === "win32")("the address of a channel", () => {
  const put = (env: Record<string, string>, input: string) =>
    run(["infra/identity/secret.mjs", "group", "vault", "notify-webhook-url", "app"], env, input);
  const none = `(args, env) => {
    if (args.join().includes("/secrets/")) throw new Error("Not Found");
    if (args.join().includes("configreferences")) return "{}";
    if (args[0] === "deployment" && env.SECRET_VALUE !== "https://example.com/hook") throw new Error("another address");
    return "/id";
  }`;

  test("is the first line of standard input", async () => {
    const { PATH } = await anAz(none);
    expect(await put({ PATH }, "https://example.com/hook\r\nmore\n")).toMatchObject({
      code: 0,
      out: "made notify-webhook-url\n0 references are resolved\n",
    });
  });

  test("is refused when it is empty", async () => {
    const { PATH, calls } = await anAz(none);
    expect(await put({ PATH }, "\nhttps://example.com/hook\n")).toMatchObject({
      code: 1,
      errors: expect.stringContaining("is empty"),
    });
    expect(readFileSync(calls, "utf8")).not.toContain("deployment");
  });
});

describe.skipIf(process.platform === "win32")("the last layer", () => {
  test("says which outputs of the layers before it lacks", async () => {
    const { code, errors } = await run(["infra/events/deploy.mjs"], { APP_NAME: "app" });
    expect([code, errors]).toEqual([1, expect.stringMatching(/Not in the environment: .*TOPIC_NAME/)]);
    expect(errors).not.toContain("APP_NAME");
  });

  test("is deployed into the subscription that azd deploys to, whatever the CLI has selected", async () => {
    const { PATH, calls } = await anAz(`() => ""`);
    const env = { PATH, ...OUTPUTS, AZURE_SUBSCRIPTION_ID: "the-one" };
    expect(await run(["infra/events/deploy.mjs"], env)).toMatchObject({ code: 0 });
    expect(readFileSync(calls, "utf8")).toMatch(/^deployment group create .* --subscription the-one\n$/);
  });

  test("is deployed into the one that the CLI has selected where nobody names another", async () => {
    const { PATH, calls } = await anAz(`() => ""`);
    expect(await run(["infra/events/deploy.mjs"], { PATH, ...OUTPUTS })).toMatchObject({ code: 0 });
    expect(readFileSync(calls, "utf8")).not.toContain("--subscription");
  });
});

describe.skipIf(process.platform === "win32")("an identity that plans", () => {
  test("has a role that no other subscription of the tenant has", async () => {
    const { PATH, calls } = await anAz(`([first, second]) => {
      if (first === "account") return "the-one";
      return second === "definition" ? "0" : "id";
    }`);
    const script = ["infra/identity/deployer.sh", "group", "region", "owner/repository", "plan", "--apply"];
    const code = await new Promise((done) => {
      execFile("bash", script, { env: { PATH } }, (error) => done(Number(error?.code ?? 0)));
    });
    expect(code).toBe(0);
    const lines = readFileSync(calls, "utf8");
    expect(lines).toContain(
      'role definition create --output none --role-definition {"Name": "Mailbox Vault planner (the-one)"',
    );
    expect(lines).toContain(
      "role assignment create --role Mailbox Vault planner (the-one) --scope /subscriptions/the-one",
    );
  });
});

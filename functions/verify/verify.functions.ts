import type { Feature } from "../register.ts";
import { getVerification } from "./get-verification.http.ts";
import { removeWavesActivity } from "./remove-waves.activity.ts";
import { rotatingVerify } from "./rotating-verify.timer.ts";
import { startVerify } from "./start-verify.http.ts";
import { removeWaves, verifyWave } from "./verify.contract.ts";
import { verifyVault } from "./verify-vault.orchestrator.ts";
import { verifyWaveActivity } from "./verify-wave.activity.ts";

export const verifyFunctions: Feature = (register, { backup }, config) => {
  register.timer("rotating-verify", config.verify.schedule, rotatingVerify({ ...backup, days: config.verify.days }));
  register.http("start-verify", startVerify(backup));
  register.http("get-verification", getVerification(backup));

  register.orchestrator("verify-vault", verifyVault);
  register.activity(removeWaves, removeWavesActivity(backup));
  register.activity(verifyWave, verifyWaveActivity({ ...backup, budgetMs: config.backup.laneBudgetMs }));
};

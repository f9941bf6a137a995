/** Makes the clock of a process wrong by SKEW_MS, as on a machine whose time is not kept. */
const skewMs = Number(process.env["SKEW_MS"] ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + skewMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + skewMs;
  }
};

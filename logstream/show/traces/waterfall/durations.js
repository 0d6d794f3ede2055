// Durations and moments of a trace in words. Inside a trace every time is a number of nanoseconds
// after its first moment; only that moment itself needs more digits than a number holds.

const UNITS_OF_TIME = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

// `842 ms`, `1.25 s`, `2 min 5 s`: three digits, never more than two units wide.
function durationWords(nanos) {
  if (nanos < 0) return `−${durationWords(-nanos)}`;
  const seconds = nanos / 1e9;
  for (const [size, unit, next, small] of [[86_400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (Math.round(seconds) < size) continue;
    const most = Math.floor(Math.round(seconds) / size);
    const rest = Math.round((seconds - most * size) / next);
    return rest ? `${thousands(most)} ${unit} ${rest} ${small}` : `${thousands(most)} ${unit}`;
  }
  const [size, unit] = UNITS_OF_TIME.find(([one]) => nanos >= one * 0.9995) ?? [1, "ns"];
  const value = nanos / size;
  const digits = unit === "ns" || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${String(+value.toFixed(digits))} ${unit}`;
}

// Every digit, for whoever looks closely.
const exactWords = (nanos) => `${durationWords(nanos)} (${thousands(nanos)} ns)`;

// Moments between `from` and `to` at which a time axis is labelled: steps of 1, 2 or 5.
function axisSteps(from, to, most) {
  const rough = Math.max(1, (to - from) / Math.max(1, most));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => power * factor >= rough * 0.999);
  const steps = [];
  for (let at = Math.ceil(from / step - 1e-6) * step; at <= to + step * 1e-6; at += step) steps.push(at);
  return steps;
}

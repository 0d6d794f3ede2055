// Durations as people read them, and on a logarithmic scale. In milliseconds everywhere.

const THREE_DIGITS = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(/\.0+$|(\.\d)0$/, "$1");

// `840 µs`, `12.3 ms`, `1.25 s`, `2 min 5 s`, `3 h 4 min`.
function lengthText(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0) return `−${lengthText(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 0.9995) return ms < 0.001 ? `${THREE_DIGITS(ms * 1e6)} ns` : `${THREE_DIGITS(ms * 1000)} µs`;
  if (ms < 999.5) return `${THREE_DIGITS(ms)} ms`;
  if (ms < 59_950) return `${THREE_DIGITS(ms / 1000)} s`;
  const units = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  let seconds = Math.round(ms / 1000);
  const at = units.findIndex(([, length]) => seconds >= length);
  return units.slice(at, at + 2).flatMap(([unit, length]) => {
    const amount = Math.floor(seconds / length);
    seconds -= amount * length;
    return amount ? [`${thousands(amount)} ${unit}`] : [];
  }).join(" ");
}

// `+120 ms`, `−3 s`, `±0`.
const changeText = (ms) => (ms > 0 ? `+${lengthText(ms)}` : ms < 0 ? lengthText(ms) : "±0");

const SHORTEST_MS = 0.001; // no shorter one is drawn apart

// Places of durations between two of them, the longest at the top.
class LogScale {
  constructor(low, high, bottom, top) {
    const wide = Math.max(high, low * 8);
    this.low = Math.log(Math.max(SHORTEST_MS, low * 0.8));
    this.high = Math.log(Math.max(SHORTEST_MS * 8, wide * 1.15));
    Object.assign(this, { bottom, top });
  }

  place(ms) {
    const share = (Math.log(Math.max(SHORTEST_MS, ms)) - this.low) / (this.high - this.low);
    return this.bottom + (this.top - this.bottom) * Math.min(1, Math.max(0, share));
  }

  at(y) {
    return Math.exp(this.low + ((y - this.bottom) / (this.top - this.bottom)) * (this.high - this.low));
  }

  // Round durations, at most `most` of them: each ten, or 1, 2, 5 where the scale is short.
  ticks(most) {
    for (const steps of [[1, 2, 5], [1, 3], [1]]) {
      const found = this.rounds(steps, 1);
      if (found.length <= most) return found;
    }
    for (let every = 2; ; every++) {
      const found = this.rounds([1], every);
      if (found.length <= most) return found;
    }
  }

  rounds(steps, every) {
    const found = [];
    for (let ten = Math.floor(this.low / Math.LN10); ten <= this.high / Math.LN10; ten++) {
      if (ten % every) continue;
      for (const step of steps) {
        const ms = step * 10 ** ten;
        if (Math.log(ms) >= this.low && Math.log(ms) <= this.high) found.push(ms);
      }
    }
    return found;
  }
}

// Two significant digits, down or up: what is chosen with a mouse is never exact.
function roundTo(ms, round) {
  const unit = 10 ** (Math.floor(Math.log10(Math.max(ms, 1e-6))) - 1);
  return Number((round(ms / unit) * unit).toPrecision(3));
}

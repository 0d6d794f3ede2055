// Rates, shares and durations as people read them.

// `12/s`, `0.4/s`; rarer ones by the minute or the hour.
function rateWords(count, seconds) {
  const perSecond = count / Math.max(1, seconds);
  for (const [unit, length] of [["s", 1], ["min", 60]]) {
    const rate = perSecond * length;
    if (rate >= 0.095) return `${rate < 9.95 ? Math.round(rate * 10) / 10 : thousands(rate)}/${unit}`;
  }
  return count ? `${Math.max(0.1, Math.round(perSecond * 36_000) / 10)}/h` : "0/s";
}

// A tenth of a percent matters of errors; neither 0 % nor 100 % of what is not.
function shareWords(part, whole) {
  if (!part || !whole) return "0 %";
  const share = (100 * part) / whole;
  if (share < 0.1) return "<0.1 %";
  if (share >= 9.95) return share < 100 ? `${Math.min(99, Math.round(share))} %` : "100 %";
  return `${share.toFixed(1)} %`;
}

function msWords(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${thousands(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s` : `${thousands(ms / 60_000)} min`;
}

const errorShare = ({ calls, errors }) => (calls ? errors / calls : 0);

// The rate alone, or with what went wrong and how long it took.
function factWords(one, seconds) {
  const parts = [rateWords(one.calls, seconds), `${shareWords(one.errors, one.calls)} errors`];
  if (one.p95Ms !== null) parts.push(`p95 ${msWords(one.p95Ms)}`);
  return parts.join(" · ");
}

// As few words as tell it, for the place under a name.
function briefWords(one, seconds) {
  const parts = [rateWords(one.calls, seconds)];
  if (one.errors) parts.push(`${shareWords(one.errors, one.calls)} err`);
  if (one.p95Ms !== null) parts.push(msWords(one.p95Ms));
  return parts.join(" · ");
}

// At most so many characters; what is cut is cut in the middle, for names differ at both ends.
function shortName(name, most) {
  const signs = [...cleanText(name).replace(/\s+/g, " ")];
  if (signs.length <= most) return signs.join("");
  const head = Math.ceil((most - 1) * 0.6);
  return `${signs.slice(0, head).join("")}…${signs.slice(signs.length - (most - 1 - head)).join("")}`;
}

// As the URL's `service` has it, see Choice in filter.py.
const serviceValue = (name) => name.replace(/[\\,]/g, "\\$&").replace(/^-/, "\\-");

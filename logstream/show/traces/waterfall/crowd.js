// The time in which nearly all spans of a trace lie. One with its time in a wrong unit, or of a
// clock years off, would otherwise leave a pixel to all others:
//
//   1970 ├┤                                            2026 ├┤├──┤
//                                                           └────┘ shown first

const FAR_NANOS = 3600 * 1e9; // an hour without a span
const FAR_SHARE = 0.999; // of the time from the first to the last start
const MOST_FAR = 0.05; // of the spans, and at least one

function crowdOf(trace) {
  const spans = [...trace.spans].sort((one, other) => one.start - other.start);
  let [low, high] = [0, spans.length - 1];
  let left = Math.max(1, Math.floor(spans.length * MOST_FAR));
  while (left > 0 && high - low >= 2) {
    const all = spans[high].start - spans[low].start;
    const isFar = (gap) => gap > FAR_NANOS && gap > FAR_SHARE * all;
    if (isFar(spans[low + 1].start - spans[low].start)) low++;
    else if (isFar(spans[high].start - spans[high - 1].start)) high--;
    else break;
    left--;
  }
  if (low === 0 && high === spans.length - 1) return { from: trace.from, to: trace.to };
  const kept = spans.slice(low, high + 1);
  const to = kept.reduce((most, { end }) => Math.max(most, end), kept[0].end);
  return { from: kept[0].start, to: Math.max(to, kept[0].start + 1) };
}

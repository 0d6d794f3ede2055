// How telling a difference is, in words.

const CERTAIN = 1e-6;
const LIKELY = 1e-3;

function certainty(p) {
  if (p <= CERTAIN) return "certain";
  return p <= LIKELY ? "likely" : "weak";
}

function chanceWords(p) {
  const words = p >= 0.001 ? p.toFixed(3) : p > 0 ? `1 in ${shortCount(1 / p)}` : "practically none";
  return `Chance alone: ${words} (p ${p > 0 ? p.toExponential(1) : "< 1e-300"}), corrected for all values compared`;
}

// `8×`, `1.4×`; of what there are fewer now, `÷ 3`; `alone` of what the baseline has none of, and
// `none` of what only the baseline has.
function liftWords(lift, alone = "new", none = "gone") {
  if (lift === null) return alone;
  if (lift === 0) return none;
  const factor = lift >= 1 ? lift : 1 / lift;
  const words = factor >= 100 ? shortCount(Math.round(factor)) : factor >= 10 ? factor.toFixed(0) : factor.toFixed(1).replace(/\.0$/, "");
  return lift >= 1 ? `${words}×` : `÷ ${words}`;
}

function shareWords(share) {
  const percent = share * 100;
  if (!percent) return "0 %";
  return percent >= 10 ? `${percent.toFixed(0)} %` : percent >= 0.1 ? `${percent.toFixed(1)} %` : "<0.1 %";
}

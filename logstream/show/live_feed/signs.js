// What a row says of its arrival: a sign for a line that came late or out of order, and a brief
// tint for one just shown. Nothing is tinted in a stream: that would flicker.

const TINT_MS = 900;
const INSERTED_TINT_MS = 2500;

// 12 × 12 viewBox.
const SIGN_SHAPES = {
  late: "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1Zm0 1.4a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2ZM5.4 3.2h1.2v2.6l1.9 1.1-.6 1-2.5-1.5Z",
  inserted: "M1 2.2h3.4v1.3H2.3v5h5.2V6.6L11 9.2 7.5 11.8V9.8H1Z",
};

// Why a row is marked: {kind, words}, or null.
function signOf(row) {
  const delay = readTime(row.line.observedAt).ms - row.ms;
  if (delay > LATE_MS) return { kind: "late", words: `came ${lagWords(delay)} after its time` };
  if (delay < -LATE_MS) return { kind: "late", words: `its time is ${lagWords(-delay)} after it came` };
  if (row.isInserted) return { kind: "inserted", words: "arrived out of order: later lines were shown before it" };
  return null;
}

function signIcon(kind) {
  const icon = severityIcon();
  icon.firstChild.setAttribute("d", SIGN_SHAPES[kind]);
  return icon;
}

function signRow(el, row, feed) {
  const sign = signOf(row);
  if (!sign) {
    if (el.sign) el.sign.hidden = true;
  } else {
    if (!el.sign) {
      el.sign = element("span", "sign");
      el.sign.setAttribute("role", "gridcell");
      el.prepend(el.sign);
    }
    el.sign.hidden = false;
    el.sign.title = sign.words;
    el.sign.setAttribute("aria-label", sign.words);
    el.sign.replaceChildren(signIcon(sign.kind));
  }
  const { line } = row;
  const spoken = [line.severity, line.source, feed.clock.time(row.ms).slice(0, 8), sign?.words, line.message.slice(0, 300)];
  el.setAttribute("aria-label", spoken.filter(Boolean).join(", "));
  if (row.shownMs) tintRow(el, row);
}

function tintRow(el, row) {
  const lasts = row.isInserted ? INSERTED_TINT_MS : TINT_MS;
  const gone = performance.now() - row.shownMs;
  if (gone >= lasts || stillness.matches) return;
  const frames = [{ backgroundColor: "color-mix(in srgb, var(--accent) 16%, transparent)" }, {}];
  el.tint = el.animate(frames, { duration: lasts, delay: -gone, easing: "ease-in" });
}

const stillness = matchMedia("(prefers-reduced-motion: reduce)");

// The shapes of the map: services round, databases as drums, queues as boxes with messages in them;
// the ways of calls from the right of one to the left of the other.

const SMALLEST = 8;
const LARGEST = 20;
const CROWD = 100; // from so many services on they are drawn smaller

// 0 to 1 on a scale of logarithms, between the least and the most that there is.
function logShare(count, [least, most]) {
  if (!count) return 0;
  return most > least ? Math.log(count / least) / Math.log(most / least) : 0.5;
}

const rangeOf = (counts) => {
  const some = counts.filter((count) => count > 0);
  return [Math.min(...some), Math.max(...some)];
};

function radiusOf(calls, range, services) {
  const scale = services > CROWD ? 0.75 : 1;
  return scale * (SMALLEST + (LARGEST - SMALLEST) * logShare(calls, range));
}

function shapePath(kind, r) {
  if (kind === "database") {
    const [w, h, lid] = [r * 0.9, r, r * 0.32];
    return (
      `M${-w} ${-h + lid}A${w} ${lid} 0 0 1 ${w} ${-h + lid}V${h - lid}A${w} ${lid} 0 0 1 ${-w} ${h - lid}Z` +
      `M${w} ${-h + lid}A${w} ${lid} 0 0 1 ${-w} ${-h + lid}`
    );
  }
  if (kind === "queue") {
    const [w, h] = [r * 1.15, r * 0.75];
    const bars = [-0.4, 0, 0.4].map((at) => `M${w * at} ${-h * 0.5}V${h * 0.5}`).join("");
    return `M${-w} ${-h}H${w}V${h}H${-w}Z${bars}`;
  }
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
}

// An arc from the top, clockwise; a small share can still be seen.
function ringPath(r, share) {
  const angle = 2 * Math.PI * Math.min(0.9999, Math.max(0.08, share));
  const end = `${(r * Math.sin(angle)).toFixed(2)} ${(-r * Math.cos(angle)).toFixed(2)}`;
  return `M0 ${-r}A${r} ${r} 0 ${angle > Math.PI ? 1 : 0} 1 ${end}`;
}

// {line, arrow, middle}: through `points` between both, level at each of them.
function wayOf(source, target, points) {
  const gap = 3;
  if (source.x === target.x) {
    const out = source.x + 64;
    const [from, to] = [source.x + source.r + gap, target.x + target.r + gap];
    const line = `M${from} ${source.y}C${out} ${source.y} ${out} ${target.y} ${to + 5} ${target.y}`;
    return { line, arrow: arrowAt(to, target.y, -1), middle: { x: out - 12, y: (source.y + target.y) / 2 } };
  }
  const side = target.x > source.x ? 1 : -1;
  const end = target.x - side * (target.r + gap);
  const places = [[source.x + side * (source.r + gap), source.y], ...points, [end - side * 5, target.y]];
  let line = `M${places[0].join(" ")}`;
  for (let at = 1; at < places.length; at++) {
    const [[x0, y0], [x1, y1]] = [places[at - 1], places[at]];
    const bend = (x1 - x0) / 2;
    line += `C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
  }
  const [before, after] = [places[Math.floor((places.length - 1) / 2)], places[Math.floor((places.length - 1) / 2) + 1]];
  const middle = { x: (before[0] + after[0]) / 2, y: (before[1] + after[1]) / 2 };
  return { line, arrow: arrowAt(end, target.y, side), middle };
}

function arrowAt(x, y, side) {
  return `M${x} ${y}l${-7 * side} -3.6v7.2Z`;
}

// Thicker the more calls.
const lineWidth = (calls, range, isCrowd) => 0.8 + (isCrowd ? 1.4 : 2.8) * logShare(calls, range);

// The tab Flame graph: spans with the same way down to them are one block, as wide as the time
// spent there, their own and what they called. Concurrent calls add up, so a block is never
// narrower than what lies below it:
//
//   ├──────── GET /checkout, own 4 ───────┤
//   ├─ stock ×3, 9 ─┤├─ pay, 7 ─┤

const FLAME_ROW = 20;
const LEAST_BLOCK = 0.05; // percent of the width; narrower ones cannot be seen
const LABELLED_WIDTH = 26; // pixels; less holds no word
const MOST_BLOCKS = 3000;

class Flame {
  constructor(root, waterfall) {
    this.root = root;
    this.waterfall = waterfall;
    const bar = root.appendChild(element("div", "by"));
    this.said = bar.appendChild(element("span", "muted"));
    this.whole = bar.appendChild(button("small", "Whole trace", "Show all blocks again", () => this.show(null)));
    this.blocks = root.appendChild(element("div", "blocks"));
    this.focus = null;
  }

  use(trace) {
    this.trace = trace;
    this.top = mergedCalls(trace);
    this.focus = null;
  }

  show(block) {
    this.focus = block;
    this.draw();
  }

  draw() {
    if (this.trace !== this.waterfall.trace) this.use(this.waterfall.trace);
    const focus = this.focus ?? this.top;
    this.whole.hidden = !this.focus;
    write(this.said, "As wide as the time spent; calls at the same time add up. A click makes a block the widest.");
    const above = [];
    for (let one = focus.parent; one?.parent; one = one.parent) above.unshift(one);
    const made = [];
    above.forEach((one, depth) => made.push(this.blockOf(one, 0, 100, depth, "above")));
    const begin = focus === this.top ? -1 : above.length;
    const queue = [[focus, 0, 100, begin]];
    let deepest = above.length;
    let left = 0;
    while (queue.length) {
      const [block, from, width, depth] = queue.shift();
      if (made.length >= MOST_BLOCKS || width < LEAST_BLOCK) {
        left++;
        continue;
      }
      deepest = Math.max(deepest, depth + 1);
      if (depth >= 0) made.push(this.blockOf(block, from, width, depth));
      let at = from;
      for (const child of block.children.values()) {
        const share = block.value > 0 ? (width * child.value) / block.value : width / block.children.size;
        queue.push([child, at, share, depth + 1]);
        at += share;
      }
    }
    this.blocks.style.height = `${deepest * FLAME_ROW}px`;
    this.blocks.replaceChildren(...made);
    if (left) write(this.said, `${this.said.textContent} ${plural(left, "block")} ${left === 1 ? "is" : "are"} too narrow to be drawn.`);
  }

  blockOf(block, from, width, depth, className = "") {
    const el = button(`block ${className}`, "", "", () => this.show(block === this.focus ? (block.parent?.parent ? block.parent : null) : block));
    el.style.left = `${from}%`;
    el.style.width = `${width}%`;
    el.style.top = `${depth * FLAME_ROW}px`;
    el.style.setProperty("--service", this.waterfall.colourOf(block.service));
    el.classList.toggle("wrong", block.errors > 0);
    const words = `${cleanText(block.service)} · ${cleanText(block.name)}`;
    const isTiny = (width / 100) * this.blocks.clientWidth < LABELLED_WIDTH;
    el.classList.toggle("tiny", isTiny);
    if (!isTiny) writeName(el, `${block.errors ? "⊗ " : ""}${block.service} ${block.name} · ${durationWords(block.value)}`);
    el.title = [
      words,
      `${durationWords(block.value)} in ${plural(block.count, "span")}, ${percentWords(block.value, this.top.value)} of all time spent; own time ${durationWords(block.self)}`,
      ...(block.errors ? [plural(block.errors, "error")] : []),
    ].join("\n");
    el.setAttribute("aria-label", el.title.replaceAll("\n", ", "));
    return el;
  }
}

function mergedCalls(trace) {
  const make = (parent, service, name) => ({ parent, service, name, count: 0, errors: 0, self: 0, value: 0, children: new Map() });
  const top = make(null, "", "");
  const all = [top];
  const stack = trace.tops.map((node) => [node, top]);
  while (stack.length) {
    const [node, above] = stack.pop();
    let block = above;
    if (node.kindOfNode === "span") {
      const key = JSON.stringify([node.service, node.name]);
      block = above.children.get(key);
      if (!block) {
        above.children.set(key, (block = make(above, node.service, node.name)));
        all.push(block);
      }
      block.count++;
      block.errors += node.isError;
      block.self += Math.max(0, node.self);
    }
    for (const child of node.children) stack.push([child, block]);
  }
  // Those made last lie deepest.
  for (const block of all.reverse()) {
    block.value = block.self;
    for (const child of block.children.values()) block.value += child.value;
    block.children = new Map([...block.children].sort(([, one], [, other]) => other.value - one.value));
  }
  return top;
}

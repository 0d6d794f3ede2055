// Search in the trace: what does not match is dimmed, never hidden. Words all must be found, in
// names, kinds, ids, messages, and, once they are loaded, attributes and events.

const MOST_WITH_ATTRIBUTES = 2000; // spans; of more the attributes are too much to load

class TraceSearch {
  constructor() {
    this.text = "";
    this.service = ""; // only this one stands out
    this.found = [];
    this.owners = new Set();
    this.place = -1;
  }

  get isActive() {
    return Boolean(this.text.trim() || this.service);
  }

  get current() {
    return this.found[this.place] ?? null;
  }

  // True for a row that was found; a row of a line stands out with its span too.
  means(row) {
    return this.owners.has(row.item ?? row.node) || (row.item !== undefined && this.owners.has(row.node));
  }

  // Looks through the whole trace, folded or not, in the order of the tree.
  look(trace) {
    const words = folded(this.text).split(/\s+/).filter(Boolean);
    const before = this.current;
    this.found = [];
    this.owners = new Set();
    this.place = -1;
    if (!this.isActive) return;
    const isMeant = (text) => words.every((word) => text.includes(word));
    const stack = [...trace.tops].reverse();
    while (stack.length) {
      const node = stack.pop();
      if (node.kindOfNode === "span" && this.allows(node.service) && isMeant(this.textOf(node))) this.note(node);
      for (const one of node.lines) {
        if (this.allows(one.line.source) && words.length && isMeant(folded(one.line.message))) this.note(one);
        else if (this.service && !words.length && this.allows(one.line.source)) this.owners.add(one);
      }
      for (let at = node.children.length - 1; at >= 0; at--) stack.push(node.children[at]);
    }
    this.place = before ? this.found.indexOf(before) : -1;
  }

  allows(service) {
    return !this.service || service === this.service;
  }

  note(owner) {
    this.found.push(owner);
    this.owners.add(owner);
  }

  textOf(node) {
    if (node.searched !== node.whole) {
      node.searchText = null;
      node.searched = node.whole;
    }
    return (node.searchText ??= folded(
      [
        node.service, node.name, node.kind, node.id, node.isError ? "error" : node.status, node.statusMessage,
        ...node.exceptions.flatMap(({ type, message }) => [type, message]),
        ...(node.whole ? [pairsOf(node.whole.attributes), ...(node.whole.events ?? []).map((one) => `${one.name} ${pairsOf(one.attributes)}`)] : []),
      ].join("\n"),
    ));
  }

  step(direction) {
    const count = this.found.length;
    if (!count) return null;
    this.place = this.place < 0 ? (direction > 0 ? 0 : count - 1) : (this.place + direction + count) % count;
    return this.current;
  }

  words() {
    if (!this.isActive) return "";
    if (!this.found.length) return "none found";
    return this.place < 0 ? `${thousands(this.found.length)} found` : `${thousands(this.place + 1)} of ${thousands(this.found.length)}`;
  }
}

// `key:value` of every attribute, so that both can be searched as they are written elsewhere.
function pairsOf(attributes) {
  return Object.entries(attributes ?? {})
    .map(([key, value]) => `${key}:${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("\n");
}

// Which rows of a trace stand in the list: what is folded, and whether lines and exceptions do.

class VisibleRows {
  constructor() {
    this.folded = new Set(); // keys of nodes
    this.withLines = true;
    this.withExceptions = true;
  }

  use(trace) {
    this.trace = trace;
    this.renew();
  }

  renew() {
    this.rows = [];
    this.deepest = 0;
    // Without recursion: a chain may be thousands of calls deep.
    const stack = [];
    const put = (nodes, depth) => {
      for (let at = nodes.length - 1; at >= 0; at--) stack.push([nodes[at], depth]);
    };
    put(this.trace.tops, 0);
    while (stack.length) {
      const [node, depth] = stack.pop();
      if (!isNode(node)) {
        this.rows.push({ kind: node.line ? "line" : "exception", node: node.line ? node.span : node.owner, item: node, depth });
        continue;
      }
      const inner = this.innerOf(node);
      this.deepest = Math.max(this.deepest, depth + (node.children.length ? 1 : 0));
      this.rows.push({ kind: node.kindOfNode, node, depth, isFoldable: inner.length > 0, isFolded: this.folded.has(node.key) });
      if (!this.folded.has(node.key)) put(inner, depth + 1);
    }
    this.placeOf = new Map();
    this.rows.forEach((row, place) => this.placeOf.set(row.item ?? row.node, place));
  }

  // Children, lines and exceptions of a node, by time.
  innerOf(node) {
    const lines = this.withLines ? node.lines : [];
    const exceptions = this.withExceptions ? node.exceptions.map((one) => Object.assign(one, { owner: node })) : [];
    if (!lines.length && !exceptions.length) return node.children;
    const at = (one) => (isNode(one) ? one.start : one.at + (this.trace.isCorrected ? node.shift ?? 0 : 0));
    return [...exceptions, ...lines, ...node.children].sort((one, other) => at(one) - at(other));
  }

  toggle(node) {
    if (!this.folded.delete(node.key)) this.folded.add(node.key);
    this.renew();
  }

  // So that the node's row is there.
  reveal(node) {
    let isChanged = false;
    for (let above = node.parent; above; above = above.parent) isChanged = this.folded.delete(above.key) || isChanged;
    if (isChanged) this.renew();
  }

  // The depth from which on everything is folded; one more when nothing is.
  get level() {
    return Math.min(...this.rows.filter((row) => row.isFolded).map((row) => row.depth), this.deepest + 1);
  }

  // Fold what lies at `level` and deeper.
  foldFrom(level) {
    this.folded.clear();
    const stack = this.trace.tops.map((node) => [node, 0]);
    while (stack.length) {
      const [node, depth] = stack.pop();
      if (depth >= level && (node.children.length || node.lines.length || node.exceptions.length)) this.folded.add(node.key);
      for (const child of node.children) stack.push([child, depth + 1]);
    }
    this.renew();
  }
}

const isNode = (one) => one.kindOfNode !== undefined;

// What a folded row says of the spans below it.
function below(node) {
  const found = { spans: 0, errors: 0 };
  const stack = [...node.children];
  while (stack.length) {
    const one = stack.pop();
    found.spans++;
    if (one.isError || one.exceptions.length) found.errors++;
    stack.push(...one.children);
  }
  return found;
}

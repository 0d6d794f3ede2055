// A service by name: what it is told by, since when it is known, and the ways to more of it.

const WAYS = { traces: "Traces", explore: "Lines", live: "Live" };

class ServiceHead {
  constructor(root) {
    this.back = root.appendChild(button("small", "← All services", "Back to all services", () => this.tell({ kind: "back" })));
    this.dot = root.appendChild(element("i", "dot"));
    this.name = root.appendChild(element("h2", "name"));
    this.facts = root.appendChild(element("span", "muted facts"));
    this.acts = root.appendChild(element("div", "ways"));
    this.acts.append(button("small", "Around it", "The map of this service and its neighbours", () => this.tell({ kind: "around", service: this.data.service })));
    for (const [page, words] of Object.entries(WAYS)) {
      const made = link(words, () => this.tell({ kind: "go", page, service: this.data.service }));
      made.dataset.page = page;
      this.acts.append(made);
    }
  }

  update(data) {
    this.data = data;
    writeName(this.name, data.service);
    setTitle(this.name, cleanText(data.service).slice(0, 500));
    this.dot.style.background = data.palette[colourIndex(data.service, data.palette.length)];
    write(this.facts, data.words);
    for (const made of this.acts.querySelectorAll("a")) made.href = data.links[made.dataset.page] + encodeURIComponent(serviceValue(data.service));
  }
}

export default mounted((root) => new ServiceHead(root));

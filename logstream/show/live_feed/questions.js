// Questions to the ingest service over HTTP: to itself, or through the dashboard when this
// browser cannot reach the service's port (a firewall, a page over https).

const ANSWER_MS = 10_000;
const FIRST_ANSWER_MS = 3000; // a firewall that swallows packets never says no
const TRY_DIRECT_MS = 15_000;
const RELAY_MARK = "x-logstream-relay"; // any other server answers unknown paths with a page

class Questions {
  static relayPath = ""; // of the page's own host; "" when it relays nothing

  constructor() {
    this.base = "";
    this.pass = ""; // lets us in at the service
    this.isRelayed = false;
    this.hasAnswered = false; // the service itself, at least once
    this.triedDirectMs = 0;
  }

  use(base) {
    if (base === this.base) return;
    this.base = base;
    this.isRelayed = this.hasAnswered = false;
  }

  // The JSON of an answer; an Error in words otherwise, with `status` and `code` when somebody answered.
  async ask(path, options = {}, onReply = () => {}) {
    const reply = await this.answerTo(path, options);
    if (!reply) throw new Error(`${this.base} does not answer`);
    const body = await reply.json().catch(() => null);
    if (!reply.ok || body === null) {
      const { code, message, hint } = body?.error ?? {};
      // The first words of an answer came, the last did not in time.
      const otherwise = reply.ok ? `${this.base} answers too slowly` : `${path} answered ${reply.status}`;
      const error = new Error([message ?? otherwise, hint].filter(Boolean).join("; "));
      error.status = reply.status;
      error.code = code;
      throw error;
    }
    onReply(reply);
    return body;
  }

  async answerTo(path, options) {
    const headers = { ...options.headers, ...(this.pass && { authorization: `Bearer ${this.pass}` }) };
    const fetched = (url, ms) =>
      fetch(url, { ...options, headers, signal: AbortSignal.timeout(ms) }).catch(() => null);
    if (this.isRelayed) {
      this.tryDirect();
    } else {
      const reply = await fetched(this.base + path, this.hasAnswered ? ANSWER_MS : FIRST_ANSWER_MS);
      if (reply) this.hasAnswered = true;
      if (reply || !Questions.relayPath) return reply;
    }
    const reply = await fetched(Questions.relayPath + path, ANSWER_MS);
    const isOurs = Boolean(reply?.headers.has(RELAY_MARK));
    // The dashboard could not reach the service either: the next question goes there again.
    this.isRelayed = isOurs && reply.status !== 502;
    if (this.isRelayed) this.triedDirectMs ||= performance.now();
    return this.isRelayed ? reply : null;
  }

  async tryDirect() {
    const now = performance.now();
    if (now - this.triedDirectMs < TRY_DIRECT_MS) return;
    this.triedDirectMs = now;
    const signal = AbortSignal.timeout(FIRST_ANSWER_MS);
    // Whether anything can be reached, not what it says.
    const isReached = await fetch(`${this.base}/health/live`, { mode: "no-cors", signal }).then(() => true, () => false);
    if (isReached) this.isRelayed = false;
  }
}

// A reliable client of Azure Web PubSub: sequence ids, acknowledgements, recovery of a lost
// connection, a fresh one before the token expires. Why not Azure's own: docs/decisions/0004.

const SUBPROTOCOL = "json.reliable.webpubsub.azure.v1";
const ACK_MS = 1000;
const PING_MS = 20_000; // of silence
const PONG_MS = 10_000;
const OPEN_MS = 10_000;
const RECOVER_MS = 10_000; // then a fresh connection costs less than waiting for the old one
const RETRY_FIRST_MS = 250;
const RETRY_LONGEST_MS = 15_000;
const STEADY_MS = 5000;
const RENEW_AGAIN_MS = 15_000;
const RENEW_BEFORE_MS = 60_000;
const CLOSE_NORMAL = 1000;
const CLOSE_UNKNOWN_SESSION = 1008;
const CLOSE_TOO_SLOW = 1013;

// One connection as the hub knows it; it may take several sockets to keep it.
class HubLink {
  constructor(access, on) {
    this.access = access;
    this.on = on;
    this.id = "";
    this.token = "";
    this.received = 0;
    this.acked = 0;
    this.ackedMs = 0;
    this.isOpen = false;
    this.lostMs = 0; // when the connection broke that is being recovered
    this.connect();
  }

  connect() {
    const url = new URL(this.access.url);
    if (this.id) {
      url.searchParams.set("awps_connection_id", this.id);
      url.searchParams.set("awps_reconnection_token", this.token);
    }
    this.isDismissed = false;
    this.heardMs = performance.now();
    this.pingedMs = 0;
    try {
      this.socket = new WebSocket(url, SUBPROTOCOL);
    } catch {
      this.timer = setTimeout(() => this.lost(0)); // a page over https may not open ws://
      return;
    }
    this.socket.onmessage = (event) => this.hear(event.data);
    this.socket.onclose = (event) => this.lost(event.code);
    this.timer = setInterval(() => this.tick(), ACK_MS);
  }

  hear(text) {
    this.heardMs = performance.now();
    this.pingedMs = 0;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.type === "system" && message.event === "connected") {
      this.id = message.connectionId;
      this.token = message.reconnectionToken;
      this.isOpen = true;
      const isRecovered = this.lostMs > 0;
      this.lostMs = 0;
      this.on.opened(this, isRecovered);
    } else if (message.type === "system" && message.event === "disconnected") {
      this.isDismissed = true;
    } else if (message.type === "message") {
      if (message.sequenceId !== undefined) {
        if (message.sequenceId <= this.received) return;
        this.received = message.sequenceId;
        // A hidden tab's timer may sleep for a minute; messages wake it.
        if (this.heardMs - this.ackedMs >= ACK_MS) this.acknowledge();
      }
      this.on.heard(message.data);
    }
  }

  acknowledge() {
    this.ackedMs = performance.now();
    if (this.received > this.acked) this.send({ type: "sequenceAck", sequenceId: (this.acked = this.received) });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  tick() {
    const now = performance.now();
    if (!this.isOpen) {
      if (now - this.heardMs >= OPEN_MS) this.lost(0);
      return;
    }
    this.acknowledge();
    if (this.pingedMs && now - this.pingedMs >= PONG_MS) this.lost(0);
    else if (now - this.heardMs >= PING_MS) this.ping();
  }

  ping() {
    if (this.pingedMs || !this.isOpen) return;
    this.pingedMs = performance.now();
    this.send({ type: "ping" });
  }

  lost(code) {
    this.drop();
    this.lostMs ||= performance.now();
    this.canRecover =
      Boolean(this.token) && ![CLOSE_UNKNOWN_SESSION, CLOSE_TOO_SLOW].includes(code) &&
      !this.isDismissed && performance.now() - this.lostMs < RECOVER_MS;
    this.on.closed(this, code);
  }

  drop(code) {
    this.isOpen = false;
    clearInterval(this.timer);
    if (!this.socket) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(code);
    this.socket = null;
  }

  end() {
    this.drop(CLOSE_NORMAL); // so that the hub keeps nothing for us
  }
}

// Keeps one link open. `negotiate` gives {url, expiresAt, nowUnixMs}; `onOpen(isGapless)` tells
// of a link that opened and whether nothing was missed before.
class HubClient {
  constructor({ negotiate, onData, onOpen, onChange, onSlow }) {
    Object.assign(this, { negotiate, onOpen, onChange, onSlow, heard: onData });
    this.link = null;
    this.next = null; // takes the place of `link` when it opens
    this.tries = 0; // failed in a row
    this.turn = 0;
    this.openedMs = Infinity;
    this.again = null;
    this.isOver = true;
  }

  get isOpen() {
    return Boolean(this.link?.isOpen);
  }

  open() {
    this.end();
    this.isOver = false;
    this.tries = 0;
    this.reach();
  }

  end() {
    this.isOver = true;
    this.turn++;
    clearTimeout(this.retryTimer);
    clearTimeout(this.renewTimer);
    this.link?.end();
    this.next?.end();
    this.link = this.next = null;
  }

  // A second link; the first goes when it is open, so that nothing falls between the two.
  async reach() {
    clearTimeout(this.retryTimer);
    clearTimeout(this.renewTimer);
    const turn = ++this.turn;
    let access;
    try {
      access = await this.negotiate();
    } catch {
      if (turn === this.turn) this.failed();
      return;
    }
    if (turn !== this.turn) return;
    this.next?.end();
    this.next = new HubLink(access, this);
  }

  opened(link, isRecovered) {
    // A hub that opens and closes at once is not tried ever faster.
    this.tries = Math.min(this.tries, 2);
    this.openedMs = performance.now();
    if (link === this.next) {
      const before = this.link;
      this.link = link;
      this.next = null;
      isRecovered = Boolean(before?.isOpen);
      before?.end();
      this.planRenewal(link.access);
    }
    this.onOpen(isRecovered);
  }

  closed(link, code) {
    if (link === this.next) {
      this.next = null;
      this.failed();
      return;
    }
    if (code === CLOSE_TOO_SLOW) this.onSlow();
    if (performance.now() - this.openedMs >= STEADY_MS) this.tries = 0;
    this.openedMs = Infinity;
    // The hub is there and has forgotten us: no reason to wait.
    const wait = code === CLOSE_UNKNOWN_SESSION ? Math.random() * RETRY_FIRST_MS : this.backOff();
    this.tries++;
    if (!link.canRecover) this.link = null;
    if (!this.next) this.later(wait, () => (this.link ? this.link.connect() : this.reach()));
    this.onChange();
  }

  failed() {
    if (this.isOver) return;
    if (this.isOpen) {
      this.renewTimer = setTimeout(() => this.reach(), RENEW_AGAIN_MS);
      return;
    }
    const wait = this.backOff();
    this.tries++;
    this.later(wait, () => this.reach());
    this.onChange();
  }

  later(wait, again) {
    clearTimeout(this.retryTimer);
    this.again = again;
    this.retryTimer = setTimeout(() => {
      this.again = null;
      again();
    }, wait);
  }

  backOff() {
    return Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.tries) * (0.5 + Math.random() / 2);
  }

  planRenewal({ expiresAt, nowUnixMs }) {
    if (!expiresAt) return;
    const left = expiresAt * 1000 - (nowUnixMs ?? Date.now());
    const early = Math.min(RENEW_BEFORE_MS * (1 + Math.random()), left * 0.3);
    this.renewTimer = setTimeout(() => this.reach(), Math.max(1000, Math.min(left - early, 2 ** 31 - 1)));
  }

  // A tab that was asleep, or a network that came back: do not wait out the back-off.
  wake() {
    if (this.isOver) return;
    if (this.isOpen) {
      this.link.ping();
    } else if (this.again) {
      const again = this.again;
      clearTimeout(this.retryTimer);
      this.again = null;
      again();
    }
  }
}

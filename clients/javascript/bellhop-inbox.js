/**
 * The guest's side of Bellhop's channel `in_app`: follows a guest's inbox, acknowledges what arrives, reports what is
 * read, sends what the guest writes. No dependencies; browsers of the last years, and Node 20. Types are in bellhop-inbox.d.ts, how it is used in
 * docs/in-app.md.
 */

const MOST_REPORTED = 25;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** Milliseconds without a byte after which a stream counts as dead: servers send a heartbeat at least each minute. */
const SILENCE = 65_000;
const GATHER = 50;
const MOST_TRIES = 10;
/** Pause after the server has given this device's place to another one: two of them are not to push each other out. */
const REPLACED_PAUSE = 60_000;

export class Inbox extends EventTarget {
  #options;
  #messages = new Map();
  #position = null;
  #state = "closed";
  #token = null;
  #abort = null;
  #running = null;
  #wake = () => {};
  #channel = null;
  #leads = false;
  #delivered = new Set();
  #read = new Set();
  #reporting = null;
  #online = () => this.#wake();

  constructor(options) {
    super();
    if (!options?.url || typeof options.token !== "function") {
      throw new TypeError("expected { url, token }: the API's address, and a function that gives a session's token");
    }
    this.#options = { acknowledge: true, fetch: (...given) => fetch(...given), ...options };
    this.#options.url = String(options.url).replace(/\/+$/, "");
  }

  /** `connecting`, `open`, `waiting` (for the next try), `following` (another tab has the stream), `refused`, `closed`. */
  get state() {
    return this.#state;
  }

  /** What lies in the inbox, the oldest first. */
  get messages() {
    const now = new Date().toISOString();
    return [...this.#messages.values()]
      .filter((message) => message.expires_at > now)
      .sort((one, other) => (one.sent_at < other.sent_at ? -1 : 1));
  }

  get unread() {
    return this.messages.filter((message) => message.from !== "guest" && message.status !== "read").length;
  }

  /** Begin to follow. Harmless when it does already. */
  start() {
    if (this.#running) return;
    this.#abort = new AbortController();
    globalThis.addEventListener?.("online", this.#online);
    this.#running = this.#shared() ? this.#share(this.#abort.signal) : this.#follow(this.#abort.signal);
    this.#running.catch((error) => this.#failed(error));
  }

  /** Stop following; what has come stays. What is still to be reported is, as far as the network lets it. */
  async close() {
    const running = this.#running;
    this.#running = null;
    this.#abort?.abort();
    this.#wake();
    globalThis.removeEventListener?.("online", this.#online);
    this.#channel?.close();
    this.#channel = null;
    this.#leads = false;
    this.#set("closed");
    await running?.catch(() => {});
    await this.#reporting;
  }

  /** The guest has read these messages. Repeating it is harmless. */
  markRead(...ids) {
    for (const id of ids) {
      const known = this.#messages.get(id);
      if (known?.status === "read") continue;
      this.#read.add(id);
      if (known) this.#keep({ ...known, status: "read", read_at: known.read_at ?? new Date().toISOString() });
    }
    this.#report();
  }

  /**
   * Send what the guest has written. Gives the message as it is stored, once it is. What does not arrive is tried again,
   * and stored once however often. Rejects with a SendError when it cannot be sent, or not now: call it again with that
   * error's `key`, and it is still one message.
   */
  async send(content, { key = newKey(), file, signal } = {}) {
    let pause = FIRST_PAUSE;
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      let answer = null;
      try {
        answer = file
          ? await this.#ask("/v1/inbox/files", { method: "POST", body: form({ key, content, file }), signal })
          : await this.#ask("/v1/inbox/messages", {
              method: "POST",
              headers: { "Content-Type": "application/json" },
              body: JSON.stringify({ key, content }),
              signal,
            });
        if (answer.ok) {
          const message = await answer.json();
          this.#keep(message);
          this.#tell({ messages: [message] });
          return message;
        }
      } catch (error) {
        if (signal?.aborted) throw error;
      }
      if (answer?.status === 401) this.#token = null;
      const refused = answer !== null && answer.status < 500 && ![401, 408, 429].includes(answer.status);
      if (refused || tries === MOST_TRIES) throw new SendError(answer ? await said(answer) : "no answer", answer, key);
      const wait = (answer && retryAfter(answer)) ?? pause * (0.5 + Math.random() / 2);
      if (answer?.status !== 401 || tries > 1) await new Promise((resolve) => setTimeout(resolve, wait));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  // --- one stream for all tabs -----------------------------------------------------------------------------------

  #shared() {
    return Boolean(this.#options.share && globalThis.navigator?.locks && globalThis.BroadcastChannel);
  }

  async #share(signal) {
    // Of one guest only: another one may use the same browser.
    const name = `bellhop-inbox ${this.#options.url} ${this.#options.share}`;
    const channel = (this.#channel = new BroadcastChannel(name));
    channel.onmessage = ({ data }) => this.#told(data);
    this.#set("following");
    channel.postMessage({ ask: true });
    try {
      // Whoever has the lock has the stream; it goes to the next tab when this one is closed, or crashes.
      await navigator.locks.request(name, { signal }, () => {
        this.#leads = true;
        return this.#follow(signal);
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #told(data) {
    if (this.#leads) {
      if (data.ask) this.#tell({ position: this.#position, messages: [...this.#messages.values()] });
      return;
    }
    for (const message of data.messages ?? []) this.#keep(message);
    if (data.position != null) this.#position = data.position;
  }

  #tell(data) {
    this.#channel?.postMessage(data);
  }

  // --- the stream ------------------------------------------------------------------------------------------------

  async #follow(signal) {
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      this.#set("connecting");
      let wait = null;
      try {
        wait = await this.#once(signal, () => {
          pause = FIRST_PAUSE;
        });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refused) throw error;
      }
      if (signal.aborted) return;
      if (wait === 0) continue;
      this.#set("waiting");
      // Not all at once: a server that comes back has a thousand clients.
      await this.#sleep(Math.max(wait ?? 0, pause * (0.5 + Math.random() / 2)));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** One connection, to its end. Gives the milliseconds to wait at least before the next; 0: none; null: as usual. */
  async #once(signal, lives) {
    const began = Date.now();
    const connection = new AbortController();
    const cut = () => connection.abort();
    signal.addEventListener("abort", cut);
    let watchdog = setTimeout(cut, SILENCE);
    try {
      const fresh = this.#token === null;
      const headers = { Accept: "text/event-stream" };
      if (this.#position !== null) headers["Last-Event-ID"] = this.#position;
      const answer = await this.#ask("/v1/inbox/stream", { headers, signal: connection.signal, cache: "no-store" });
      if (answer.status === 401) {
        this.#token = null;
        return fresh ? null : 0;
      }
      if (answer.status === 403) throw new Refused(await said(answer));
      if (!answer.ok || !answer.body) return retryAfter(answer);
      this.#set("open");
      this.#report();
      let ended = null;
      for await (const event of events(answer.body, () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(cut, SILENCE);
      })) {
        lives();
        if (event.id !== null) this.#position = event.id;
        if (event.name === "message") this.#arrived(JSON.parse(event.data));
        if (event.name === "end") ended = JSON.parse(event.data).reason;
      }
      if (ended === "replaced") return REPLACED_PAUSE;
      // The token may still be good, if its session was renewed: the answer to the next request tells.
      return ended === "session_over" && Date.now() - began > FIRST_PAUSE ? 0 : null;
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", cut);
      connection.abort();
    }
  }

  async #ask(path, request) {
    this.#token ??= await this.#options.token();
    const headers = { ...request.headers, Authorization: `Bearer ${this.#token}` };
    return this.#options.fetch(this.#options.url + path, { ...request, headers, credentials: "omit" });
  }

  #arrived(message) {
    this.#keep(message);
    this.#tell({ position: this.#position, messages: [message] });
    if (this.#options.acknowledge && message.from !== "guest" && message.status === "sent") {
      this.#delivered.add(message.id);
      this.#report();
    }
  }

  /** Take a message in, once however often it comes; what is known of it only moves up. */
  #keep(message) {
    const known = this.#messages.get(message.id);
    if (known && rank(known.status) >= rank(message.status)) return;
    this.#messages.set(message.id, message);
    this.dispatchEvent(new CustomEvent(known ? "change" : "message", { detail: message }));
  }

  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #failed(error) {
    this.#running = null;
    this.#set("refused");
    this.dispatchEvent(new CustomEvent("refused", { detail: error.message }));
  }

  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // --- what is reported ------------------------------------------------------------------------------------------

  /** Report what is to be reported, several messages at a time; what could not be is with the next occasion. */
  #report() {
    if (!this.#delivered.size && !this.#read.size) return;
    this.#reporting ??= this.#reportAll().finally(() => {
      this.#reporting = null;
    });
  }

  async #reportAll() {
    await new Promise((resolve) => setTimeout(resolve, GATHER));
    let pause = FIRST_PAUSE;
    for (let tries = 0; (this.#delivered.size || this.#read.size) && tries < 5; ) {
      const read = [...this.#read].slice(0, MOST_REPORTED);
      const delivered = [...this.#delivered].filter((id) => !this.#read.has(id)).slice(0, MOST_REPORTED - read.length);
      if (await this.#reported({ delivered, read })) {
        for (const id of read) this.#read.delete(id);
        for (const id of [...delivered, ...read]) this.#delivered.delete(id);
        pause = FIRST_PAUSE;
        continue;
      }
      tries += 1;
      if (!this.#running) return;
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  async #reported(body) {
    const request = {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      // A page that is just being closed still says it.
      keepalive: true,
    };
    try {
      const answer = await this.#ask("/v1/inbox/reports", request);
      if (answer.status === 401) this.#token = null;
      // What is wrong with a report does not get better by saying it again.
      return answer.ok || (answer.status >= 400 && answer.status < 500 && ![401, 408, 429].includes(answer.status));
    } catch {
      return false;
    }
  }
}

class Refused extends Error {}

/** What the guest has written was not sent. */
export class SendError extends Error {
  constructor(why, answer, key) {
    super(why);
    this.name = "SendError";
    this.status = answer?.status ?? null;
    this.key = key;
  }
}

function form(given) {
  const made = new FormData();
  for (const [name, value] of Object.entries(given)) made.append(name, value);
  return made;
}

/** Not `randomUUID`, which pages have over https alone. */
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const rank = (status) => ["sent", "delivered", "read"].indexOf(status);

function retryAfter(answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
}

async function said(answer) {
  try {
    return String((await answer.json()).detail);
  } catch {
    return `${answer.status}`;
  }
}

/** The events of a stream, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them. */
export async function* events(body, onBytes = () => {}) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let id = null;
  let name = "message";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield { id, name, data: data.join("\n") };
          name = "message";
          data = [];
          continue;
        }
        const at = line.indexOf(":");
        const field = at < 0 ? line : line.slice(0, at);
        const given = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
        if (field === "data") data.push(given);
        else if (field === "event") name = given;
        else if (field === "id" && !given.includes("\0")) id = given;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

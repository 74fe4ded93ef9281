/** A message in a guest's inbox: `InboxMessage` of the API's description. */
export interface InboxMessage {
  id: string;
  /** `guest`: the guest wrote it, on this device or another. */
  from: "property" | "guest";
  status: "sent" | "delivered" | "read";
  content: string;
  content_type: string;
  /** The line above the text. */
  title: string | null;
  /** What the property gives to its app. */
  data: Record<string, string>;
  media: { url: string; content_type: string; filename: string; size: number }[];
  /** RFC 3339, in UTC, at one width: text order is time order. */
  sent_at: string;
  read_at: string | null;
  expires_at: string;
}

export type InboxState =
  | "connecting"
  | "open"
  /** For the next try. */
  | "waiting"
  /** Another tab has the stream and passes on what comes. */
  | "following"
  /** The property does not let this page read: see the event `refused`. */
  | "refused"
  | "closed";

export interface InboxOptions {
  /** Where Bellhop's API is, e.g. `https://messages.hotel.example`. */
  url: string;
  /**
   * A token of the guest's session, from your own back end, which mints it with `POST /v1/guests/{id}/sessions`. Asked
   * for at the beginning, and again when the one before is over.
   */
  token: () => Promise<string> | string;
  /**
   * Names the guest, e.g. by id: tabs of one browser that name the same one share a stream. Left out: each tab has its
   * own.
   */
  share?: string;
  /** Report each message that arrives as delivered. True if left out. */
  acknowledge?: boolean;
  /** Instead of the global one. */
  fetch?: typeof fetch;
}

export interface SendOptions {
  /** Names this message: 8 to 64 letters, digits, `-` and `_`. Made up if left out. */
  key?: string;
  /** A picture or another file that goes with it; `content` may be empty then. */
  file?: File | Blob;
  /** Give up when this says so. */
  signal?: AbortSignal;
}

/** What the guest has written was not sent, or nobody knows whether it was. */
export class SendError extends Error {
  /** What it was answered with; null: nothing. */
  readonly status: number | null;
  /** For the next try. */
  readonly key: string;
}

interface InboxEvents {
  /** A message has come, each once; also what the guest has sent. */
  message: CustomEvent<InboxMessage>;
  /** A message has moved on, e.g. the guest has read it on another device. */
  change: CustomEvent<InboxMessage>;
  state: CustomEvent<InboxState>;
  /** Why the property does not let this page read. */
  refused: CustomEvent<string>;
}

/** Follows a guest's inbox: reconnects, resumes where it was, shows each message once, acknowledges. */
export class Inbox extends EventTarget {
  constructor(options: InboxOptions);
  readonly state: InboxState;
  /** What lies in the inbox, the oldest first. */
  readonly messages: InboxMessage[];
  readonly unread: number;
  /** Begin to follow. Harmless when it does already. */
  start(): void;
  /** Stop following; what has come stays. */
  close(): Promise<void>;
  /** The guest has read these messages. Repeating it is harmless. */
  markRead(...ids: string[]): void;
  /**
   * Send what the guest has written; gives it as it is stored. It is tried again where need be, and stored once. Rejects
   * with a SendError: called again with its `key`, it is still one message.
   */
  send(content: string, options?: SendOptions): Promise<InboxMessage>;
  addEventListener<K extends keyof InboxEvents>(
    type: K,
    listener: (event: InboxEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof InboxEvents>(
    type: K,
    listener: (event: InboxEvents[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The events of a `text/event-stream` body. `onBytes` is called whenever something has come, heartbeats too. */
export function events(
  body: ReadableStream<Uint8Array>,
  onBytes?: () => void,
): AsyncGenerator<{ id: string | null; name: string; data: string }>;

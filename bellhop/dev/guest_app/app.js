import { Inbox } from "./bellhop-inbox.js";

const show = (id) => document.getElementById(id);

// The property's back end knows who is signed in; here it is always Jordan.
async function session() {
  const answer = await fetch("session", { method: "POST" });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

const first = await session();
let fresh = first.token;
const inbox = new Inbox({
  url: first.url,
  share: first.guest,
  token: async () => {
    const token = fresh ?? (await session()).token;
    fresh = null;
    return token;
  },
});

const seen = new IntersectionObserver((entries) => {
  const ids = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target.id);
  if (ids.length && document.visibilityState === "visible") setTimeout(() => inbox.markRead(...ids), 1500);
}, { threshold: 0.6 });

function line(message) {
  const there = document.getElementById(message.id);
  const item = there ?? document.createElement("li");
  item.id = message.id;
  const own = message.from === "guest";
  item.classList.toggle("own", own);
  item.classList.toggle("new", !own && message.status !== "read");
  const text = document.createElement("p");
  text.textContent = message.content;
  const about = document.createElement("small");
  const time = document.createElement("time");
  time.dateTime = message.sent_at;
  time.textContent = new Date(message.sent_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const status = document.createElement("span");
  status.textContent = own ? "sent by you" : message.status === "read" ? "read" : "new";
  about.append(time, status);
  const parts = [text, about];
  if (message.title) {
    const title = document.createElement("h3");
    title.textContent = message.title;
    parts.unshift(title);
  }
  for (const file of message.media.filter((one) => one.content_type.startsWith("image/"))) {
    const picture = document.createElement("img");
    picture.src = file.url;
    picture.alt = file.filename;
    parts.splice(-1, 0, picture);
  }
  item.replaceChildren(...parts);
  if (!there) {
    show("messages").prepend(item);
    if (!own) seen.observe(item);
  }
  show("empty").hidden = true;
  show("unread").hidden = !inbox.unread;
  show("unread").textContent = `${inbox.unread} new`;
}

inbox.addEventListener("message", (event) => line(event.detail));
inbox.addEventListener("change", (event) => line(event.detail));
inbox.addEventListener("state", (event) => {
  const words = { open: "online", following: "online", connecting: "connecting", waiting: "trying again" };
  show("state").dataset.state = event.detail;
  show("state").textContent = words[event.detail] ?? event.detail;
});
inbox.addEventListener("refused", (event) => {
  show("problem").textContent = event.detail;
});
inbox.start();
addEventListener("pagehide", () => inbox.close());
addEventListener("pageshow", () => inbox.start());

show("guest").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = show("words").value;
  show("words").value = "";
  try {
    await inbox.send(words);
    show("problem").textContent = "";
  } catch (error) {
    show("problem").textContent = error.message;
    show("words").value ||= words;
  }
});

show("desk").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = show("text").value;
  const answer = await fetch("send", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
  });
  show("problem").textContent = answer.ok ? "" : (await answer.json()).detail;
  if (answer.ok) show("text").value = "";
});

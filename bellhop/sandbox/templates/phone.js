// Asks for the page again and changes only what has changed, so that no frame or picture is loaded twice.
"use strict";

function merge(old, fresh) {
  if (!old || !fresh) return;
  let place = old.firstElementChild;
  const wanted = [...fresh.children];
  const ids = new Set(wanted.map((each) => each.id));
  for (const each of [...old.children]) if (!each.id || !ids.has(each.id)) each.remove();
  place = old.firstElementChild;
  for (const each of wanted) {
    if (place && each.id && place.id === each.id) {
      const status = place.querySelector(".status");
      const now = each.querySelector(".status");
      if (place.dataset.body !== each.dataset.body || (!status && place.innerHTML !== each.innerHTML)) {
        place.replaceWith(each);
        place = each;
      } else if (status && now && status.outerHTML !== now.outerHTML) {
        status.replaceWith(now);
      }
      place = place.nextElementSibling;
    } else {
      old.insertBefore(each, place);
    }
  }
}

const thread = document.getElementById("thread");
const atEnd = () => !thread || thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
const toEnd = () => thread && thread.scrollTo(0, thread.scrollHeight);

async function load() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const follow = atEnd();
  const before = thread ? thread.childElementCount : 0;
  merge(document.getElementById("guests"), fresh.getElementById("guests"));
  merge(thread, fresh.getElementById("thread"));
  const away = fresh.getElementById("away");
  if (away && document.getElementById("away")) document.getElementById("away").textContent = away.textContent;
  if (!document.getElementById("answer") && fresh.getElementById("answer")) location.reload();
  if (thread && follow && thread.childElementCount !== before) toEnd();
}

async function refresh() {
  try {
    if (!document.hidden) await load();
  } catch {
    // The sandbox is away, perhaps on purpose; ask again.
  }
  setTimeout(refresh, 1000);
}

async function post(path, asked, method = "POST") {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`/_sandbox/${path}`, { method, headers, body: asked });
  const told = await answer.json().catch(() => ({}));
  return { ok: answer.ok, told, status: told.status ?? told.detail ?? answer.status };
}

function say(text) {
  document.getElementById("said").textContent = text;
}

async function write(way, body, more = {}) {
  const by = JSON.parse(way);
  const { ok, status } = await post("guest" in by ? "write" : "inbound", JSON.stringify({ ...by, body, ...more }));
  say(ok && Number(status) < 300 ? "Delivered to the property." : `Answered: ${JSON.stringify(status)}`);
  await load();
}

function sent(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done({ type: file.type, name: file.name.slice(0, 100), content: reader.result.split(",")[1] ?? "" });
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("#answer");
  if (!form) return;
  event.preventDefault();
  const { way, body, file } = form.elements;
  const [chosen] = file.files;
  if (!body.value.trim() && !chosen) return;
  write(way.value, body.value, chosen ? { files: [await sent(chosen)] } : {});
  body.value = file.value = "";
});

document.addEventListener("change", async (event) => {
  if (event.target.id !== "reads") return;
  const { guest } = event.target.dataset;
  const { id, ...given } = JSON.parse(guest);
  await post(`guests/${encodeURIComponent(id)}`, JSON.stringify({ ...given, reads: event.target.checked }), "PUT");
});

document.addEventListener("click", async (event) => {
  const act = event.target.closest("button[data-read], button[data-unsubscribe]");
  if (act) {
    act.disabled = true;
    const { ok, status } = await post(act.dataset.read ? "read" : "unsubscribe", act.dataset.read ?? act.dataset.unsubscribe);
    const done = act.dataset.read ? "The property hears that it was read." : "The property hears that no more are wanted.";
    say(ok && (act.dataset.read || Number(status) < 300) ? done : `Answered: ${JSON.stringify(status)}`);
    await load();
  }
  const button = event.target.closest("button[data-body]");
  if (!button) return;
  const way = button.dataset.way ?? document.getElementById("answer").elements.way.value;
  write(way, button.dataset.body, JSON.parse(button.dataset.more ?? "{}"));
});

toEnd();
setTimeout(refresh, 1000);

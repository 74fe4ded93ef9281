// Asks for the page again and changes only what has changed: a card's frame is never loaded twice, so nothing flickers.
"use strict";

const list = document.getElementById("messages");

function merge(fresh) {
  const head = fresh.getElementById("head");
  if (head.innerHTML !== document.getElementById("head").innerHTML) document.getElementById("head").replaceWith(head);
  const wanted = [...fresh.querySelectorAll("#messages > *")];
  const ids = new Set(wanted.map((card) => card.id));
  for (const card of [...list.children]) if (!card.id || !ids.has(card.id)) card.remove();
  let place = list.firstElementChild;
  for (const card of wanted) {
    if (place && card.id && place.id === card.id) {
      if (place.dataset.body !== card.dataset.body) {
        place.replaceWith(card);
        place = card;
      } else if (place.querySelector("aside").innerHTML !== card.querySelector("aside").innerHTML) {
        place.querySelector("aside").replaceWith(card.querySelector("aside"));
      }
      place = place.nextElementSibling;
    } else {
      list.insertBefore(card, place);
    }
  }
}

async function refresh() {
  try {
    if (!document.hidden) {
      const answer = await fetch("/", { cache: "no-store" });
      if (answer.ok) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // The sandbox is away, perhaps on purpose; ask again.
  }
  setTimeout(refresh, 1000);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const answer = await fetch(button.dataset.act, { method: "POST" });
  const said = await answer.json();
  button.parentElement.querySelector("[role=status]").textContent = `${button.textContent}: ${said.answer ?? said.detail}`;
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest(".reply");
  if (!form) return;
  event.preventDefault();
  const input = form.elements.body;
  if (!input.value) return;
  const { provider, from, to } = form.dataset;
  const body = JSON.stringify({ provider, from, to, body: input.value });
  input.value = "";
  await fetch("/_sandbox/inbound", { method: "POST", headers: { "Content-Type": "application/json" }, body });
});

setTimeout(refresh, 1000);

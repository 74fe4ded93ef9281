"""One click (RFC 8058), as a mail program, a scanner and a guest take it; and what a reader does with a mail."""

from __future__ import annotations

import asyncio
from typing import Any

from bellhop.domain.unsubscribe import UnsubscribeTokens

from .engine import EMAIL, Engine, key

HTML = {**EMAIL, "content": '<p>Hello! <a href="https://hotel.example/spa">Our spa</a></p>', "category": "marketing"}


async def guest(stack: Engine, email: str, language: str) -> dict[str, Any]:
    body = {"first_name": "Ann", "last_name": "Doe", "email": email, "language": language}
    return dict((await stack.http.post("/v1/guests", json=body)).json())


async def mail(stack: Engine, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message, and the mail as its reader has it."""
    sent = await stack.send(body)
    await stack.until(sent["id"], "sent", "delivered", "read")
    mails = await stack.accepted(to=body["recipient"])
    return sent, next(one for one in mails if one["custom_args"]["message_id"] == str(key(sent["id"])))


async def marketing_allowed(stack: Engine, address: str) -> bool:
    asked = await stack.http.get("/v1/consents", params={"channel": "email", "address": address})
    assert asked.json()["allowed"] is True, "what is about the stay still goes"
    return bool(asked.json()["marketing_allowed"])


async def do(stack: Engine, found: dict[str, Any], action: str) -> Any:
    return await stack.sandbox.post(f"/_sandbox/messages/sendgrid/{found['id']}/{action}")


async def test_one_click(stack: Engine) -> None:
    address = "ann@offers.example"
    ann = await guest(stack, address, "de-AT")
    offer, found = await mail(stack, {**HTML, "recipient": address, "guest_id": ann["id"]})
    _, plain = await mail(stack, {**EMAIL, "recipient": address})
    assert list(plain["detail"]["headers"]) == ["Message-ID"] and "/u/" not in plain["content"]
    assert (await do(stack, plain, "unsubscribe")).status_code == 422
    headers = found["detail"]["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].rpartition("<")[2].strip(">")
    assert link.startswith(f"{stack.settings.bellhop.public_url}/u/")
    assert f'<a href="{link}" clicktracking="off">Von Angeboten abmelden</a>' in found["html"]
    assert found["content"].endswith(f"{link}\n")
    shown = await stack.get(offer["id"])
    assert shown["content"] == HTML["content"], "its sender sees what was accepted"

    # A scanner follows every link, and asks for its head first.
    looked = await stack.http.get(link)
    assert (looked.status_code, "Keine Angebote von Grand Sunset Resort mehr?" in looked.text) == (200, True)
    assert (await stack.http.head(link)).status_code == 200
    assert await marketing_allowed(stack, address)

    for _ in range(2):
        assert (await do(stack, found, "unsubscribe")).json() == {"answer": "200"}
    assert not await marketing_allowed(stack, address)
    said = (await stack.http.get("/v1/consents", params={"channel": "email", "address": address})).json()["data"]
    (one,) = said
    assert (one["cause"], one["purpose"], one["source"], one["in_force"]) == ("opt_out", "marketing", "one-click", True)
    updates = await stack.rows("select facts from events where type = 'guest.updated'")
    assert [row["facts"] for row in updates] == [{"changed": ["consents"]}]
    by_hand = await stack.http.post(link, headers={"accept": "text/html"})
    assert "Sie erhalten keine Angebote" in by_hand.text

    refused = await stack.send({**HTML, "recipient": address})
    assert (await stack.until(refused["id"], "failed"))["metadata"]["error"]["code"] == "opted_out"
    timeline = (await stack.http.get(f"/v1/messaging/{refused['id']}/timeline")).json()["data"]
    assert [entry["source"] for entry in timeline if entry["what"] == "consent.opt_out"] == ["one-click"]
    await mail(stack, {**EMAIL, "recipient": address, "content": "Your room."})

    # Its message is erased, the link in the guest's mailbox is not.
    assert (await stack.http.delete(f"/v1/guests/{ann['id']}")).status_code == 204
    assert (await stack.http.get(link)).status_code == 200
    other = UnsubscribeTokens("another secret, as long as it has to be")
    for wrong in (f"{link}x", f"{stack.settings.bellhop.public_url}/u/{other.make(key(offer['id']), 0)}"):
        answer = await stack.http.post(wrong, headers={"accept-language": "fr;q=0.9"})
        assert (answer.status_code, "Ce lien ne fonctionne pas" in answer.text) == (404, True)


async def test_what_a_reader_does_with_a_mail_is_counted(stack: Engine) -> None:
    to = "noopen@offers.example"
    sent, found = await mail(stack, {**HTML, "recipient": to})
    await stack.until(sent["id"], "delivered")
    for action in ("machine_open", "machine_open"):
        assert (await do(stack, found, action)).json() == {"answer": "200"}
    assert (await stack.get(sent["id"]))["status"] == "delivered", "a machine reads nothing"
    for action in ("open", "click", "open", "open"):
        assert (await do(stack, found, action)).json() == {"answer": "200"}
    await stack.until(sent["id"], "read")
    async with asyncio.timeout(10):
        while True:
            shown = (await stack.http.get(f"/v1/messaging/{sent['id']}/timeline")).json()["data"]
            counts = {entry["what"]: entry["count"] for entry in shown if "count" in entry}
            if counts == {"receipt.machine_open": 2, "receipt.open": 3, "receipt.click": 1}:
                break
            await asyncio.sleep(0.05)
    opened = next(entry for entry in shown if entry["what"] == "receipt.open")
    assert opened["first_at"] <= opened["last_at"]
    assert (await do(stack, found, "dance")).status_code == 404

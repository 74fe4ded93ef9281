"""Mails as they come: any bytes are read, within bounds, and ids and addresses of ours are nobody else's."""

from __future__ import annotations

import json
import time
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.domain import mail_reading
from bellhop.domain.delivery_ports import Inbound
from bellhop.domain.mail_addresses import MailAddresses, MailToken
from bellhop.providers.sendgrid.form import fields_of
from bellhop.providers.sendgrid.inbound import inbound

KEY = UUID("0199a21b-1b4b-7ada-8f20-66b4907b2fcf")
OURS = MailAddresses("a secret of an installation, long enough")
_BITS = st.sampled_from(
    [b"From: a@b.example\r\n", b"Subject: =?utf-8?q?=C3=A9?=\r\n", b"Subject: =?x?b?!!?=\r\n", b"\r\n", b"\n",
     b'Content-Type: multipart/mixed; boundary="b"\r\n', b"--b\r\n", b"--b--\r\n", b"Content-Type: text/html\r\n",
     b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: message/rfc822\r\n", b"\xff\xfe",
     b"References: <a@b> <c@d>\r\n", b"Content-Type: text/plain; charset=idna\r\n", b"a=\r\n",
     b"Content-Disposition: attachment; filename*=x'y'%zz\r\n"]
)  # fmt: skip
_MAILS = st.lists(st.one_of(_BITS, st.binary(max_size=40))).map(b"".join)


def posted(*fields: tuple[str, bytes], boundary: bytes = b"xYz") -> tuple[bytes, str]:
    """A form as SendGrid posts it."""
    parts = [
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + data + b"\r\n"
        for name, data in fields
    ]
    return b"".join([*parts, b"--", boundary, b"--\r\n"]), f"multipart/form-data; boundary={boundary.decode()}"


def taken(*fields: tuple[str, bytes]) -> Inbound:
    return inbound(*posted(*fields))


@given(_MAILS)
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    head, body = mail_reading.whole(raw)
    assert len(head.references) <= mail_reading.MOST_REFERENCES and len(body.files) <= mail_reading.MOST_PARTS
    if raw.strip(b"\r\n"):
        item = taken(("envelope", json.dumps({"to": ["a@b.example"], "from": "c@d.example"}).encode()), ("email", raw))
        json.dumps(dict(item.payload)).encode("utf-8")
        # As its receipt keeps it, it says the same.
        again = inbound(json.dumps(item.payload).encode(), "application/json")
        assert (again.text, again.dedupe_key, again.sender) == (item.text, item.dedupe_key, item.sender)


@given(st.binary(max_size=300), st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_form_is_read_or_refused(body: bytes, kind: str) -> None:
    for content_type in (kind, "multipart/form-data; boundary=x", "application/json"):
        try:
            inbound(body, content_type)
        except ValueError:
            continue


def test_fields_arrive_whole_and_byte_by_byte() -> None:
    data = bytes(range(256)) * 8_192 + b"\r\n--xY"
    (one,) = fields_of(*posted(("email", data)))
    assert one.data == data


def test_a_mail_in_parts_is_read_in_its_charsets() -> None:
    item = taken(
        ("headers", b"Message-ID: <1@a.b>\nFrom: =?utf-8?q?J=C3=B6?= <jo@guest.example>\nIn-Reply-To: <2@x>\n"),
        ("from", b"somebody@else.example"),
        ("subject", "予約".encode("iso-2022-jp")),
        ("text", "和室を".encode("iso-2022-jp")),
        ("charsets", b'{"subject": "iso-2022-jp", "text": "iso-2022-jp"}'),
        ("envelope", b'{"to": ["Desk@Hotel.example", "%s"], "from": "bounce@guest.example"}'
         % OURS.make(MailToken.REPLY, KEY, 0, "reply.hotel.example").encode()),
    )  # fmt: skip
    assert (item.sender, item.details.profile_name) == ("jo@guest.example", "Jö")
    assert (item.subject, item.text, item.references) == ("予約", "和室を", ("<2@x>",))
    assert item.recipient.startswith("r-") and item.also_to == ("Desk@Hotel.example",)
    assert not item.automatic


def test_who_names_nobody_is_nobody() -> None:
    item = taken(("envelope", b"[1]"), ("email", b"\r\nhello"))
    assert (item.sender, item.recipient, item.automatic) == ("unknown@mail.invalid", "", True)


def test_an_address_names_its_message_and_no_other() -> None:
    for token in MailToken:
        made = OURS.make(token, KEY, 2, "reply.hotel.example")
        assert len(made.partition("@")[0]) <= 64
        for text in (made, made.upper(), f"<{made}>"):
            named = OURS.read(text)
            assert named is not None and (named.token, named.message_id, named.step) == (token, KEY, 2)
        assert MailAddresses("another secret").read(made) is None
        others = [f"{other.value}{made[1:]}" for other in MailToken if other is not token]
        broken = [made[:at] + ("a" if made[at] != "a" else "b") + made[at + 1 :] for at in range(2, 50)]
        assert [OURS.read(one) for one in (*others, *broken)] == [None] * (len(others) + 48)
    assert OURS.first(["x@y", f"<{OURS.make(MailToken.MESSAGE, KEY, 0, 'a.b')}>"]) is not None


@pytest.mark.parametrize(
    "raw",
    [
        b"\n" * 4_000_000,
        b"From: a@b\nReferences: " + b"<a@b>" * 500_000,
        b"From: " + b"(" * 2_000_000 + b"\n\nx",
        b"Subject: " + b"=?utf-8?q?a?= " * 200_000 + b"\n\nx",
        b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at) for at in range(30_000)),
        b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\n" * 500_000,
        b"Content-Type: message/rfc822\n\n" * 50_000,
    ],
    ids=["lines", "references", "comments", "words", "nested", "parts", "mails in mails"],
)
def test_costly_mails_cost_little(raw: bytes) -> None:
    began = time.process_time()
    taken(("email", raw))
    assert time.process_time() - began < 5.0


def test_files_and_texts_are_told_apart() -> None:
    mail = EmailMessage()
    mail["From"] = "a@b.example"
    mail.set_content("Hello\n")
    mail.add_alternative("<p>Hello</p>", subtype="html")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="grün.png")
    mail.add_attachment("a,b\n", subtype="csv", filename="a.csv")
    _, body = mail_reading.whole(mail.as_bytes())
    assert body.text is not None and body.text.strip() == "Hello" and body.html is not None
    assert [(one.filename, one.content_type) for one in body.files] == [
        ("grün.png", "image/png"),
        ("a.csv", "text/csv"),
    ]

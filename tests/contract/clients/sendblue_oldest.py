"""Sendblue's own client for Python as it was when its types were those of the description, against our API: sends a
text, follows it and lists it, and keeps an account webhook. By the one argument there is, JSON. Prints what it was
answered, as JSON. Its answers are checked strictly: what its types do not allow is an error."""

import json
import sys
import time

import httpx
from sendblue_api import BadRequestError, SendblueAPI, __version__

given = json.loads(sys.argv[1])
client = SendblueAPI(
    api_key=given["key"],
    api_secret=given["secret"],
    base_url=given["url"],
    _strict_response_validation=True,
    http_client=httpx.Client(trust_env=False),
)
number, line = given["number"], given["line"]
sent = client.messages.send(number=number, from_number=line, content="Your suite is ready.", send_style="slam")
status = sent
while status.status in ("QUEUED", "SENT"):
    time.sleep(0.1)
    status = client.messages.get_status(handle=str(sent.message_handle))
listed = client.messages.list(number=number, limit=10)
one = client.messages.retrieve(str(sent.message_handle))
made = client.webhooks.create(webhooks=[given["webhook"]], type="outbound")
webhooks = client.webhooks.list()
looked = client.lookups.lookup_number(number=number)
out = client.contacts.opt_out(number=number, opted_out=True)
try:
    client.messages.send(number=number, from_number=line, content="Hello")
    refused = {}
except BadRequestError as error:
    refused = {"name": type(error).__name__, "status": error.status_code, "body": error.body}
answers = {
    "sent": sent, "status": status, "listed": listed, "one": one, "made": made, "webhooks": webhooks, "looked": looked,
    "out": out,
}  # fmt: skip
said = {name: answer.to_dict(mode="json") for name, answer in answers.items()}
print(json.dumps(said | {"refused": refused, "version": __version__}))

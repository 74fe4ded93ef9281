// Sendblue's own client for JavaScript against our API, by the one argument there is: sends a text, follows it and lists it,
// and keeps an account webhook. Prints what it was answered, as JSON.

import process from "node:process";
import SendblueAPI from "sendblue";

const given = JSON.parse(process.argv[2]);
const client = new SendblueAPI({ apiKey: given.key, apiSecret: given.secret, baseURL: given.url });
const { number, line } = given;

const sent = await client.messages.send({ number, from_number: line, content: "Your suite is ready.", send_style: "slam" });
let status = sent;
while (status.status === "QUEUED" || status.status === "SENT") {
  await new Promise((resolve) => setTimeout(resolve, 100));
  status = await client.messages.getStatus({ handle: sent.message_handle });
}
const listed = await client.messages.list({ number, limit: 10 });
const one = await client.messages.retrieve(sent.message_handle);
const made = await client.webhooks.create({ webhooks: [given.webhook], type: "outbound" });
const webhooks = await client.webhooks.list();
const looked = await client.lookups.lookupNumber({ number });
const out = await client.contacts.optOut({ number, opted_out: true });
const refused = await client.messages.send({ number, from_number: line, content: "Hello" }).catch((error) => ({
  name: error.constructor.name,
  status: error.status,
  body: error.error,
}));
console.log(JSON.stringify({ sent, status, listed, one, made, webhooks, looked, out, refused }));

// Sends a notification to each token with @parse/node-apn, by the one argument there is, and prints what it makes of each
// answer, a JSON line apiece.

import http2 from "node:http2";
import process from "node:process";

// Names of methods that Node has among its constants and Deno has not.
Object.assign(http2.constants, { HTTP2_METHOD_POST: "POST", HTTP2_METHOD_GET: "GET", HTTP2_METHOD_DELETE: "DELETE" });
const { default: apn } = await import("@parse/node-apn");

const given = JSON.parse(process.argv[2]);
const provider = new apn.Provider({
  token: { key: given.key, keyId: given.keyId, teamId: given.teamId },
  address: given.address,
  port: given.port,
  ca: given.ca,
  clientCount: 1,
  connectionRetryLimit: 0,
  requestTimeout: 5000,
});
for (const token of given.tokens) {
  const notification = new apn.Notification({
    alert: { title: "Your stay", body: "Your suite is ready." },
    collapseId: "a-message",
    expiry: Math.floor(Date.now() / 1000) + 90,
    payload: { message_id: "a-message" },
    pushType: "alert",
    topic: given.topic,
  });
  const { sent, failed } = await provider.send(notification, token);
  for (const { device } of sent) console.log(JSON.stringify({ device, status: 200 }));
  for (const { device, status, response, error } of failed) {
    console.log(JSON.stringify({ device, status, reason: response?.reason, error: error?.message }));
  }
}
await provider.shutdown();

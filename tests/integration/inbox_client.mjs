// What a guest's app does with the client: prints what happens, a JSON object a line, and does what it is told.
import { createInterface } from "node:readline";
import { Inbox } from "../../clients/javascript/bellhop-inbox.js";

const { url, tokens, acknowledge } = JSON.parse(process.argv[2]);
const say = (what, detail) => console.log(JSON.stringify({ what, detail }));
const inbox = new Inbox({
  url,
  acknowledge,
  token: () => {
    say("token");
    return tokens.length > 1 ? tokens.shift() : tokens[0];
  },
});
for (const what of ["message", "change", "state", "refused"]) {
  inbox.addEventListener(what, (event) => say(what, event.detail));
}
inbox.start();
createInterface({ input: process.stdin }).on("line", (line) => {
  const [word, ...ids] = line.split(" ");
  if (word === "send") {
    const [key, ...words] = ids;
    inbox.send(words.join(" "), { key }).then(
      (message) => say("sent", message),
      (error) => say("not sent", { status: error.status, key: error.key }),
    );
  }
  if (word === "read") inbox.markRead(...ids);
  if (word === "close") inbox.close().then(() => process.exit(0));
});

// Makes the calls that a test asks for, through the client that was generated beside this file: a line of JSON in for
// each, a line out: {} when it is done, {"error"} when not. Without a model: {"has"}, whether there is such a call. Arguments: the API's address, a key.

import * as client from "./client/index.ts";

const [basePath, accessToken] = Deno.args;
const configuration = new client.Configuration({ basePath, accessToken });
const generated = client as any;

async function call({ api, operation, place, model, fields }: any): Promise<object> {
  if (!model) return { has: operation in generated[api].prototype };
  const read = generated[`${model}FromJSON`](fields);
  // As a person writes it: an object with what is to be changed, and nothing else.
  const body = Object.fromEntries(Object.entries(read).filter(([_, value]) => value !== undefined));
  const named = model[0].toLowerCase() + model.slice(1);
  await new generated[api](configuration)[operation]({ ...place, [named]: body });
  return {};
}

let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    let said;
    try {
      said = await call(JSON.parse(line));
    } catch (problem) {
      said = { error: problem.response ? await problem.response.text() : String(problem) };
    }
    console.log(JSON.stringify(said));
  }
}

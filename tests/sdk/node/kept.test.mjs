// What the `ai` package does by itself with responses: it refers to items it believes to be kept at the vendor.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

import { KEY, KINDS, MAX_TOKENS, QUESTION, URL } from "./kinds.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0 });

for (const model of [KINDS.deepseek, KINDS.anthropic, KINDS.google]) {
  test(`an item that nobody kept is refused by its place: ${model}`, async () => {
    const { output } = await client.responses.create({ model, max_output_tokens: MAX_TOKENS, input: QUESTION });
    const input = [
      { role: "user", content: QUESTION },
      { type: "item_reference", id: output.at(-1).id },
      { role: "user", content: "And on Mars?" },
    ];
    await assert.rejects(client.responses.create({ model, input }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.param, "input[1].type");
      assert.match(error.message, /send the item whole/);
      return true;
    });
  });
}

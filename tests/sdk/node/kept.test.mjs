// References to items of earlier answers, as the `ai` package makes them by itself with responses.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

import { KEY, KINDS, MAX_TOKENS, QUESTION, URL } from "./kinds.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0 });

for (const model of [KINDS.deepseek, KINDS.anthropic, KINDS.google]) {
  const next = (id) => [
    { role: "user", content: QUESTION },
    { type: "item_reference", id },
    { role: "user", content: "And on Mars?" },
  ];

  test(`an item of an answer can be referred to: ${model}`, async () => {
    const { output } = await client.responses.create({ model, max_output_tokens: MAX_TOKENS, input: QUESTION });
    const whole = [{ role: "user", content: QUESTION }, output.at(-1), { role: "user", content: "And on Mars?" }];
    const referred = await client.responses.create({ model, input: next(output.at(-1).id) });
    const sent = await client.responses.create({ model, input: whole });
    assert.ok(referred.output_text);
    assert.equal(referred.output_text, sent.output_text);
    assert.equal(referred.usage.input_tokens, sent.usage.input_tokens);
  });

  test(`an item that was not to be kept is refused by its place: ${model}`, async () => {
    const body = { model, max_output_tokens: MAX_TOKENS, input: QUESTION, store: false };
    const { output } = await client.responses.create(body);
    for (const id of [output.at(-1).id, "msg_of_nobody"]) {
      await assert.rejects(client.responses.create({ model, input: next(id) }), (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError);
        assert.equal(error.param, "input[1].type");
        assert.match(error.message, /send the item whole/);
        return true;
      });
    }
  });
}

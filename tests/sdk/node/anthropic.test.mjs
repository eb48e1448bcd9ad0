// The official `@anthropic-ai/sdk` package through a vendor of every kind.

import assert from "node:assert/strict";
import { test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import {
  ABLE,
  CALLED_WITH,
  KEY,
  KINDS,
  MAX_TOKENS,
  MODELS,
  PERSON_SCHEMA,
  PNG_BASE64,
  QUESTION,
  RESULT,
  SYSTEM,
  URL,
  WEATHER_SCHEMA,
  gathered,
} from "./kinds.mjs";

const client = new Anthropic({ baseURL: URL, apiKey: KEY, maxRetries: 0, timeout: 60_000 });
const TOOLS = [{ name: "get_weather", description: "Weather", input_schema: WEATHER_SCHEMA }];
// Their next turn needs what they thought.
const THINKERS = ["claude-sonnet-4-5", "o4-mini", "deepseek-reasoner", "gemini-2.5-pro", "gemini-3-pro-preview"];

const ask = (model, more = {}) => ({
  model,
  max_tokens: MAX_TOKENS,
  system: SYSTEM,
  messages: [{ role: "user", content: QUESTION }],
  ...more,
});
const answered = (body, streamed) =>
  streamed ? client.messages.stream(body).finalMessage() : client.messages.create(body);
const textOf = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

async function callsAndAnswers(body, streamed) {
  const message = await answered(body, streamed);
  assert.equal(message.stop_reason, "tool_use");
  const call = message.content.find((block) => block.type === "tool_use");
  assert.deepEqual(call.input, CALLED_WITH);

  const result = { type: "tool_result", tool_use_id: call.id, content: RESULT };
  body.messages.push({ role: "assistant", content: message.content }, { role: "user", content: [result] });
  const second = await answered(body, streamed);
  assert.equal(second.stop_reason, "end_turn");
  assert.ok(textOf(second).includes(RESULT));
}

for (const model of MODELS) {
  test(`a stream is the same answer: ${model}`, async () => {
    const whole = await client.messages.create(ask(model));
    const final = await answered(ask(model), true);

    assert.ok(textOf(whole));
    assert.equal(textOf(final), textOf(whole));
    assert.equal(final.stop_reason, "end_turn");
    assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
  });

  for (const streamed of [false, true]) {
    test(`a tool is called and its result answered: ${model}, streamed: ${streamed}`, () =>
      callsAndAnswers(ask(model, { tools: TOOLS }), streamed));
  }

  for (const [status, raised] of [
    [400, Anthropic.BadRequestError],
    [429, Anthropic.RateLimitError],
    [500, Anthropic.InternalServerError],
    [529, Anthropic.InternalServerError],
  ]) {
    test(`a vendor's refusal is the package's exception: ${model}, ${status}`, async () => {
      for (const stream of [false, true]) {
        await assert.rejects(client.messages.create(ask(`${model}+status=${status}`, { stream })), (error) => {
          assert.ok(error instanceof raised, String(error));
          assert.equal(error.error.type, "error");
          assert.ok(error.error.error.message);
          return true;
        });
      }
    });
  }

  test(`an error inside a stream is thrown: ${model}`, async () => {
    let events = 0;
    const reading = (async () => {
      const stream = await client.messages.create(ask(`${model}+words=60+error_event=9`, { stream: true }));
      for await (const event of stream) events += event.type === "content_block_delta" ? 1 : 0;
    })();

    await assert.rejects(reading, Anthropic.APIError);
    assert.ok(events > 0);
  });

  test(`a stream may be left midway: ${model}`, async () => {
    const stream = client.messages.stream(ask(`${model}+words=2000+gap_ms=5`, { max_tokens: 4000 }));
    for await (const event of stream) {
      assert.ok(event.type);
      break;
    }
    assert.ok(textOf(await client.messages.create(ask(model))));
  });

  test(`tokens are counted: ${model}`, async () => {
    const { messages } = ask(model);
    assert.ok((await client.messages.countTokens({ model, messages })).input_tokens > 0);
  });
}

for (const model of THINKERS) {
  for (const streamed of [false, true]) {
    test(`what was thought comes back with a tool's result: ${model}, streamed: ${streamed}`, () => {
      const thinking = { type: "enabled", budget_tokens: 2048 };
      return callsAndAnswers(ask(model, { tools: TOOLS, thinking, max_tokens: 6000 }), streamed);
    });
  }
}

for (const model of ABLE) {
  test(`structured output: ${model}`, async () => {
    const format = { type: "json_schema", schema: PERSON_SCHEMA };
    for (const streamed of [false, true]) {
      const person = JSON.parse(textOf(await answered(ask(model, { output_config: { format } }), streamed)));
      assert.equal(typeof person.name, "string");
      assert.ok(Number.isInteger(person.age));
    }
  });

  test(`a picture is seen: ${model}`, async () => {
    const blind = await client.messages.create(ask(model));
    const source = { type: "base64", media_type: "image/png", data: PNG_BASE64 };
    const content = [
      { type: "text", text: QUESTION },
      { type: "image", source },
    ];
    const seeing = await client.messages.create(ask(model, { messages: [{ role: "user", content }] }));
    assert.ok(seeing.usage.input_tokens >= blind.usage.input_tokens + 80);
  });
}

test("an unknown model and a wrong key", async () => {
  await assert.rejects(client.messages.create(ask("no-such-model")), Anthropic.NotFoundError);
  const stranger = new Anthropic({ baseURL: URL, apiKey: "sk-lyss-wrong", maxRetries: 0 });
  await assert.rejects(stranger.messages.create(ask(KINDS.anthropic)), Anthropic.AuthenticationError);
});

test("models are listed", async () => {
  const listed = (await gathered(client.models.list({ limit: 1000 }))).map((model) => model.id);
  for (const model of MODELS) assert.ok(listed.includes(model), model);
});

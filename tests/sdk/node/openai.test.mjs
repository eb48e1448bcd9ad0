// The official `openai` package: chat and responses through a vendor of every kind.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI, { AzureOpenAI } from "openai";

import {
  ABLE,
  CALLED_WITH,
  KEY,
  KINDS,
  MAX_TOKENS,
  MODELS,
  PERSON_SCHEMA,
  PNG_URL,
  QUESTION,
  RESULT,
  SYSTEM,
  URL,
  WEATHER_SCHEMA,
  gathered,
} from "./kinds.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0, timeout: 60_000 });
const azure = new AzureOpenAI({ endpoint: URL, apiKey: KEY, apiVersion: "2024-10-21", maxRetries: 0 });
const CHAT_TOOLS = [{ type: "function", function: { name: "get_weather", parameters: WEATHER_SCHEMA } }];
const TOOLS = [{ type: "function", name: "get_weather", parameters: WEATHER_SCHEMA, strict: false }];

const chat = (model, more = {}) => ({
  model,
  max_completion_tokens: MAX_TOKENS,
  messages: [
    { role: "system", content: SYSTEM },
    { role: "user", content: QUESTION },
  ],
  ...more,
});
const respond = (model, more = {}) => ({
  model,
  max_output_tokens: MAX_TOKENS,
  instructions: SYSTEM,
  input: [{ role: "user", content: QUESTION }],
  ...more,
});

for (const model of MODELS) {
  test(`chat: a stream is the same answer: ${model}`, async () => {
    const whole = await client.chat.completions.create(chat(model));
    const stream = client.chat.completions.stream(chat(model, { stream_options: { include_usage: true } }));
    const final = await stream.finalChatCompletion();

    assert.ok(whole.choices[0].message.content);
    assert.equal(final.choices[0].message.content, whole.choices[0].message.content);
    assert.equal(final.choices[0].finish_reason, "stop");
    assert.deepEqual(await stream.totalUsage().then((it) => it.total_tokens), whole.usage.total_tokens);
  });

  test(`chat: Azure's client: ${model}`, async () => {
    const answer = await azure.chat.completions.create(chat(model));

    assert.ok(answer.choices[0].message.content);
  });

  for (const streamed of [false, true]) {
    test(`chat: a tool is called and its result answered: ${model}, streamed: ${streamed}`, async () => {
      const body = chat(model, { tools: CHAT_TOOLS });
      const answer = streamed
        ? await client.chat.completions.stream(body).finalChatCompletion()
        : await client.chat.completions.create(body);
      const { message, finish_reason } = answer.choices[0];
      assert.equal(finish_reason, "tool_calls");
      const [call] = message.tool_calls;
      assert.deepEqual(JSON.parse(call.function.arguments), CALLED_WITH);

      body.messages.push(message, { role: "tool", tool_call_id: call.id, content: RESULT });
      const second = await client.chat.completions.create(body);
      assert.ok(second.choices[0].message.content.includes(RESULT));
    });

    test(`responses: a tool is called and its result answered: ${model}, streamed: ${streamed}`, async () => {
      const body = respond(model, { tools: TOOLS });
      const answer = streamed
        ? await client.responses.stream(body).finalResponse()
        : await client.responses.create(body);
      const call = answer.output.find((item) => item.type === "function_call");
      assert.deepEqual(JSON.parse(call.arguments), CALLED_WITH);

      const said = answer.output.map(({ parsed_arguments, ...item }) => item);
      body.input.push(...said, { type: "function_call_output", call_id: call.call_id, output: RESULT });
      const second = await client.responses.create(body);
      assert.ok(second.output_text.includes(RESULT));
    });
  }

  test(`responses: a stream is the same answer: ${model}`, async () => {
    const whole = await client.responses.create(respond(model));
    const final = await client.responses.stream(respond(model)).finalResponse();

    assert.ok(whole.output_text);
    assert.equal(final.status, "completed");
    assert.equal(final.output.at(-1).content[0].text, whole.output_text);
    assert.deepEqual(final.usage, whole.usage);
  });

  for (const [status, raised] of [
    [400, OpenAI.BadRequestError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
  ]) {
    test(`a vendor's refusal is the package's exception: ${model}, ${status}`, async () => {
      for (const stream of [false, true]) {
        // A channel is left alone for so long: each case has a wait, and so a model, of its own.
        const asked = (wait) => `${model}+status=${status}+retry_after=${wait + stream}`;
        for (const [wait, call] of [
          [31, () => client.chat.completions.create(chat(asked(31), { stream }))],
          [33, () => client.responses.create(respond(asked(33), { stream }))],
        ]) {
          await assert.rejects(call, (error) => {
            assert.ok(error instanceof raised, String(error));
            assert.ok(error.error.message);
            if (status === 429) assert.equal(error.headers.get("retry-after"), String(wait + stream));
            return true;
          });
        }
      }
    });
  }

  test(`chat: an error inside a stream is thrown: ${model}`, async () => {
    let text = "";
    const reading = (async () => {
      const stream = await client.chat.completions.create(chat(`${model}+words=60+error_event=9`, { stream: true }));
      for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
    })();

    await assert.rejects(reading, OpenAI.APIError);
    assert.ok(text);
  });

  test(`chat: a stream may be left midway: ${model}`, async () => {
    const stream = await client.chat.completions.create(chat(`${model}+words=2000+gap_ms=5`, { stream: true }));
    for await (const chunk of stream) {
      assert.ok(chunk);
      break;
    }
    assert.ok((await client.chat.completions.create(chat(model))).choices[0].message.content);
  });
}

for (const model of ABLE) {
  test(`structured output: ${model}`, async () => {
    const json_schema = { name: "person", schema: PERSON_SCHEMA, strict: true };
    const answer = await client.chat.completions.parse(
      chat(model, { response_format: { type: "json_schema", json_schema } }),
    );
    const person = JSON.parse(answer.choices[0].message.content);
    assert.equal(typeof person.name, "string");
    assert.ok(Number.isInteger(person.age));

    const format = { type: "json_schema", ...json_schema };
    const response = await client.responses.create(respond(model, { text: { format } }));
    assert.deepEqual(Object.keys(JSON.parse(response.output_text)).sort(), ["age", "name"]);
  });

  test(`a picture is seen: ${model}`, async () => {
    const blind = await client.chat.completions.create(chat(model));
    const content = [
      { type: "text", text: QUESTION },
      { type: "image_url", image_url: { url: PNG_URL } },
    ];
    const seeing = await client.chat.completions.create(
      chat(model, { messages: [{ role: "system", content: SYSTEM }, { role: "user", content }] }),
    );
    assert.ok(seeing.usage.prompt_tokens >= blind.usage.prompt_tokens + 80);
  });
}

test("JSON of a vendor without schemas", async () => {
  const messages = [{ role: "user", content: "A person, as JSON." }];
  const answer = await client.chat.completions.create(
    chat(KINDS.deepseek, { messages, response_format: { type: "json_object" } }),
  );
  assert.equal(typeof JSON.parse(answer.choices[0].message.content), "object");
});

test("an unknown model and a wrong key", async () => {
  await assert.rejects(client.chat.completions.create(chat("no-such-model")), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
    return true;
  });
  const stranger = new OpenAI({ baseURL: `${URL}/v1`, apiKey: "sk-lyss-wrong", maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create(chat(KINDS.openai)), OpenAI.AuthenticationError);
});

test("models and embeddings", async () => {
  const listed = (await gathered(client.models.list())).map((model) => model.id);
  for (const model of MODELS) assert.ok(listed.includes(model), model);

  for (const model of ["text-embedding-3-small", "gemini-embedding-001"]) {
    const answer = await client.embeddings.create({ model, input: ["one", "two"] });
    assert.equal(answer.data.length, 2);
    assert.equal(typeof answer.data[0].embedding[0], "number");
  }
});

// The `ai` package with its OpenAI provider, by chat and by responses, through a vendor of every kind.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, Output, generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import {
  ABLE,
  CALLED_WITH,
  KEY,
  KINDS,
  MAX_TOKENS,
  MODELS,
  PNG_BASE64,
  QUESTION,
  RESULT,
  SYSTEM,
  URL,
  WEATHER_SCHEMA,
  gathered,
} from "./kinds.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

const provider = createOpenAI({ baseURL: `${URL}/v1`, apiKey: KEY });
const WAYS = { chat: (name) => provider.chat(name), responses: (name) => provider.responses(name) };
const KEPT_HERE = [KINDS.deepseek, KINDS.anthropic, KINDS.google];
const PERSON = z.object({ name: z.string(), age: z.number().int() });

for (const [way, named] of Object.entries(WAYS)) {
  const ask = (model, more = {}) => ({
    model: named(model),
    system: SYSTEM,
    prompt: QUESTION,
    maxOutputTokens: MAX_TOKENS,
    maxRetries: 0,
    // By itself the package refers to items that are kept: by the service for other vendors' answers, by OpenAI for its
    // own, where the simulated one keeps nothing.
    providerOptions: KEPT_HERE.some((kept) => model.startsWith(kept)) ? {} : { openai: { store: false } },
    ...more,
  });

  for (const model of MODELS) {
    test(`${way}: a stream is the same answer: ${model}`, async () => {
      const whole = await generateText(ask(model));
      const stream = streamText(ask(model));
      const text = (await gathered(stream.textStream)).join("");

      assert.ok(whole.text);
      assert.equal(text, whole.text);
      assert.equal(await stream.finishReason, "stop");
      assert.equal((await stream.usage).totalTokens, whole.usage.totalTokens);
      assert.ok(whole.usage.totalTokens > 0);
    });

    for (const streamed of [false, true]) {
      test(`${way}: a tool is run and its result answered: ${model}, streamed: ${streamed}`, async () => {
        const seen = [];
        const tools = {
          get_weather: tool({
            description: "Weather",
            inputSchema: jsonSchema(WEATHER_SCHEMA),
            execute: async (input) => {
              seen.push(input);
              return RESULT;
            },
          }),
        };
        const body = ask(model, { tools, stopWhen: stepCountIs(3) });
        const answer = streamed ? streamText(body) : await generateText(body);
        const text = await answer.text;

        assert.deepEqual(seen, [CALLED_WITH]);
        assert.equal((await answer.steps).length, 2);
        assert.ok(text.includes(RESULT), text);
      });
    }

    for (const status of [400, 429, 500]) {
      test(`${way}: a vendor's refusal is the package's error: ${model}, ${status}`, async () => {
        await assert.rejects(generateText(ask(`${model}+status=${status}`)), (error) => {
          assert.ok(APICallError.isInstance(error), String(error));
          assert.equal(error.statusCode, status);
          assert.equal(error.isRetryable, status !== 400);
          assert.ok(error.message);
          return true;
        });
      });
    }

    test(`${way}: an error inside a stream is a part of it: ${model}`, async () => {
      const body = ask(`${model}+words=60+error_event=9`, { onError: () => {} });
      const parts = await gathered(streamText(body).fullStream);

      assert.ok(parts.some((part) => part.type === "text-delta"));
      assert.ok(parts.some((part) => part.type === "error") || parts.at(-1).finishReason === "error");
    });
  }

  for (const model of ABLE) {
    test(`${way}: structured output: ${model}`, async () => {
      const { object } = await generateObject(ask(model, { schema: PERSON }));
      assert.ok(PERSON.parse(object));

      const { output } = await generateText(ask(model, { output: Output.object({ schema: PERSON }) }));
      assert.deepEqual(output, object);
    });

    test(`${way}: a picture is seen: ${model}`, async () => {
      const blind = await generateText(ask(model));
      const content = [
        { type: "text", text: QUESTION },
        { type: "image", image: Buffer.from(PNG_BASE64, "base64") },
      ];
      const seeing = await generateText(ask(model, { prompt: undefined, messages: [{ role: "user", content }] }));
      assert.ok(seeing.usage.inputTokens >= blind.usage.inputTokens + 80);
    });
  }

  test(`${way}: an unknown model`, async () => {
    await assert.rejects(generateText(ask("no-such-model")), (error) => error.statusCode === 404);
  });
}

// One model of each vendor kind, and what the tests of all packages ask of them. The same as kinds.py.

export const URL = process.env.LYSS_URL;
export const KEY = process.env.LYSS_KEY;

export const KINDS = {
  openai: "gpt-4o-mini",
  azure_openai: "azure-gpt-4o-mini",
  deepseek: "deepseek-chat",
  anthropic: "claude-sonnet-4-5",
  google: "gemini-2.5-flash",
};
export const MODELS = Object.values(KINDS);
// DeepSeek reads no pictures and knows no schemas.
export const ABLE = MODELS.filter((model) => model !== KINDS.deepseek);

export const SYSTEM = "You answer briefly.";
export const QUESTION = "Why is the sky blue? Ein Wort auf Deutsch: Größe.";
export const MAX_TOKENS = 200;
export const RESULT = "17 degrees and windy";

export const WEATHER_SCHEMA = {
  type: "object",
  properties: {
    city: { type: "string" },
    days: { type: "integer" },
    unit: { type: "string", enum: ["celsius", "fahrenheit"] },
  },
  required: ["city"],
};
// What the simulated models call it with.
export const CALLED_WITH = { city: "sample", days: 42, unit: "celsius" };

export const PERSON_SCHEMA = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};

// One white pixel.
export const PNG_BASE64 =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=";
export const PNG_URL = `data:image/png;base64,${PNG_BASE64}`;

export async function gathered(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

"""One model of each vendor kind, and what the tests of all packages ask of them."""

import base64

# Knobs of the simulated vendors may follow each name: `gpt-4o-mini+status=500`.
KINDS = {
    "openai": "gpt-4o-mini",
    "azure_openai": "azure-gpt-4o-mini",
    "deepseek": "deepseek-chat",
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-2.5-flash",
}
MODELS = list(KINDS.values())
# DeepSeek reads no pictures.
SEEING = [model for kind, model in KINDS.items() if kind != "deepseek"]
# Behind OpenAI's responses alone, and never streamed.
RESPONSES_ONLY = "o1-pro"

SYSTEM = "You answer briefly."
QUESTION = "Why is the sky blue, and is it also blue on Mars? Ein Wort auf Deutsch: Größe."
MAX_TOKENS = 200

WEATHER_SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "As on a map"},
        "days": {"type": "integer"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city"],
}
TIME_SCHEMA = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}
# What the simulated models put into a call of each tool.
CALLED_WITH = {
    "get_weather": {"city": "sample", "days": 42, "unit": "celsius"},
    "get_time": {"zone": "sample"},
}
RESULTS = {"get_weather": "17 degrees and windy", "get_time": "a quarter past nine"}

PERSON_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "mood": {"type": "string", "enum": ["glad", "sad"]},
        "friends": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "age", "mood", "friends"],
    "additionalProperties": False,
}

# One white pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII="
)
PNG_BASE64 = base64.b64encode(PNG).decode()
PNG_URL = f"data:image/png;base64,{PNG_BASE64}"


def assert_is_person(value):
    assert value.keys() == set(PERSON_SCHEMA["required"])
    assert isinstance(value["name"], str) and isinstance(value["age"], int)
    assert value["mood"] in ("glad", "sad")
    assert all(isinstance(friend, str) for friend in value["friends"])

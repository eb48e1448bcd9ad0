"""The official `openai` package through the gateway, against what the simulated vendors say when called directly.

`cargo xtask sdk` starts the demo and sets:
  LYSS_URL, LYSS_KEY        the gateway and a virtual key
  LYSS_SANDBOX_OPENAI       the vendors' own base URLs
  LYSS_SANDBOX_DEEPSEEK
  LYSS_SANDBOX_ANTHROPIC
The vendors' text follows from the model and the last user text, so the same request has the same answer on both ways;
only the ids in an answer count up.
"""

import json
import os
import urllib.request

import openai
import pytest

# How each model's vendor is reached directly; the first two speak OpenAI's format themselves.
OPENAI_KIND = {"gpt-4o-mini": "LYSS_SANDBOX_OPENAI", "deepseek-chat": "LYSS_SANDBOX_DEEPSEEK"}
ANTHROPIC_MODEL = "claude-sonnet-4-5"
MODELS = [*OPENAI_KIND, ANTHROPIC_MODEL]

DIRECT_KEY = "sk-sandbox-direct"
SYSTEM = "You answer briefly."
QUESTION = "Why is the sky blue, and is it also blue on Mars? Ein Wort auf Deutsch: Größe."
MAX_TOKENS = 200
WEATHER = {
    "name": "get_weather",
    "description": "The weather at a place",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
    },
}


def client(base_url, key):
    # A retry would hide a failure that a user sees once in a while.
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60)


@pytest.fixture(scope="session")
def gateway():
    with client(os.environ["LYSS_URL"] + "/v1", os.environ["LYSS_KEY"]) as through:
        yield through


@pytest.fixture(scope="session")
def vendors():
    """A client for each vendor that speaks OpenAI's format, by model."""
    return {model: client(os.environ[variable], DIRECT_KEY) for model, variable in OPENAI_KIND.items()}


def request(model, **more):
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    return {"model": model, "max_tokens": MAX_TOKENS, "messages": messages, **more}


def tool_request(model, **more):
    tools = [{"type": "function", "function": WEATHER}]
    return request(model, tools=tools, parallel_tool_calls=False, **more)


def ask_anthropic(with_tool=False):
    """The answer of Anthropic's own API to the same conversation, in its own format."""
    body = {
        "model": ANTHROPIC_MODEL,
        "max_tokens": MAX_TOKENS,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    if with_tool:
        schema = {"name": WEATHER["name"], "description": WEATHER["description"], "input_schema": WEATHER["parameters"]}
        body["tools"] = [schema]
        body["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    call = urllib.request.Request(
        os.environ["LYSS_SANDBOX_ANTHROPIC"] + "/v1/messages",
        data=json.dumps(body).encode(),
        headers={"x-api-key": DIRECT_KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"},
    )
    with urllib.request.urlopen(call, timeout=60) as answer:
        return json.load(answer)


def anthropic_text(message):
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def anthropic_tokens(message):
    """Input (with what came from or went to the cache) and output."""
    usage = message["usage"]
    cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
    return usage["input_tokens"] + cached, usage["output_tokens"]


def tokens(usage):
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    return usage.prompt_tokens, usage.completion_tokens


def without_ids(value):
    """Every field as the package read it, but for the ids that count up."""
    if isinstance(value, dict):
        return {name: without_ids(inner) for name, inner in value.items() if name != "id"}
    if isinstance(value, list):
        return [without_ids(inner) for inner in value]
    return value


def fields(answer):
    """An answer, or the list of a stream's chunks."""
    return without_ids([chunk.model_dump() for chunk in answer] if isinstance(answer, list) else answer.model_dump())


def streamed(through, body):
    with through.chat.completions.create(**body, stream=True) as stream:
        return list(stream)


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def finish_of(chunks):
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert [reason for reason in reasons if reason] == [reasons[-1]], "one finish reason, in the last choice"
    return reasons[-1]


def tool_calls_of(chunks):
    """Name and joined arguments of each streamed call, in order."""
    calls = {}
    for chunk in chunks:
        for part in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            name, arguments, call_id = calls.get(part.index, ("", "", ""))
            function = part.function
            calls[part.index] = (
                name + (function and function.name or ""),
                arguments + (function and function.arguments or ""),
                call_id + (part.id or ""),
            )
    assert sorted(calls) == list(range(len(calls)))
    assert all(call_id for _, _, call_id in calls.values())
    return [calls[index][:2] for index in sorted(calls)]


# Chat.


@pytest.mark.parametrize("model", OPENAI_KIND)
def test_chat_is_what_the_vendor_said(gateway, vendors, model):
    answer = gateway.chat.completions.create(**request(model))

    assert answer.id
    assert answer.choices[0].message.content
    assert fields(answer) == fields(vendors[model].chat.completions.create(**request(model)))


def test_chat_is_what_anthropic_said(gateway):
    answer = gateway.chat.completions.create(**request(ANTHROPIC_MODEL))
    said = ask_anthropic()

    assert answer.object == "chat.completion"
    assert answer.id
    assert answer.model == said["model"]
    assert len(answer.choices) == 1
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == anthropic_text(said) != ""
    assert answer.choices[0].finish_reason == "stop"
    assert tokens(answer.usage) == anthropic_tokens(said)


@pytest.mark.parametrize("model", MODELS)
def test_a_short_limit_is_the_finish_reason(gateway, model):
    answer = gateway.chat.completions.create(**{**request(model), "max_tokens": 3})

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3


# Streams.


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("model", OPENAI_KIND)
def test_a_stream_is_what_the_vendor_streamed(gateway, vendors, model, include_usage):
    body = request(model, **({"stream_options": {"include_usage": True}} if include_usage else {}))
    chunks = streamed(gateway, body)

    assert text_of(chunks)
    assert fields(chunks) == fields(streamed(vendors[model], body))


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_what_the_whole_answer_says(gateway, model):
    whole = gateway.chat.completions.create(**request(model))
    chunks = streamed(gateway, request(model, stream_options={"include_usage": True}))

    assert len(chunks) > 3, "it came in pieces"
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk.model for chunk in chunks} == {whole.model}
    assert text_of(chunks) == whole.choices[0].message.content
    assert finish_of(chunks) == whole.choices[0].finish_reason == "stop"
    assert tokens(chunks[-1].usage) == tokens(whole.usage)
    assert not any(chunk.usage for chunk in chunks[:-1])


def test_a_stream_is_what_anthropic_said(gateway):
    chunks = streamed(gateway, request(ANTHROPIC_MODEL, stream_options={"include_usage": True}))
    said = ask_anthropic()

    assert chunks[0].choices[0].delta.role == "assistant"
    assert text_of(chunks) == anthropic_text(said)
    assert chunks[-1].choices == []
    assert tokens(chunks[-1].usage) == anthropic_tokens(said)


@pytest.mark.parametrize("model", ["gpt-4o-mini", ANTHROPIC_MODEL])
def test_usage_nobody_asked_for_is_not_streamed(gateway, model):
    chunks = streamed(gateway, request(model))

    assert text_of(chunks)
    assert not any(chunk.usage for chunk in chunks)
    assert all(chunk.choices for chunk in chunks), "the gateway's own usage chunk stays inside"


# Tools.


@pytest.mark.parametrize("model", OPENAI_KIND)
def test_tool_calls_are_what_the_vendor_said(gateway, vendors, model):
    answer = gateway.chat.completions.create(**tool_request(model))

    (call,) = answer.choices[0].message.tool_calls
    assert call.id and call.type == "function"
    assert call.function.name == WEATHER["name"]
    assert json.loads(call.function.arguments).keys() == WEATHER["parameters"]["properties"].keys()
    assert fields(answer) == fields(vendors[model].chat.completions.create(**tool_request(model)))


@pytest.mark.parametrize("model", OPENAI_KIND)
def test_streamed_tool_calls_are_what_the_vendor_streamed(gateway, vendors, model):
    body = tool_request(model, stream_options={"include_usage": True})

    assert fields(streamed(gateway, body)) == fields(streamed(vendors[model], body))


def test_tool_calls_are_what_anthropic_said(gateway):
    answer = gateway.chat.completions.create(**tool_request(ANTHROPIC_MODEL))
    said = ask_anthropic(with_tool=True)

    calls = [(call.function.name, json.loads(call.function.arguments)) for call in answer.choices[0].message.tool_calls]
    assert calls == [(block["name"], block["input"]) for block in said["content"] if block["type"] == "tool_use"]
    assert len(calls) == 1
    assert (answer.choices[0].message.content or "") == anthropic_text(said)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert tokens(answer.usage) == anthropic_tokens(said)


@pytest.mark.parametrize("model", MODELS)
def test_streamed_tool_calls_say_what_the_whole_answer_says(gateway, model):
    message = gateway.chat.completions.create(**tool_request(model)).choices[0].message
    chunks = streamed(gateway, tool_request(model))

    streamed_calls = [(name, json.loads(arguments)) for name, arguments in tool_calls_of(chunks)]
    assert streamed_calls == [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]
    assert text_of(chunks) == (message.content or "")
    assert finish_of(chunks) == "tool_calls"


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_result_is_answered(gateway, model):
    body = tool_request(model)
    asked = gateway.chat.completions.create(**body).choices[0].message
    result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "17 degrees and windy"}
    body["messages"] += [asked.model_dump(exclude_none=True), result]

    answer = gateway.chat.completions.create(**body)

    assert answer.choices[0].finish_reason == "stop"
    assert "17 degrees and windy" in answer.choices[0].message.content


# Errors and the list.


def assert_openai_error(error):
    """The package found OpenAI's error object, with a message for people and a type for programs."""
    assert isinstance(error.body, dict)
    assert error.body["message"]
    assert error.body["type"]
    assert "code" in error.body and "param" in error.body


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_an_openai_error(gateway, stream):
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)) as caught:
        gateway.chat.completions.create(**request("no-such-model"), stream=stream)

    assert_openai_error(caught.value)
    assert caught.value.code == "model_not_found"


def test_a_wrong_key_is_an_openai_error(gateway):
    with pytest.raises(openai.AuthenticationError) as caught:
        gateway.with_options(api_key="sk-lyss-wrong").chat.completions.create(**request("gpt-4o-mini"))

    assert_openai_error(caught.value)
    assert caught.value.code == "invalid_api_key"
    assert "sk-lyss-wrong" not in str(caught.value)


def test_models_are_listed(gateway):
    listed = {model.id: model for model in gateway.models.list()}

    assert listed.keys() >= set(MODELS)
    assert {model.object for model in listed.values()} == {"model"}

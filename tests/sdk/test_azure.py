"""`openai.AzureOpenAI`, whose deployments are the gateway's models, through a vendor of every kind."""

import json

import openai
import pytest

from kinds import CALLED_WITH, MODELS, PNG_URL, QUESTION, SEEING, WEATHER_SCHEMA

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": WEATHER_SCHEMA}}]


def ask(model, **more):
    return {"model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 200, **more}


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_is_the_same_answer(azure, model):
    whole = azure.chat.completions.create(**ask(model)).choices[0]
    chunks = list(azure.chat.completions.create(**ask(model), stream=True))

    assert whole.message.content and whole.finish_reason == "stop"
    pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(pieces) == whole.message.content


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_is_called_and_its_result_answered(azure, model):
    body = ask(model, tools=TOOLS)
    message = azure.chat.completions.create(**body).choices[0].message
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == CALLED_WITH["get_weather"]

    result = {"role": "tool", "tool_call_id": call.id, "content": "17 degrees"}
    body["messages"] += [message.model_dump(exclude_none=True), result]
    assert "17 degrees" in azure.chat.completions.create(**body).choices[0].message.content


@pytest.mark.parametrize("model", SEEING)
def test_a_picture_is_seen(azure, model):
    picture = {"type": "image_url", "image_url": {"url": PNG_URL}}
    body = ask(model)
    blind = azure.chat.completions.create(**body).usage.prompt_tokens
    body["messages"] = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, picture]}]

    assert azure.chat.completions.create(**body).usage.prompt_tokens >= blind + 80


@pytest.mark.parametrize(("status", "raised"), [(400, openai.BadRequestError), (429, openai.RateLimitError)])
@pytest.mark.parametrize("model", MODELS)
def test_a_vendors_refusal_is_the_packages_exception(azure, model, status, raised):
    with pytest.raises(raised) as caught:
        azure.chat.completions.create(**ask(f"{model}+status={status}"))

    assert caught.value.body["message"]


def test_a_blocked_prompt_keeps_azures_reasons(azure):
    with pytest.raises(openai.BadRequestError) as caught:
        azure.chat.completions.create(**ask("azure-gpt-4o-mini+blocked"))

    assert caught.value.code == "content_filter"
    assert caught.value.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"


@pytest.mark.parametrize("model", ["text-embedding-3-small", "gemini-embedding-001"])
def test_embeddings(azure, model):
    answer = azure.embeddings.create(model=model, input=["one", "two"])

    assert len(answer.data) == 2 and len(answer.data[0].embedding) > 100


def test_an_unknown_deployment(azure):
    with pytest.raises(openai.NotFoundError):
        azure.chat.completions.create(**ask("no-such-deployment"))


def test_a_wrong_key(azure):
    with pytest.raises(openai.AuthenticationError):
        azure.with_options(api_key="sk-lyss-wrong").chat.completions.create(**ask("azure-gpt-4o-mini"))

"""OpenAI's responses by the `openai` package through a vendor of every kind."""

import json

import openai
import pytest
from pydantic import BaseModel

from kinds import (
    CALLED_WITH,
    KINDS,
    MAX_TOKENS,
    MODELS,
    PERSON_SCHEMA,
    PNG_URL,
    QUESTION,
    RESPONSES_ONLY,
    RESULTS,
    SEEING,
    SYSTEM,
    TIME_SCHEMA,
    WEATHER_SCHEMA,
    assert_is_person,
)

TOOLS = [
    {"type": "function", "name": "get_weather", "description": "Weather", "parameters": WEATHER_SCHEMA, "strict": False},
    {"type": "function", "name": "get_time", "description": "Time", "parameters": TIME_SCHEMA, "strict": False},
]
THINKERS = [
    "o4-mini",
    "gpt-5",
    "deepseek-reasoner",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5+redacted",
    "gemini-2.5-pro",
    "gemini-3-pro-preview",
    "gemini-3-pro-preview+tools=3",
]
THINKING = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
    "max_output_tokens": 6000,
}


def ask(model, **more):
    said = [{"role": "user", "content": QUESTION}]
    return {"model": model, "instructions": SYSTEM, "input": said, "max_output_tokens": MAX_TOKENS, **more}


def answered(gateway, body, streamed):
    if not streamed:
        return gateway.responses.create(**body)
    with gateway.responses.stream(**body) as stream:
        numbers = [event.sequence_number for event in stream]
        assert numbers == list(range(len(numbers)))
        return stream.get_final_response()


def calls_of(response):
    return [item for item in response.output if item.type == "function_call"]


def results_of(response):
    return [
        {"type": "function_call_output", "call_id": call.call_id, "output": RESULTS[call.name]}
        for call in calls_of(response)
    ]


def as_input(response):
    """The items as a caller sends them back."""
    return [item.model_dump(exclude_none=True, exclude={"parsed_arguments", "status"}) for item in response.output]


@pytest.mark.parametrize("model", [*MODELS, RESPONSES_ONLY])
def test_a_response(gateway, model):
    response = gateway.responses.create(**ask(model, max_output_tokens=2000))

    assert response.status == "completed"
    assert response.output_text
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_is_the_same_answer(gateway, model):
    whole = gateway.responses.create(**ask(model))
    text = ""
    with gateway.responses.stream(**ask(model)) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                text += event.delta
        final = stream.get_final_response()

    assert text == final.output_text == whole.output_text != ""
    assert final.status == whole.status == "completed"
    assert final.usage.model_dump() == whole.usage.model_dump()


@pytest.mark.parametrize("model", MODELS)
def test_a_plain_text_is_an_input(gateway, model):
    assert gateway.responses.create(model=model, input=QUESTION).output_text


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_parallel_tool_calls_and_their_results(gateway, model, streamed):
    body = ask(model, tools=TOOLS)
    response = answered(gateway, body, streamed)

    calls = calls_of(response)
    assert [(call.name, json.loads(call.arguments)) for call in calls] == list(CALLED_WITH.items())
    assert len({call.call_id for call in calls}) == 2

    body["input"] += [*as_input(response), *results_of(response)]
    assert RESULTS["get_time"] in answered(gateway, body, streamed).output_text


@pytest.mark.parametrize("model", MODELS)
def test_the_tool_that_was_named_is_called(gateway, model):
    response = gateway.responses.create(**ask(model, tools=TOOLS, tool_choice={"type": "function", "name": "get_time"}))

    assert [call.name for call in calls_of(response)] == ["get_time"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", THINKERS)
def test_what_was_thought_comes_back_with_a_tools_result(gateway, model, streamed):
    """The simulated vendors refuse a next turn without the signatures they gave."""
    body = ask(model, tools=TOOLS, **{**THINKING})
    first = answered(gateway, body, streamed)
    assert calls_of(first)

    body["input"] += [*as_input(first), *results_of(first)]
    second = answered(gateway, body, streamed)
    assert "The tool answered" in second.output_text

    body["input"] += [*as_input(second), {"role": "user", "content": "And tomorrow?"}]
    assert calls_of(answered(gateway, body, streamed))


@pytest.mark.parametrize("model", MODELS)
def test_structured_output(gateway, model):
    if model == KINDS["deepseek"]:
        said = [{"role": "user", "content": "A person, as JSON."}]
        body = ask(model, input=said, text={"format": {"type": "json_object"}})
        assert isinstance(json.loads(gateway.responses.create(**body).output_text), dict)
        return
    schema = {"type": "json_schema", "name": "person", "schema": PERSON_SCHEMA, "strict": True}
    whole = gateway.responses.create(**ask(model, text={"format": schema})).output_text

    assert_is_person(json.loads(whole))
    assert json.loads(answered(gateway, ask(model, text={"format": schema}), True).output_text) == json.loads(whole)


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("model", [model for model in MODELS if model != KINDS["deepseek"]])
def test_the_package_parses_a_model_of_its_own(gateway, model):
    assert isinstance(gateway.responses.parse(**ask(model), text_format=Person).output_parsed, Person)


@pytest.mark.parametrize("model", SEEING)
def test_a_picture_is_seen(gateway, model):
    blind = gateway.responses.create(**ask(model))
    picture = {"type": "input_image", "image_url": PNG_URL, "detail": "low"}
    said = [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}, picture]}]
    seeing = gateway.responses.create(**ask(model, input=said))

    assert seeing.output_text
    assert seeing.usage.input_tokens >= blind.usage.input_tokens + 80


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_limit_leaves_the_answer_incomplete(gateway, model, streamed):
    body = ask(model + "+words=60", max_output_tokens=16)
    if streamed:
        # The package's own gathering knows complete answers only.
        last = list(gateway.responses.create(**body, stream=True))[-1]
        assert last.type == "response.incomplete"
        response = last.response
    else:
        response = gateway.responses.create(**body)

    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage.output_tokens == 16


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_a_vendors_refusal_is_the_packages_exception(gateway, model, status, raised, streamed):
    # A channel is left alone for so long: each case has a wait, and so a model, of its own.
    wait = 23 + streamed
    with pytest.raises(raised) as caught:
        gateway.responses.create(**ask(f"{model}+status={status}+retry_after={wait}"), stream=streamed)

    assert caught.value.body["message"]
    if status == 429:
        assert caught.value.response.headers["retry-after"] == str(wait)


@pytest.mark.parametrize("model", MODELS)
def test_an_error_inside_a_stream_is_said(gateway, model):
    """The package raises for an `error` event; for `response.failed` it hands the event over."""
    kinds = []
    try:
        kinds += [event.type for event in gateway.responses.create(**ask(model + "+words=60+error_event=9"), stream=True)]
    except openai.APIError:
        kinds.append("error")

    assert kinds[-1] in ("error", "response.failed")
    assert "response.completed" not in kinds


def test_an_unknown_model(gateway):
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)) as caught:
        gateway.responses.create(**ask("no-such-model"))

    assert caught.value.code == "model_not_found"

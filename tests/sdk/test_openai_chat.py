"""Chat by the `openai` package through a vendor of every kind. What the vendors say word for word is held in
test_openai.py; here it is that every feature works the same whoever serves."""

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
    {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER_SCHEMA}},
    {"type": "function", "function": {"name": "get_time", "description": "Time", "parameters": TIME_SCHEMA}},
]
# Models that think, with what makes them: their next turn needs what they thought.
THINKERS = {
    "o4-mini": {"reasoning_effort": "low"},
    "gpt-5": {"reasoning_effort": "low"},
    "deepseek-reasoner": {},
    "claude-sonnet-4-5": {"reasoning_effort": "low"},
    "claude-sonnet-4-5+redacted": {"reasoning_effort": "low"},
    "gemini-2.5-pro": {"reasoning_effort": "low"},
    "gemini-3-pro-preview": {},
    "gemini-3-pro-preview+tools=3": {"reasoning_effort": "high"},
}


def ask(model, **more):
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    return {"model": model, "max_completion_tokens": MAX_TOKENS, "messages": messages, **more}


def gathered(gateway, body):
    """A stream as its package puts it together, and its chunks."""
    with gateway.chat.completions.stream(**body, stream_options={"include_usage": True}) as stream:
        chunks = [event.chunk for event in stream if event.type == "chunk"]
        return stream.get_final_completion(), chunks


def finish_of(stream):
    (finish,) = [choice.finish_reason for chunk in stream for choice in chunk.choices if choice.finish_reason]
    return finish


def calls_of(message):
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]


def results_of(message):
    return [
        {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]} for call in message.tool_calls
    ]


@pytest.mark.parametrize("model", [*MODELS, RESPONSES_ONLY])
def test_chat(gateway, model):
    answer = gateway.chat.completions.create(**ask(model, max_completion_tokens=2000))

    (choice,) = answer.choices
    assert choice.message.role == "assistant" and choice.message.content
    assert choice.finish_reason == "stop"
    assert answer.created > 1_600_000_000
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_is_the_same_answer(gateway, model):
    whole = gateway.chat.completions.create(**ask(model))
    final, chunks = gathered(gateway, ask(model))

    assert len(chunks) > 3
    assert final.choices[0].message.content == whole.choices[0].message.content
    assert final.choices[0].finish_reason == whole.choices[0].finish_reason
    assert final.usage.model_dump() == whole.usage.model_dump()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_parallel_tool_calls_and_their_results(gateway, model, streamed):
    body = ask(model, tools=TOOLS)
    if streamed:
        choice = gathered(gateway, body)[0].choices[0]
    else:
        choice = gateway.chat.completions.create(**body).choices[0]

    assert choice.finish_reason == "tool_calls"
    assert calls_of(choice.message) == list(CALLED_WITH.items())
    assert len({call.id for call in choice.message.tool_calls}) == 2

    body["messages"] += [choice.message.model_dump(exclude_none=True), *results_of(choice.message)]
    second = gateway.chat.completions.create(**body).choices[0]
    assert second.finish_reason == "stop"
    assert RESULTS["get_time"] in second.message.content


@pytest.mark.parametrize("model", MODELS)
def test_the_tool_that_was_named_is_called(gateway, model):
    choice = {"type": "function", "function": {"name": "get_time"}}
    message = gateway.chat.completions.create(**ask(model, tools=TOOLS, tool_choice=choice)).choices[0].message

    assert calls_of(message) == [("get_time", CALLED_WITH["get_time"])]


@pytest.mark.parametrize("model", MODELS)
def test_no_tool_is_called_where_none_may(gateway, model):
    message = gateway.chat.completions.create(**ask(model, tools=TOOLS, tool_choice="none")).choices[0].message

    assert message.content and not message.tool_calls


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", THINKERS)
def test_what_was_thought_comes_back_with_a_tools_result(gateway, model, streamed):
    """The simulated vendors refuse a next turn without the signatures they gave."""
    body = ask(model, tools=TOOLS, **THINKERS[model], max_completion_tokens=6000)
    if streamed:
        choice = gathered(gateway, body)[0].choices[0]
    else:
        choice = gateway.chat.completions.create(**body).choices[0]
    assert choice.finish_reason == "tool_calls"

    turn = choice.message.model_dump(exclude_none=True)
    body["messages"] += [turn, *results_of(choice.message)]
    second = gateway.chat.completions.create(**body).choices[0]
    assert second.finish_reason == "stop"
    assert "The tool answered" in second.message.content

    body["messages"] += [second.message.model_dump(exclude_none=True), {"role": "user", "content": "And tomorrow?"}]
    third = gateway.chat.completions.create(**body).choices[0]
    assert third.finish_reason == "tool_calls"


@pytest.mark.parametrize("model", ["deepseek-reasoner", "claude-sonnet-4-5+think", "gemini-2.5-pro+think"])
def test_thoughts_are_shown(gateway, model):
    whole = gateway.chat.completions.create(**ask(model, max_completion_tokens=4000)).choices[0].message
    final, _ = gathered(gateway, ask(model, max_completion_tokens=4000))

    assert whole.reasoning_content
    assert final.choices[0].message.reasoning_content == whole.reasoning_content


@pytest.mark.parametrize("model", MODELS)
def test_structured_output(gateway, model):
    if model == KINDS["deepseek"]:
        # It knows JSON, not schemas.
        body = ask(model, response_format={"type": "json_object"})
        body["messages"][-1]["content"] = "A person, as JSON."
        assert isinstance(json.loads(gateway.chat.completions.create(**body).choices[0].message.content), dict)
        return
    schema = {"name": "person", "schema": PERSON_SCHEMA, "strict": True}
    body = ask(model, response_format={"type": "json_schema", "json_schema": schema})
    whole = gateway.chat.completions.create(**body).choices[0].message.content
    streamed, _ = gathered(gateway, body)

    assert_is_person(json.loads(whole))
    assert json.loads(streamed.choices[0].message.content) == json.loads(whole)


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("model", [model for model in MODELS if model != KINDS["deepseek"]])
def test_the_package_parses_a_model_of_its_own(gateway, model):
    answer = gateway.chat.completions.parse(**ask(model), response_format=Person)

    assert isinstance(answer.choices[0].message.parsed, Person)


@pytest.mark.parametrize("model", SEEING)
def test_a_picture_is_seen(gateway, model):
    blind = gateway.chat.completions.create(**ask(model))
    body = ask(model)
    picture = {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}}
    body["messages"][-1]["content"] = [{"type": "text", "text": QUESTION}, picture]
    seeing = gateway.chat.completions.create(**body)

    assert seeing.choices[0].message.content
    # The simulated vendors count a picture with 85 tokens and more.
    assert seeing.usage.prompt_tokens >= blind.usage.prompt_tokens + 80


def test_a_picture_for_a_vendor_without_eyes_is_refused(gateway):
    body = ask(KINDS["deepseek"])
    body["messages"][-1]["content"] = [{"type": "image_url", "image_url": {"url": PNG_URL}}]
    with pytest.raises(openai.BadRequestError):
        gateway.chat.completions.create(**body)


@pytest.mark.parametrize("model", MODELS)
def test_a_limit_ends_the_answer(gateway, model):
    answer = gateway.chat.completions.create(**ask(model, max_completion_tokens=3))
    streamed = gateway.chat.completions.create(**ask(model, max_completion_tokens=3), stream=True)

    assert answer.choices[0].finish_reason == finish_of(streamed) == "length"
    assert answer.usage.completion_tokens == 3


@pytest.mark.parametrize("model", MODELS)
def test_a_stop_word_ends_the_answer(gateway, model):
    whole = gateway.chat.completions.create(**ask(model)).choices[0].message.content
    word = whole.split()[3]
    answer = gateway.chat.completions.create(**ask(model, stop=[word])).choices[0]

    assert answer.finish_reason == "stop"
    assert answer.message.content == whole[: whole.index(word)]


@pytest.mark.parametrize("model", MODELS)
def test_a_filter_ends_the_answer(gateway, model):
    answer = gateway.chat.completions.create(**ask(model + "+finish=content_filter")).choices[0]

    assert answer.finish_reason == "content_filter"
    assert finish_of(gateway.chat.completions.create(**ask(model + "+finish=content_filter"), stream=True)) == (
        "content_filter"
    )


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        # The vendor refused the service's key, not the caller's.
        (401, openai.InternalServerError),
        (403, openai.InternalServerError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_a_vendors_refusal_is_the_packages_exception(gateway, model, status, raised, streamed):
    # A channel is left alone for so long: each case has a wait, and so a model, of its own.
    wait = 21 + streamed
    with pytest.raises(raised) as caught:
        gateway.chat.completions.create(**ask(f"{model}+status={status}+retry_after={wait}"), stream=streamed)

    body = caught.value.body
    assert body["message"]
    # Azure's own words of a caller's mistake are passed on as they are, and have no type.
    assert body.get("type") or (status == 400 and model == KINDS["azure_openai"])
    if status in (429, 503):
        assert caught.value.response.headers["retry-after"] == str(wait)


@pytest.mark.parametrize("model", MODELS)
def test_an_error_inside_a_stream_is_raised(gateway, model):
    pieces = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in gateway.chat.completions.create(**ask(model + "+words=60+error_event=9"), stream=True):
            pieces += [choice.delta.content for choice in chunk.choices]

    assert any(pieces), "text came before it"
    assert caught.value.message


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_is_cut_is_no_success(gateway, model):
    finishes = []
    # The package raises what its HTTP library says where the bytes just end.
    with pytest.raises(Exception, match=".+"):
        for chunk in gateway.chat.completions.create(**ask(model + "+words=60+cut_events=9"), stream=True):
            finishes += [choice.finish_reason for choice in chunk.choices]

    assert finishes and not any(finishes)


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_may_be_left_midway(gateway, model):
    with gateway.chat.completions.create(**ask(model + "+words=2000+gap_ms=5"), stream=True) as stream:
        assert len([chunk for _, chunk in zip(range(5), stream)]) == 5
    assert gateway.chat.completions.create(**ask(model)).choices[0].message.content


@pytest.mark.parametrize("model", MODELS)
def test_what_is_no_request_is_a_bad_one(gateway, model):
    with pytest.raises(openai.BadRequestError) as caught:
        gateway.chat.completions.create(model=model, messages=[{"role": "nobody", "content": "Hi"}])

    assert caught.value.body["message"]

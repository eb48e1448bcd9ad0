"""The official `anthropic` package through a vendor of every kind."""

import json

import anthropic
import pytest

from kinds import (
    CALLED_WITH,
    KINDS,
    MAX_TOKENS,
    MODELS,
    PERSON_SCHEMA,
    PNG_BASE64,
    QUESTION,
    RESPONSES_ONLY,
    RESULTS,
    SEEING,
    SYSTEM,
    TIME_SCHEMA,
    WEATHER_SCHEMA,
    assert_is_person,
)

# The package knows which models will soon be gone.
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")

TOOLS = [
    {"name": "get_weather", "description": "Weather", "input_schema": WEATHER_SCHEMA},
    {"name": "get_time", "description": "Time", "input_schema": TIME_SCHEMA},
]
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 6000}
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


def ask(model, **more):
    return {
        "model": model,
        "max_tokens": MAX_TOKENS,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": QUESTION}],
        **more,
    }


def answered(claude, body, streamed):
    if not streamed:
        return claude.messages.create(**body)
    with claude.messages.stream(**body) as stream:
        return stream.get_final_message()


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def calls_of(message):
    return [block for block in message.content if block.type == "tool_use"]


def as_turn(message):
    return {"role": "assistant", "content": [block.to_dict() for block in message.content]}


def results_of(message):
    blocks = [
        {"type": "tool_result", "tool_use_id": call.id, "content": RESULTS[call.name]} for call in calls_of(message)
    ]
    return {"role": "user", "content": blocks}


@pytest.mark.parametrize("model", [*MODELS, RESPONSES_ONLY])
def test_a_message(claude, model):
    message = claude.messages.create(**ask(model, max_tokens=2000))

    assert message.type == "message" and message.role == "assistant"
    assert text_of(message)
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_is_the_same_answer(claude, model):
    whole = claude.messages.create(**ask(model))
    with claude.messages.stream(**ask(model)) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    assert text == text_of(final) == text_of(whole) != ""
    assert final.stop_reason == whole.stop_reason == "end_turn"
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.usage.input_tokens == whole.usage.input_tokens


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_parallel_tool_calls_and_their_results(claude, model, streamed):
    body = ask(model, tools=TOOLS)
    message = answered(claude, body, streamed)

    assert message.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls_of(message)] == list(CALLED_WITH.items())
    assert len({call.id for call in calls_of(message)}) == 2

    body["messages"] += [as_turn(message), results_of(message)]
    second = answered(claude, body, streamed)
    assert second.stop_reason == "end_turn"
    assert RESULTS["get_time"] in text_of(second)


@pytest.mark.parametrize("model", MODELS)
def test_one_call_where_parallel_ones_are_off(claude, model):
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    raw = claude.messages.with_raw_response.create(**ask(model, tools=TOOLS, tool_choice=choice))

    if model in (KINDS["google"], KINDS["deepseek"]):
        # They have no such switch: both calls come, and the loss is named.
        assert raw.headers["x-lyss-conversion-loss"]
    else:
        assert len(calls_of(raw.parse())) == 1


@pytest.mark.parametrize("model", MODELS)
def test_the_tool_that_was_named_is_called(claude, model):
    message = claude.messages.create(**ask(model, tools=TOOLS, tool_choice={"type": "tool", "name": "get_time"}))

    assert [call.name for call in calls_of(message)] == ["get_time"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", THINKERS)
def test_what_was_thought_comes_back_with_a_tools_result(claude, model, streamed):
    """The simulated vendors refuse a next turn without the signatures they gave."""
    body = ask(model, tools=TOOLS, **BUDGET)
    first = answered(claude, body, streamed)
    assert first.stop_reason == "tool_use"

    body["messages"] += [as_turn(first), results_of(first)]
    second = answered(claude, body, streamed)
    assert "The tool answered" in text_of(second)

    body["messages"] += [as_turn(second), {"role": "user", "content": "And tomorrow?"}]
    assert calls_of(answered(claude, body, streamed))


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "deepseek-reasoner", "gemini-2.5-pro"])
def test_thoughts_are_shown(claude, model):
    whole = answered(claude, ask(model, **BUDGET), False)
    final = answered(claude, ask(model, **BUDGET), True)

    def thoughts(message):
        return "".join(block.thinking for block in message.content if block.type == "thinking")

    assert thoughts(whole) == thoughts(final) != ""
    assert whole.content[0].type == final.content[0].type == "thinking"


@pytest.mark.parametrize("model", [model for model in MODELS if model != KINDS["deepseek"]])
def test_structured_output(claude, model):
    wanted = {"format": {"type": "json_schema", "schema": PERSON_SCHEMA}}
    whole = answered(claude, ask(model, output_config=wanted), False)

    assert_is_person(json.loads(text_of(whole)))
    assert text_of(answered(claude, ask(model, output_config=wanted), True)) == text_of(whole)


@pytest.mark.parametrize("model", SEEING)
def test_a_picture_is_seen(claude, model):
    blind = claude.messages.create(**ask(model))
    source = {"type": "base64", "media_type": "image/png", "data": PNG_BASE64}
    said = [{"type": "text", "text": QUESTION}, {"type": "image", "source": source}]
    seeing = claude.messages.create(**ask(model, messages=[{"role": "user", "content": said}]))

    assert text_of(seeing)
    assert seeing.usage.input_tokens >= blind.usage.input_tokens + 80


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_limit_ends_the_answer(claude, model, streamed):
    message = answered(claude, ask(model, max_tokens=3), streamed)

    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 3


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_stop_sequence_ends_the_answer(claude, model, streamed):
    whole = text_of(claude.messages.create(**ask(model)))
    word = whole.split()[3]
    message = answered(claude, ask(model, stop_sequences=[word]), streamed)

    # OpenAI's kinds do not say that it was a sequence that ended the answer.
    assert message.stop_reason in ("stop_sequence", "end_turn")
    assert text_of(message) == whole[: whole.index(word)]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_filter_is_a_refusal(claude, model, streamed):
    assert answered(claude, ask(model + "+finish=content_filter"), streamed).stop_reason == "refusal"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("status", "raised", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_a_vendors_refusal_is_the_packages_exception(claude, model, status, raised, kind, streamed):
    # A channel is left alone for so long: each case has a wait, and so a model, of its own.
    wait = 25 + streamed
    with pytest.raises(raised) as caught:
        claude.messages.create(**ask(f"{model}+status={status}+retry_after={wait}"), stream=streamed)

    error = caught.value.body["error"]
    assert caught.value.body["type"] == "error" and error["message"]
    if status != 529:
        assert error["type"] == kind
    if status == 429:
        assert caught.value.response.headers["retry-after"] == str(wait)


@pytest.mark.parametrize("model", MODELS)
def test_an_error_inside_a_stream_is_raised(claude, model):
    pieces = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        with claude.messages.stream(**ask(model + "+words=60+error_event=9")) as stream:
            for text in stream.text_stream:
                pieces.append(text)

    assert pieces
    assert caught.value.body["error"]["message"]


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_may_be_left_midway(claude, model):
    with claude.messages.stream(**ask(model + "+words=2000+gap_ms=5", max_tokens=4000)) as stream:
        assert len([event for _, event in zip(range(5), stream)]) == 5
    assert text_of(claude.messages.create(**ask(model)))


def test_an_unknown_model(claude):
    with pytest.raises(anthropic.NotFoundError) as caught:
        claude.messages.create(**ask("no-such-model"))

    assert caught.value.body["error"]["type"] == "not_found_error"


def test_a_wrong_key(claude):
    with pytest.raises(anthropic.AuthenticationError) as caught:
        claude.with_options(api_key="sk-lyss-wrong").messages.create(**ask(KINDS["anthropic"]))

    assert caught.value.body["error"]["type"] == "authentication_error"
    assert "sk-lyss-wrong" not in str(caught.value)


@pytest.mark.parametrize("model", MODELS)
def test_no_messages_is_a_bad_request(claude, model):
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(**ask(model, messages=[]))


@pytest.mark.parametrize("model", MODELS)
def test_tokens_are_counted(claude, model):
    body = ask(model, tools=TOOLS)
    del body["max_tokens"]
    more = {**body, "messages": [{"role": "user", "content": QUESTION * 20}]}

    little, much = claude.messages.count_tokens(**body), claude.messages.count_tokens(**more)
    assert 0 < little.input_tokens < much.input_tokens


def test_counted_tokens_are_the_prompts(claude):
    model = KINDS["anthropic"]
    body = ask(model)
    del body["max_tokens"]

    assert claude.messages.count_tokens(**body).input_tokens == claude.messages.create(**ask(model)).usage.input_tokens


def test_models_are_listed(claude):
    listed = {model.id: model for model in claude.models.list(limit=1000)}

    assert listed.keys() >= set(MODELS)
    assert {model.type for model in listed.values()} == {"model"}
    assert claude.models.retrieve(KINDS["google"]).id == KINDS["google"]

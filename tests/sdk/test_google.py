"""The official `google-genai` package through a vendor of every kind."""

import json

import pytest
from google.genai import errors, types
from pydantic import BaseModel

from kinds import (
    CALLED_WITH,
    KINDS,
    MAX_TOKENS,
    MODELS,
    PERSON_SCHEMA,
    PNG,
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
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="get_weather", description="Weather", parameters_json_schema=WEATHER_SCHEMA),
            types.FunctionDeclaration(name="get_time", description="Time", parameters_json_schema=TIME_SCHEMA),
        ]
    )
]
LOW = types.ThinkingConfig(thinking_budget=2048, include_thoughts=True)
# The third generation and OpenAI's think in levels.
LEVEL = types.ThinkingConfig(thinking_level="low", include_thoughts=True)
THINKERS = {
    "o4-mini": LOW,
    "gpt-5": LEVEL,
    "deepseek-reasoner": None,
    "claude-sonnet-4-5": LOW,
    "claude-sonnet-4-5+redacted": LOW,
    "gemini-2.5-pro": LOW,
    "gemini-3-pro-preview": LEVEL,
    "gemini-3-pro-preview+tools=3": LEVEL,
}


def ask(model, contents=QUESTION, **config):
    # Calls are made here and not by the package itself.
    settings = {
        "system_instruction": SYSTEM,
        "max_output_tokens": MAX_TOKENS,
        "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True),
        **config,
    }
    return {"model": model, "contents": contents, "config": types.GenerateContentConfig(**settings)}


def said(role, *parts):
    return types.Content(role=role, parts=list(parts))


def chunks_of(gemini, body):
    return list(gemini.models.generate_content_stream(**body))


def parts_of(gemini, body, streamed):
    """All parts of the answer, and the last reason to finish."""
    answers = chunks_of(gemini, body) if streamed else [gemini.models.generate_content(**body)]
    candidates = [candidate for answer in answers for candidate in answer.candidates or []]
    parts = [part for it in candidates if it.content for part in it.content.parts or []]
    return parts, candidates[-1].finish_reason


def text_of(parts):
    return "".join(part.text for part in parts if part.text and not part.thought)


def calls_of(parts):
    return [part.function_call for part in parts if part.function_call]


def results_of(parts):
    return said(
        "user",
        *[
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"output": RESULTS[call.name]}
                )
            )
            for call in calls_of(parts)
        ],
    )


@pytest.mark.parametrize("model", [*MODELS, RESPONSES_ONLY])
def test_an_answer(gemini, model):
    answer = gemini.models.generate_content(**ask(model, max_output_tokens=2000))

    assert answer.text
    assert answer.candidates[0].content.role == "model"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    thought = usage.thoughts_token_count or 0
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count + thought > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_is_the_same_answer(gemini, model):
    whole = gemini.models.generate_content(**ask(model))
    chunks = chunks_of(gemini, ask(model))

    assert len(chunks) > 1
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text != ""
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    last, usage = chunks[-1].usage_metadata, whole.usage_metadata
    assert last.total_token_count == usage.total_token_count
    assert last.candidates_token_count == usage.candidates_token_count


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_parallel_function_calls_and_their_results(gemini, model, streamed):
    contents = [said("user", types.Part(text=QUESTION))]
    parts, _ = parts_of(gemini, ask(model, contents, tools=TOOLS), streamed)

    assert [(call.name, call.args) for call in calls_of(parts)] == list(CALLED_WITH.items())

    contents += [said("model", *parts), results_of(parts)]
    parts, finish = parts_of(gemini, ask(model, contents, tools=TOOLS), streamed)
    assert finish == types.FinishReason.STOP
    assert RESULTS["get_time"] in text_of(parts)


@pytest.mark.parametrize("model", MODELS)
def test_the_function_that_was_allowed_is_called(gemini, model):
    only = types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_time"])
    body = ask(model, tools=TOOLS, tool_config=types.ToolConfig(function_calling_config=only))

    assert [call.name for call in calls_of(parts_of(gemini, body, False)[0])] == ["get_time"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", THINKERS)
def test_what_was_thought_comes_back_with_a_functions_result(gemini, model, streamed):
    """The simulated vendors refuse a next turn without the signatures they gave."""
    contents = [said("user", types.Part(text=QUESTION))]
    config = {"tools": TOOLS, "thinking_config": THINKERS[model], "max_output_tokens": 6000}
    first, _ = parts_of(gemini, ask(model, contents, **config), streamed)
    assert calls_of(first)

    contents += [said("model", *first), results_of(first)]
    second, _ = parts_of(gemini, ask(model, contents, **config), streamed)
    assert "The tool answered" in text_of(second)

    contents += [said("model", *second), said("user", types.Part(text="And tomorrow?"))]
    assert calls_of(parts_of(gemini, ask(model, contents, **config), streamed)[0])


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "deepseek-reasoner", "gemini-2.5-pro"])
def test_thoughts_are_shown(gemini, model):
    body = ask(model, thinking_config=LOW, max_output_tokens=6000)

    def thoughts(streamed):
        return "".join(part.text for part in parts_of(gemini, body, streamed)[0] if part.thought)

    assert thoughts(False) == thoughts(True) != ""


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", [model for model in MODELS if model != KINDS["deepseek"]])
def test_structured_output(gemini, model, streamed):
    body = ask(model, response_mime_type="application/json", response_json_schema=PERSON_SCHEMA)

    assert_is_person(json.loads(text_of(parts_of(gemini, body, streamed)[0])))


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("model", [model for model in MODELS if model != KINDS["deepseek"]])
def test_the_package_parses_a_model_of_its_own(gemini, model):
    answer = gemini.models.generate_content(
        **ask(model, response_mime_type="application/json", response_schema=Person)
    )

    assert isinstance(answer.parsed, Person)


def test_json_of_a_vendor_without_schemas(gemini):
    body = ask(KINDS["deepseek"], "A person, as JSON.", response_mime_type="application/json")

    assert isinstance(json.loads(gemini.models.generate_content(**body).text), dict)


@pytest.mark.parametrize("model", SEEING)
def test_a_picture_is_seen(gemini, model):
    blind = gemini.models.generate_content(**ask(model))
    seeing = gemini.models.generate_content(
        **ask(model, [types.Part(text=QUESTION), types.Part.from_bytes(data=PNG, mime_type="image/png")])
    )

    assert seeing.text
    assert seeing.usage_metadata.prompt_token_count >= blind.usage_metadata.prompt_token_count + 80


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_limit_ends_the_answer(gemini, model, streamed):
    _, finish = parts_of(gemini, ask(model, max_output_tokens=3), streamed)

    assert finish == types.FinishReason.MAX_TOKENS


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_stop_sequence_ends_the_answer(gemini, model, streamed):
    whole = gemini.models.generate_content(**ask(model)).text
    word = whole.split()[3]
    parts, finish = parts_of(gemini, ask(model, stop_sequences=[word]), streamed)

    assert finish == types.FinishReason.STOP
    assert text_of(parts) == whole[: whole.index(word)]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_filter_ends_the_answer(gemini, model, streamed):
    _, finish = parts_of(gemini, ask(model + "+finish=content_filter"), streamed)

    assert finish == types.FinishReason.SAFETY


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("status", "raised", "word"),
    [
        (400, errors.ClientError, "INVALID_ARGUMENT"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (500, errors.ServerError, "INTERNAL"),
        (503, errors.ServerError, "UNAVAILABLE"),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_a_vendors_refusal_is_the_packages_exception(gemini, model, status, raised, word, streamed):
    # A channel is left alone for so long: each case has a wait, and so a model, of its own.
    wait = 27 + streamed
    body = ask(f"{model}+status={status}+retry_after={wait}")
    with pytest.raises(raised) as caught:
        parts_of(gemini, body, streamed)

    assert caught.value.message
    assert caught.value.status == word or status in (500, 503)
    if status == 429:
        assert caught.value.response.headers["retry-after"] == str(wait)
        (retry,) = [it for it in caught.value.details["error"]["details"] if it["@type"].endswith("RetryInfo")]
        assert retry["retryDelay"] == f"{wait}s"


@pytest.mark.parametrize("model", MODELS)
def test_an_error_inside_a_stream_is_raised(gemini, model):
    texts = []
    with pytest.raises(errors.APIError) as caught:
        for chunk in gemini.models.generate_content_stream(**ask(model + "+words=60+error_event=9")):
            texts.append(chunk.text)

    assert any(texts)
    assert caught.value.code >= 500


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_may_be_left_midway(gemini, model):
    stream = gemini.models.generate_content_stream(**ask(model + "+words=2000+gap_ms=5", max_output_tokens=4000))
    assert len([chunk for _, chunk in zip(range(3), stream)]) == 3
    stream.close()
    assert gemini.models.generate_content(**ask(model)).text


def test_an_unknown_model(gemini):
    with pytest.raises(errors.ClientError) as caught:
        gemini.models.generate_content(**ask("no-such-model"))

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


@pytest.mark.parametrize("model", MODELS)
def test_what_is_no_request_is_a_bad_one(gemini, model):
    with pytest.raises(errors.ClientError) as caught:
        gemini.models.generate_content(**ask(model, [said("nobody", types.Part(text="Hi"))]))

    assert caught.value.code == 400


@pytest.mark.parametrize("model", MODELS)
def test_tokens_are_counted(gemini, model):
    little = gemini.models.count_tokens(model=model, contents=QUESTION)
    much = gemini.models.count_tokens(model=model, contents=QUESTION * 20)

    assert 0 < little.total_tokens < much.total_tokens


def test_embeddings_are_openais_alone(gemini):
    """The gateway has them under OpenAI's paths, also for Google's models."""
    with pytest.raises(errors.ClientError) as caught:
        gemini.models.embed_content(model="gemini-embedding-001", contents=["one", "two"])

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_models_are_listed(gemini):
    listed = {model.name.removeprefix("models/") for model in gemini.models.list()}

    assert listed >= set(MODELS)
    assert gemini.models.get(model=KINDS["anthropic"]).name == "models/" + KINDS["anthropic"]

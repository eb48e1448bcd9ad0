"""The other operations of the `openai` package."""

import base64
import io
import struct

import openai
import pytest

from kinds import PNG

EMBEDDING = ["text-embedding-3-small", "text-embedding-3-large", "gemini-embedding-001", "text-embedding-004"]
UPLOAD_BYTES = 5 << 20


@pytest.mark.parametrize("model", EMBEDDING)
def test_embeddings_as_numbers_and_as_bytes(gateway, model):
    numbers = gateway.embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    packed = gateway.embeddings.create(model=model, input=["one", "two"], encoding_format="base64")

    assert [item.index for item in numbers.data] == [0, 1]
    assert numbers.usage.prompt_tokens == numbers.usage.total_tokens
    for plain, coded in zip(numbers.data, packed.data, strict=True):
        assert len(plain.embedding) > 100
        # The package hands over base64 that was asked for as it came.
        data = base64.b64decode(coded.embedding)
        assert struct.unpack(f"<{len(data) // 4}f", data) == pytest.approx(plain.embedding, rel=1e-5)


@pytest.mark.parametrize("model", EMBEDDING)
def test_embeddings_as_the_package_asks_by_itself(gateway, model):
    answer = gateway.embeddings.create(model=model, input="one")

    assert all(isinstance(number, float) for number in answer.data[0].embedding)
    assert answer.object == "list" and answer.data[0].object == "embedding"


@pytest.mark.parametrize("model", ["text-embedding-3-small", "gemini-embedding-001"])
def test_short_embeddings(gateway, model):
    assert len(gateway.embeddings.create(model=model, input="one", dimensions=256).data[0].embedding) == 256


def test_completions(gateway):
    body = {"model": "gpt-3.5-turbo-instruct", "prompt": "Once upon a time", "max_tokens": 30}
    whole = gateway.completions.create(**body)
    chunks = list(gateway.completions.create(**body, stream=True))

    assert whole.choices[0].text
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == whole.choices[0].text


def test_moderations(gateway):
    named = gateway.moderations.create(model="omni-moderation-latest", input=["a kind word", "another"])

    assert len(named.results) == 2
    assert gateway.moderations.create(input="a kind word").results[0].flagged in (True, False)


def test_pictures(gateway):
    made = gateway.images.generate(model="gpt-image-1", prompt="a grey dot", n=2)

    assert len(made.data) == 2
    assert base64.b64decode(made.data[0].b64_json).startswith(b"\x89PNG")
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens


def test_pictures_are_edited(gateway):
    edited = gateway.images.edit(model="gpt-image-1", prompt="greyer", image=("dot.png", PNG, "image/png"))

    assert base64.b64decode(edited.data[0].b64_json).startswith(b"\x89PNG")


def test_speech(gateway):
    body = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Good morning, and good luck."}
    whole = gateway.audio.speech.create(**body).read()
    with gateway.audio.speech.with_streaming_response.create(**body) as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        pieces = list(answer.iter_bytes(chunk_size=256))

    assert len(pieces) > 1
    assert b"".join(pieces) == whole != b""


@pytest.mark.parametrize("size", [1000, UPLOAD_BYTES])
@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe"])
def test_a_recording_is_transcribed(gateway, model, size):
    """The simulated vendor tells how many bytes of the recording reached it."""
    recording = io.BytesIO(bytes(range(256)) * (size // 256) + bytes(size % 256))
    answer = gateway.audio.transcriptions.create(model=model, file=("speech.wav", recording, "audio/wav"))

    assert str(size) in answer.text


def test_a_transcript_is_streamed(gateway):
    events = gateway.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=("speech.wav", bytes(1000), "audio/wav"), stream=True
    )

    kinds = [event.type for event in events]
    assert kinds[0] == "transcript.text.delta" and kinds[-1] == "transcript.text.done"


@pytest.mark.parametrize(("status", "raised"), [(429, openai.RateLimitError), (500, openai.InternalServerError)])
def test_a_vendors_refusal_is_the_packages_exception(gateway, status, raised):
    with pytest.raises(raised):
        gateway.embeddings.create(model=f"text-embedding-3-small+status={status}", input="one")


def test_what_only_some_vendors_have_is_refused_by_name(gateway):
    with pytest.raises(openai.APIStatusError) as caught:
        gateway.embeddings.create(model="claude-sonnet-4-5", input="one")

    assert 400 <= caught.value.status_code < 500
    assert caught.value.body["message"]


def test_one_model_is_looked_up(gateway):
    assert gateway.models.retrieve("gemini-2.5-flash").id == "gemini-2.5-flash"
    with pytest.raises(openai.NotFoundError):
        gateway.models.retrieve("no-such-model")

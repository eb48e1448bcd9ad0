"""Clients of every package, all towards the gateway. None retries: a retry would hide a failure that a user sees once in
a while. See test_openai.py for the variables `cargo xtask sdk` sets."""

import os

import anthropic
import openai
import pytest
from google import genai

URL = os.environ["LYSS_URL"]
KEY = os.environ["LYSS_KEY"]
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="session")
def gateway():
    with openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0, timeout=TIMEOUT_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def azure():
    with openai.AzureOpenAI(
        azure_endpoint=URL, api_key=KEY, api_version="2024-10-21", max_retries=0, timeout=TIMEOUT_SECONDS
    ) as client:
        yield client


@pytest.fixture(scope="session")
def claude():
    with anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=TIMEOUT_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def gemini():
    return genai.Client(
        api_key=KEY, http_options={"base_url": URL, "api_version": "v1beta", "timeout": TIMEOUT_SECONDS * 1000}
    )

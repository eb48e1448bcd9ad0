"""Schemathesis reads /openapi.json and calls what it finds there, with its default run: nothing may answer with a 5xx,
nothing with a status that the document does not name."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time

import pytest

URL = os.environ["LYSS_URL"]
CHECKS = "not_a_server_error,status_code_conformance"


def token(role):
    """Signed with nothing but the standard library, as any issuer that knows the secret may."""
    tenant = {} if role == "platform_admin" else {"tenant_id": "default"}
    now = int(time.time())
    claims = {"sub": "schemathesis", "role": role, "iat": now, "exp": now + 3600, **tenant}
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")
    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims)
    mac = hmac.new(os.environ["LYSS_JWT_SECRET"].encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


@pytest.mark.parametrize("role", ["tenant_admin", "platform_admin"])
def test_nothing_answers_but_what_is_documented(role, tmp_path):
    headers = ["--header", f"Authorization: Bearer {token(role)}"]
    if role == "platform_admin":
        headers += ["--header", "X-Tenant-Id: default"]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{URL}/openapi.json", "--checks", CHECKS]
    command += ["--seed", "7"]
    ran = subprocess.run(command + headers, cwd=tmp_path, capture_output=True, text=True, timeout=1200)
    print(ran.stdout[-3000:])
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    tested = re.search(r"Tested: +(\d+)", ran.stdout)
    assert tested and int(tested.group(1)) >= 54, ran.stdout

"""Talks HTTP to a running notebook server."""
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

import pytest


def docker(*args):
    return subprocess.run(["docker", *args], check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture(scope="module")
def server():
    """The address of a server in a container of the image, on a port that was free."""
    container = docker(
        "run", "--detach", "--rm", "--publish", "127.0.0.1::8888", os.environ["TEST_IMAGE"],
        "jupyter", "server", "--ServerApp.token=secret",
    )
    try:
        port = docker("port", container, "8888/tcp").split(":")[-1]
        yield f"http://127.0.0.1:{port}"
    finally:
        docker("rm", "--force", container)


def get(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return json.load(response)
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_answers_with_its_version(server):
    assert get(f"{server}/api")["version"]


def test_asks_for_the_token(server):
    get(f"{server}/api")
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{server}/api/contents")
    assert refused.value.code == 403


def test_lists_files_with_the_token(server):
    assert get(f"{server}/api/contents?token=secret")["type"] == "directory"

"""Fixtures for the tests of every image: the action names the image in TEST_IMAGE."""
import os
import subprocess

import pytest


@pytest.fixture(scope="session")
def image():
    return os.environ["TEST_IMAGE"]


@pytest.fixture(scope="session")
def run(image):
    """Runs a command in a new container of the image and gives what it prints."""

    def run_command(*command):
        docker = ["docker", "run", "--rm", "--init", "--entrypoint", command[0], image, *command[1:]]
        result = subprocess.run(docker, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run_command

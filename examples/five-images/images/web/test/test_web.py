import os
import subprocess


def test_has_a_page():
    image = os.environ["TEST_IMAGE"]
    command = ["docker", "run", "--rm", image, "cat", "index.html"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "<!doctype html><title>web</title>"

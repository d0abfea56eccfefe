import os
import subprocess


def test_program():
    image = os.environ["TEST_IMAGE"]
    command = ["docker", "run", "--rm", image, "say-hello"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "hello"

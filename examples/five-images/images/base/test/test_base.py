import os
import subprocess


def test_user():
    image = os.environ["TEST_IMAGE"]
    command = ["docker", "run", "--rm", image, "whoami"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "app"

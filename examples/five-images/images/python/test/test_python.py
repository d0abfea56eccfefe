import os
import subprocess


def test_runs():
    image = os.environ["TEST_IMAGE"]
    command = ["docker", "run", "--rm", image, "python3", "-c", "print(6 * 7)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "42"

import os
import subprocess


def test_has_a_shell():
    command = ["docker", "run", "--rm", os.environ["TEST_IMAGE"], "sh", "-c", "exit 0"]
    subprocess.run(command, check=True)

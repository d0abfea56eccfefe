def test_runs_as_an_ordinary_user(run):
    assert run("id", "-u").strip() == "1000"


def test_has_python(run):
    assert run("python3", "-c", "print(6 * 7)").strip() == "42"

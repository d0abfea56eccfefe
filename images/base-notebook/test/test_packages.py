def test_has_a_jupyter_server(run):
    assert run("jupyter", "server", "--version").strip()

def test_numpy_computes(run):
    assert run("python3", "-c", "import numpy; print(numpy.arange(5).sum())").strip() == "10"

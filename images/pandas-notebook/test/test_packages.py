def test_pandas_computes(run):
    program = "import pandas; print(pandas.DataFrame({'a': [1, 2, 3]}).a.sum())"
    assert run("python3", "-c", program).strip() == "6"

def test_r_computes(run):
    assert run("Rscript", "-e", "cat(mean(c(1, 2, 3)))").strip() == "2"

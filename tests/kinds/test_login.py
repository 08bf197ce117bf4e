from contact_pipeline.profiles.reference import Reference


def test_a_login_takes_the_spelling_in_which_it_is_known(values_of):
    """D4: the portfolio column holds a user's login."""
    reference = Reference(logins=frozenset({"Test.User"}))
    assert values_of(["test.user", "TEST.USER", "nobody"], reference=reference, type="login") == [
        "Test.User", "Test.User", "nobody",
    ]  # fmt: skip

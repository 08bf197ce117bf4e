"""What columns are called where one heading stands over several."""

from contact_pipeline.headings.naming import has_reasons, labels, shown


def test_columns_of_one_heading_are_numbered_from_one():
    assert labels(["Phone", "Name", "Phone", "", ""]) == ["Phone#1", "Name", "Phone#2", "", ""]


def test_a_name_that_is_a_heading_already_is_not_given_again():
    assert labels(["Phone", "Phone", "Phone#2"]) == ["Phone#1", "Phone##2", "Phone#2"]


def test_the_reasons_are_called_as_no_other_column_of_the_file_is():
    assert has_reasons(["Email", "errors"], ["Email"])
    assert has_reasons(["Email", "Errors", "errors_2"], ["Email"])
    assert not has_reasons(["Email", "Errors", "errors"], ["Email"])


def test_a_long_heading_is_cut_in_a_sentence():
    assert shown(["Email", "x" * 100_000]) == f"'Email', '{'x' * 160}…'"

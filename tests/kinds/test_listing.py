from contact_pipeline.profiles.reference import Reference


def test_a_list_is_split_and_holds_each_registered_value_once(values_of):
    """D7: several qualifications are separated by a semicolon."""
    reference = Reference(vocabularies={"specialties": ("Cardiology", "Pediatrics")})
    column = {"type": "list", "vocabulary": "specialties", "kind": "list"}
    texts = ["cardiology;Pediatrics; CARDIOLOGY", "Surgery;pediatrics", " ; ", None]
    expected = [["Cardiology", "Pediatrics"], ["Surgery", "Pediatrics"], None, None]
    assert values_of(texts, reference=reference, **column) == expected


def test_a_word_for_a_blank_is_no_value_of_a_list(values_of):
    assert values_of(["CPA;-", "-;", "n/a; CPA"], type="list", choices=["CPA"]) == [["CPA"], None, ["CPA"]]


def test_a_separator_behind_a_backslash_is_part_of_a_value(values_of):
    texts = [r"very\, cool\, label", r"a\,b,c", "C:\\x,d", r"a\\,b", "a,,b"]
    expected = [["very, cool, label"], ["a,b", "c"], ["C:\\x", "d"], ["a\\,b"], ["a", "b"]]
    assert values_of(texts, type="list", kind="list", separator=",") == expected
    assert values_of([r"x\; y;z"], type="list", kind="list") == [["x; y", "z"]]

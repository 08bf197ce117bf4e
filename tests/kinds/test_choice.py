from contact_pipeline.profiles.reference import Reference


def test_a_choice_takes_its_registered_spelling(values_of):
    texts = ["medico", " MÉDICO ", "Médico", "other"]
    assert values_of(texts, type="choice", choices=["Médico", "Secretária"]) == ["Médico"] * 3 + ["other"]


def test_of_two_registered_spellings_the_first_is_taken(values_of):
    assert values_of(["MEDICO"], type="choice", choices=["Médico", "Medico"]) == ["Médico"]


def test_a_vocabulary_gives_the_registered_spelling(values_of):
    reference = Reference(vocabularies={"specialties": ("Cardiology",)})
    column = {"type": "choice", "vocabulary": "specialties"}
    assert values_of(["CARDIOLOGY"], reference=reference, **column) == ["Cardiology"]

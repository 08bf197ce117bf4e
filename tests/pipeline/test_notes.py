"""Date and upload stand beside every note of a contact."""

ANN = ("Ann Bee", "(202) 555-0143", "ann@example.com")
NEWER = ("Ann Bee", "(202) 555-0143", "ann.bee@example.com")


def test_a_note_says_when_and_by_which_upload_and_row_it_was_made(pipeline, leads):
    """E5: the value that a merge displaced is kept in a note, and whose it is can be seen."""
    leads(ANN)
    second = leads(NEWER)

    (noted,) = pipeline.store.note_origins(1)

    assert "ann@example.com" in noted["note"]
    assert (noted["upload_id"], noted["file_name"], noted["row_number"]) == (second.upload_id, second.file_name, 2)
    assert noted["at"] == f"{second.finished_at:%Y-%m-%dT%H:%M:%SZ}"


def test_a_note_that_was_undone_is_not_there_any_more(pipeline, leads):
    leads(ANN)
    second = leads(NEWER)
    pipeline.undo(second.upload_id, user="d.rivers")

    assert pipeline.store.note_origins(1) == []

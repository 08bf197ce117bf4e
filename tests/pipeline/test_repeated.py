"""The same file again: changes nothing, unless something else happened in between."""

ANN = ("Ann Bee", "(202) 555-0143", "ann@example.com")


def test_the_same_file_twice_in_a_row_changes_nothing(pipeline, outreach):
    """X3: the second upload is repeated and names the first."""
    first = pipeline.apply(outreach({"account": "A-1"}).upload_id)

    second = outreach({"account": "A-1"})

    assert (second.state, second.repeats) == ("repeated", first.upload_id)
    assert len(pipeline.store.contacts()) == 1


def test_the_same_file_after_another_one_is_a_new_upload(pipeline, outreach):
    """X3: files A, B, A."""
    pipeline.apply(outreach({"account": "A-1"}).upload_id)
    pipeline.apply(outreach({"account": "A-2"}, name="b.csv").upload_id)

    third = outreach({"account": "A-1"})

    assert third.state == "staged"
    assert third.duplicates["of_existing"] == 1


def test_the_same_bytes_for_another_group_are_a_new_upload(pipeline, outreach):
    """X3: options that affect content make it another upload."""
    pipeline.apply(outreach({"account": "A-1"}).upload_id)

    assert outreach({"account": "A-1"}, group="Autumn").state == "staged"


def test_a_staged_upload_is_not_repeated(pipeline, outreach):
    """X3: only what is applied can be repeated."""
    outreach({"account": "A-1"})

    assert outreach({"account": "A-1"}).state == "staged"


def test_leads_applied_before_are_asked_for_force(pipeline, leads, write):
    """X3: applying the same bytes again would make leads again."""
    leads(ANN)
    leads(("Cy Dee", "(202) 555-0144", ""), name="other.csv")
    file = write("leads.csv", ["Name", "Phone", "Email"], [ANN])

    refused = pipeline.plan(file, "dealer_leads", user="d.rivers", lead_type="SMS")
    forced = pipeline.plan(file, "dealer_leads", user="d.rivers", lead_type="SMS", force=True)

    assert (refused.state, refused.reason["code"]) == ("refused", "applied-before")
    assert forced.state == "staged"


def test_the_same_bytes_with_other_users_are_a_new_upload(pipeline, write, tmp_path):
    """X3: whose login was unknown is known now, in a profile that has a column of logins, and in no other."""
    profile = pipeline.settings.profiles_path / "owned.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    owned = """
name: owned
title: Owned
address_book: owned
file: {types: [csv]}
headings: exact
columns:
  - {field: email, heading: Email, type: email}
  - {field: owner, heading: Owner, type: login}
match: [{equal: [email]}]
on_error: reject
apply: approval
"""
    profile.write_text(owned)
    plain = profile.with_name("plain.yaml")
    plain.write_text(owned.replace("name: owned", "name: plain").replace("book: owned", "book: plain")
                     .replace(", type: login", ""))  # fmt: skip
    file = write("owned.csv", ["Email", "Owner"], [("a@example.com", "d.rivers"), ("b@example.com", "n.brook")])
    for name in ("owned", "plain"):
        pipeline.apply(pipeline.plan(file, name, allow_rejected=100).upload_id)
    assert pipeline.plan(file, "owned", allow_rejected=100).state == "repeated"

    users = tmp_path / "more.yaml"
    users.write_text(
        "".join(f"- {{login: {login}, name: N, roles: [director]}}\n" for login in ("d.rivers", "n.brook"))
    )
    pipeline.store.load_users(users)

    again = pipeline.plan(file, "owned", allow_rejected=100)
    assert (again.state, again.outcomes["created"]) == ("staged", 1)
    assert pipeline.plan(file, "plain", allow_rejected=100).state == "repeated"


def test_the_same_bytes_with_other_registered_values_are_a_new_upload(pipeline, write, tmp_path):
    """X3: what was not registered is now."""
    profile = pipeline.settings.profiles_path / "trades.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    profile.write_text("""
name: trades
title: Trades
address_book: trades
file: {types: [csv]}
headings: exact
columns:
  - {field: email, heading: Email, type: email}
  - {field: trade, heading: Trade, type: choice, vocabulary: trades}
match: [{equal: [email]}]
on_error: reject
apply: approval
""")
    words = tmp_path / "words.txt"
    file = write("trades.csv", ["Email", "Trade"], [("a@example.com", "Mason"), ("b@example.com", "Baker")])
    words.write_text("Mason\n")
    pipeline.store.load_vocabulary("trades", words)
    pipeline.apply(pipeline.plan(file, "trades", allow_rejected=100).upload_id)
    assert pipeline.plan(file, "trades", allow_rejected=100).state == "repeated"

    words.write_text("Mason\nBaker\n")
    pipeline.store.load_vocabulary("trades", words)

    assert pipeline.plan(file, "trades", allow_rejected=100).outcomes["created"] == 1

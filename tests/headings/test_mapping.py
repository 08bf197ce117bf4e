import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.headings.mapping import Mapping, map_headings
from contact_pipeline.profiles import load_profile


def mapped(profile, *headings, chosen=None):
    return map_headings(list(headings), [f"raw {n}" for n in range(len(headings))], load_profile(profile), chosen)


def refused(profile, *headings, chosen=None):
    with pytest.raises(Refusal) as refusal:
        mapped(profile, *headings, chosen=chosen)
    return refusal.value


PROPERTY = ("First Name", "Last Name", "Email", "Phone", "Company", "Address", "City", "Postcode")
ACCOUNTS = tuple(column.heading for column in load_profile("portfolio_accounts").columns)
OUTREACH = tuple(column.heading for column in load_profile("outreach_contacts").columns)


def test_an_exact_set_of_headings_is_taken_in_any_order():
    """A4: exact heading set in any order."""
    mapping = mapped("property_contacts", *reversed(PROPERTY))

    assert mapping.fields["raw 0"] == "zip_code"
    assert mapping.fields["raw 7"] == "first_name"
    assert mapping.ignored == []


def test_space_and_case_of_a_heading_do_not_matter():
    mapping = mapped("property_contacts", " first  name\n", *PROPERTY[1:])

    assert mapping.fields["raw 0"] == "first_name"


def test_a_missing_heading_refuses_the_file():
    """A4: a missing heading refuses the file, naming it."""
    refusal = refused("property_contacts", *PROPERTY[1:])

    assert refusal.code == "headings"
    assert "'First Name' is missing" in refusal.message


def test_a_renamed_heading_is_named_with_the_nearest():
    """A4: a renamed heading refuses the file, naming it and the nearest expected heading."""
    refusal = refused("property_contacts", "First Name", "Last Name", "E-mail address", *PROPERTY[3:])

    assert "'Email' is missing (is 'E-mail address' meant to be it?)" in refusal.message
    assert "'E-mail address' (column C) is not expected; the nearest is 'Email'" in refusal.message


def test_one_heading_for_one_missing_is_taken_for_its_new_name():
    """A4: naming the nearest expected heading."""
    refusal = refused("property_contacts", "First Name", "Last Name", "Correo", *PROPERTY[3:])

    assert "'Correo' (column C) is not expected; the nearest is 'Email'" in refusal.message


def test_an_extra_heading_refuses_the_file():
    """A4: an extra heading refuses the file, naming it."""
    refusal = refused("property_contacts", *PROPERTY, "Fax", "")

    assert "'Fax' (column I) is not expected" in refusal.message
    assert "column J has no heading" in refusal.message


def test_a_heading_that_stands_twice_refuses_the_file():
    """A4: a duplicated heading refuses the file."""
    refusal = refused("property_contacts", *PROPERTY, "EMAIL")

    assert "'Email' stands in columns C and I" in refusal.message


def test_the_column_of_reasons_may_stay_in_corrected_rows():
    """B8: rejected rows can be corrected and dropped again."""
    mapping = mapped("property_contacts", *PROPERTY, "errors")

    assert len(mapping.fields) == 8
    assert mapping.ignored == ["errors"]


def test_contact_columns_of_accounts_stand_at_f_to_i():
    """D5: F Contact Name, G Contact Type, H Contact Phone, I Contact Email, literally in those columns."""
    mapping = mapped("portfolio_accounts", *ACCOUNTS)

    assert [mapping.fields[f"raw {n}"] for n in range(5, 9)] == [
        "contact_name", "contact_type", "contact_phone", "contact_email",
    ]  # fmt: skip


def test_contact_columns_elsewhere_refuse_the_file():
    """D5: literally in those columns."""
    refusal = refused("portfolio_accounts", *ACCOUNTS[:7], ACCOUNTS[8], ACCOUNTS[7])

    assert "'Contact Phone' must stand in column H, not I" in refusal.message
    assert "'Contact Email' must stand in column I, not H" in refusal.message


def test_an_empty_first_column_moves_the_letters():
    """D5: literally in those columns."""
    assert "must stand in column F, not G" in refused("portfolio_accounts", "", *ACCOUNTS).message


def test_all_headings_are_required_and_extras_are_ignored_and_listed():
    """B2: all eight headings are required."""
    mapping = mapped("outreach_contacts", "Region", *OUTREACH, "Source", "")

    assert list(mapping.fields.values()) == [column.field for column in load_profile("outreach_contacts").columns]
    assert mapping.ignored == ["Region", "Source"]


def test_a_heading_of_all_that_is_missing_refuses_the_file():
    """B2: all eight headings are required."""
    refusal = refused("outreach_contacts", *OUTREACH[:-1], "ZIP")

    assert refusal.code == "headings"
    assert "'Zip code' is missing" in refusal.message


def test_columns_are_mapped_by_their_headings():
    """E6: file columns are mapped to fields."""
    mapping = mapped("dealer_leads", "Customer", "CELL_PHONE", "E-Mail", "Model")

    assert mapping == Mapping(fields={"raw 0": "full_name", "raw 1": "phone", "raw 2": "email"}, ignored=["Model"])


def test_a_choice_goes_before_the_headings():
    """E6: the mapping can be overridden per upload."""
    mapping = mapped("dealer_leads", "Who", "Phone", "Mobile", chosen={"who": "full_name", "Mobile": "phone"})

    assert mapping.fields == {"raw 0": "full_name", "raw 2": "phone"}
    assert mapping.ignored == ["Phone"]


def test_two_headings_for_one_field_fill_it_in_the_profiles_order():
    """E6: file columns are mapped to fields."""
    mapping = mapped("dealer_leads", "Name", "Mobile", "Phone")

    assert mapping.fields == {"raw 0": "full_name", "raw 2": "phone", "raw 1": "phone"}
    assert list(mapping.fields) == ["raw 0", "raw 2", "raw 1"]


def test_columns_chosen_for_one_field_fill_it_in_the_order_chosen():
    """E6: the mapping can be overridden per upload."""
    mapping = mapped("dealer_leads", "Name", "A", "B", "Mobile", chosen={"B": "phone", "A": "phone"})

    assert list(mapping.fields) == ["raw 0", "raw 2", "raw 1"]
    assert mapping.ignored == ["Mobile"]


def test_a_chosen_heading_that_is_not_there_is_refused_with_the_nearest():
    refusal = refused("dealer_leads", "Name", "Phone", chosen={"Fone": "phone"})

    assert refusal.code == "mapping"
    assert "'Fone' is not a heading" in refusal.message
    assert "Did you mean 'Phone'?" in refusal.message


def test_the_same_heading_twice_is_mapped_by_position():
    assert list(mapped("dealer_leads", "Name", "Phone", "Phone").fields) == ["raw 0", "raw 1", "raw 2"]
    second = mapped("dealer_leads", "Name", "Phone", "Phone", chosen={"Phone#2": "phone"})
    assert (list(second.fields), second.ignored) == (["raw 0", "raw 2"], ["Phone#1"])


def test_a_heading_without_a_number_means_every_column_of_that_name_not_named_by_number():
    assert list(mapped("dealer_leads", "x", "x", "Phone", chosen={"x": "full_name"}).fields) == [
        "raw 0",
        "raw 1",
        "raw 2",
    ]
    both = mapped("dealer_leads", "x", "x", "Phone", chosen={"x#2": "email", "x": "full_name"})
    assert both.fields == {"raw 0": "full_name", "raw 1": "email", "raw 2": "phone"}


def test_a_heading_with_a_number_sign_of_its_own_is_found_first():
    mapping = mapped("dealer_leads", "Name", "No", "No", "No#2", chosen={"No#2": "phone"})
    assert mapping.fields == {"raw 0": "full_name", "raw 3": "phone"}
    assert mapping.ignored == ["No#1", "No##2"]


def test_a_number_that_no_column_of_that_heading_has_is_refused():
    assert (
        "'Phone#3' is not a heading"
        in refused("dealer_leads", "Name", "Phone", "Phone", chosen={"Phone#3": "phone"}).message
    )


def test_a_chosen_field_that_is_not_there_is_refused_with_the_nearest():
    refusal = refused("dealer_leads", "Name", "Phone", chosen={"Phone": "phones"})

    assert "'phones' is not a field" in refusal.message
    assert "Did you mean 'phone'?" in refusal.message


def test_a_required_field_that_is_not_mapped_is_refused_with_the_nearest_heading():
    """E6: starred fields must be mapped."""
    refusal = refused("dealer_leads", "Name", "Fone", "Model")

    assert refusal.code == "mapping"
    assert "phone* (nearest heading: 'Fone'), email*" in refusal.message
    assert '"Fone=phone"' in refusal.fix


def test_half_a_name_does_not_do():
    """E6: starred fields must be mapped."""
    refusal = refused("dealer_leads", "First name", "Phone")

    assert "full_name*, last_name*" in refusal.message
    assert mapped("dealer_leads", "First name", "Last name", "Phone").ignored == []


def test_fixed_headings_are_not_mapped():
    assert refused("property_contacts", *PROPERTY, chosen={"Email": "email"}).code == "mapping"


@pytest.mark.parametrize(
    "headings", [("colour", "shape", "weight"), ("Ada", "ada@example.com", "x"), ("Klubi", "Pikkus"), ("", "A\nB")]
)
@pytest.mark.parametrize("profile", ["dealer_leads", "outreach_contacts", "property_contacts"])
def test_a_file_of_which_no_heading_is_known_is_refused_with_its_headings_and_those_known(headings, profile):
    refusal = refused(profile, *headings)

    assert refusal.code == "headings-unknown"
    assert all(f"'{heading}'".replace("\n", " ") in refusal.message for heading in headings if heading)
    assert "'Email'" in refusal.message
    assert ("--map" in refusal.fix) == (profile == "dealer_leads")
    assert "\n" not in refusal.message + refusal.fix


def test_a_profile_that_needs_no_field_takes_no_file_of_which_no_heading_is_known():
    profile = load_profile("dealer_leads").model_copy(update={"rules": []})

    with pytest.raises(Refusal) as refusal:
        map_headings(["colour", "shape"], ["colour", "shape"], profile)
    assert refusal.value.code == "headings-unknown"
    assert map_headings(["colour", "shape"], ["colour", "shape"], profile, {"shape": "phone"}).fields == {
        "shape": "phone"
    }


def test_what_the_cells_hold_is_said_where_no_heading_is_known():
    headings = ["Kolonne 1", "Kolonne 2"]
    with pytest.raises(Refusal) as refusal:
        map_headings(headings, headings, load_profile("dealer_leads"), holds={"Kolonne 2": "email"})

    assert refusal.value.code == "headings-unknown"
    assert "'Kolonne 2' may be email" in refusal.value.message
    assert '--map "Kolonne 2=email"' in refusal.value.fix

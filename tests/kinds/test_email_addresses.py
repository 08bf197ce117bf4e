"""E-mail addresses that need no asking."""

from email_validator import SPECIAL_USE_DOMAIN_NAMES

from contact_pipeline.kinds import email_addresses


def test_nobody_has_mail_in_the_domains_in_which_the_library_says_so():
    assert set(email_addresses.NO_MAIL) == set(SPECIAL_USE_DOMAIN_NAMES)

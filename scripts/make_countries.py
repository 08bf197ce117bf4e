"""Makes contact_pipeline/profiles/countries.tsv: the names of countries in every language that Unicode CLDR knows well.

Babel is needed only here: `uv run --with babel==2.19.0 scripts/make_countries.py`. A name that means different
countries in different languages is left out, unless it is English.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import babel
from babel.core import Locale, get_cldr_version, get_global
from babel.localedata import locale_identifiers

from contact_pipeline.profiles.countries import country_codes, folded

TARGET = Path(__file__).parents[1] / "contact_pipeline" / "profiles" / "countries.tsv"
MOST_OF_THEM = 240  # countries that a language must name


def main() -> None:
    """Writes the file."""
    codes = country_codes()
    meant: dict[str, set[str]] = defaultdict(set)
    for identifier in locale_identifiers():
        named = {code: name for code, name in Locale.parse(identifier).territories.items() if code in codes}
        if len(named) >= MOST_OF_THEM:
            for code, name in named.items():
                meant[folded(name)].add(code)
    english = {folded(name): code for code, name in Locale.parse("en").territories.items() if code in codes}
    alpha_3 = {
        each.casefold(): code
        for each, (code, *others) in get_global("territory_aliases").items()
        if len(each) == 3 and each.isalpha() and not others and code in codes
    }
    names = {name: next(iter(found)) for name, found in meant.items() if len(found) == 1} | english | alpha_3
    of_code: dict[str, list[str]] = defaultdict(list)
    for name, code in names.items():
        if name:
            of_code[code].append(name)
    made_from = f"Unicode CLDR {get_cldr_version()} (Babel {babel.__version__}), made by scripts/make_countries.py"
    lines = [f"# Names of countries, folded, of {made_from}. Copyright Unicode, Inc.; Unicode License v3."]
    lines += ["\t".join([code, *sorted(of_code[code])]) for code in sorted(codes)]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

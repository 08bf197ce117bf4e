"""Made-up people, in ranges that belong to nobody.

- E-mail addresses at example.com, .net and .org (RFC 2606).
- US telephone numbers 555-0100 to 555-0199, kept free for fiction; British ones out of the ranges that Ofcom keeps
  free for drama; Brazilian ones as 5555-01xx, since Brazil keeps none free.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def _words(text: str) -> list[str]:
    return text.split()


US_FIRST_NAMES = _words(
    "Aaliyah Abel Adele Alden Amara Anders Anita Ari Beatriz Benoît Bianca Brooks Calla Carlos Cedric Clara Dalia "
    "Darnell Devon Dolores Edith Elias Elena Emeka Esther Farah Felix Flora Gideon Greta Hana Harlan Helena Idris "
    "Ingrid Isaac Ivy Jamal Jarek Joaquín Judith Kamala Keiko Kwame Lars Leila Lionel Luz Malik Marisol Mei Nadia "
    "Nolan Odette Omar Paloma Quentin Renée Rohan Rosa Samira Silas Tamsin Theo Uma Vera Wendell Ximena Yusuf Zora"
)
US_LAST_NAMES = _words(
    "Abbott Acheson Alvarez Asante Bancroft Barros Becerra Bellweather Birdsong Calloway Castellanos Chaudhry Cordova "
    "Crane Delacroix Delgado Dempsey Eastwood Ekström Fairbanks Farrow Figueroa Galloway Garland Greenleaf Haddad "
    "Hawthorne Holloway Ibarra Ito Jankowski Kapoor Kessler Langston Larkspur Lindqvist Maldonado Marlowe Mbeki "
    "Merriweather Nakamura Nightingale O'Hara Oduya Okafor Pemberton Pereira Prescott Quintero Ravenscroft Rutherford "
    "Sandoval Sinclair Sokolov Somerset Tanaka Thackeray Underhill Valdez Vance Whitfield Winslow Yamamoto Zamora"
)
UK_FIRST_NAMES = _words(
    "Ailsa Alistair Bronwen Callum Cerys Declan Eleri Fergus Gwen Hamish Imani Isla Jago Kirsty Lowri Morag Niamh "
    "Oisín Priya Rhys Saoirse Tariq Una Wren Yasmin"
)
UK_LAST_NAMES = _words(
    "Ashdown Blackwood Carrick Davenport Ellsworth Fairclough Gallagher Hartley Inglewood Kilbride Lockhart Maddox "
    "Northcott Osborne-Pike Pritchard Ramsbottom Strachan Thistlewood Wetherby Yarwood"
)
BR_FIRST_NAMES = _words(
    "Adriana Aline Beatriz Caio Camila Cecília Davi Eduarda Fabiana Flávio Gustavo Heloísa Igor Joana Júlia Leandro "
    "Lívia Luís Marina Mateus Natália Otávio Paula Rafael Renata Sérgio Tânia Ulisses Vitória Yara"
)
BR_LAST_NAMES = _words(
    "Abreu Almeida Azevedo Barbosa Brandão Cardoso Carvalho Conceição Duarte Esteves Falcão Ferraz Guimarães Leitão "
    "Macedo Medeiros Nogueira Paixão Peixoto Queiroz Rezende Sampaio Siqueira Teixeira Vasconcelos Xavier"
)

US_AREA_CODES = (202, 212, 215, 303, 305, 312, 313, 404, 405, 414, 503, 602, 617, 773, 816, 919)
UK_TOWNS = {"London": ("20 7946", "SW1A"), "Manchester": ("161 496", "M1"), "Edinburgh": ("131 496", "EH1")}
BR_AREA_CODES = (11, 19, 21, 31, 41, 51, 61, 71, 81)


@dataclass(frozen=True)
class Person:
    """Somebody whose name, e-mail address and telephone number nobody else in the address book has."""

    first: str
    last: str
    email: str
    phone: str

    @property
    def full(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


def americans(rng: random.Random) -> Iterator[Person]:
    """Ever new people in the United States."""
    digits = [f"{area}55501{line:02d}" for area in US_AREA_CODES for line in range(100)]
    return _people(rng, US_FIRST_NAMES, US_LAST_NAMES, [us_phone(rng, number) for number in digits])


def britons(rng: random.Random) -> Iterator[Person]:
    """Ever new people in Britain."""
    phones = [f"+44 {code} 0{line:03d}" for code, _ in UK_TOWNS.values() for line in range(0, 1000, 4)]
    return _people(rng, UK_FIRST_NAMES, UK_LAST_NAMES, phones)


def brazilians(rng: random.Random) -> Iterator[Person]:
    """Ever new people in Brazil."""
    phones = [f"({area}) 5555-01{line:02d}" for area in BR_AREA_CODES for line in range(100)]
    return _people(rng, BR_FIRST_NAMES, BR_LAST_NAMES, phones)


def us_phone(rng: random.Random, phone: str) -> str:
    """The US telephone number in one of the ways people write them."""
    digits = re.sub(r"\D", "", phone)[-10:]
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    dashes = f"{area}-{exchange}-{line}"
    return rng.choice(
        (f"({area}) {exchange}-{line}", dashes, dashes.replace("-", "."), f"+1 {area} {exchange} {line}", digits)
    )


def _people(
    rng: random.Random, first_names: Sequence[str], last_names: Sequence[str], phones: list[str]
) -> Iterator[Person]:
    names = [(first, last) for first in first_names for last in last_names]
    rng.shuffle(names)
    rng.shuffle(phones)
    for (first, last), phone in zip(names, phones, strict=False):
        domain = rng.choice(("example.com", "example.net", "example.org"))
        yield Person(first, last, f"{_plain(first)}.{_plain(last)}@{domain}", phone)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if "a" <= letter <= "z")

"""The usual slips in the domains of e-mail addresses: hinted at, never corrected, as somebody may own the domain."""

from __future__ import annotations

from typing import Final

_SLIPS: Final[dict[str, str]] = {
    "gmail.com": "gamil.com gmial.com gmai.com gmal.com gmil.com gnail.com gmaill.com gmail.co gmail.con gmail.cm "
    "gmail.om gmaul.com gmsil.com ggmail.com gmail.comm gimail.com",
    "yahoo.com": "yaho.com yahooo.com yhaoo.com yhoo.com yahoo.co yahoo.con yahoo.cm yaoo.com",
    "hotmail.com": "hotmial.com hotmal.com hotmai.com hotmil.com hotamil.com hotnail.com hotmaill.com hotmail.co "
    "hotmail.con hotmail.cm homail.com",
    "outlook.com": "outlok.com outloo.com outllook.com outlook.co outlook.con otulook.com",
    "icloud.com": "iclod.com icloud.co icloud.con iclould.com",
    "aol.com": "aol.co aol.con",
    "comcast.net": "comcast.ne comcat.net",
}

MEANT: Final[dict[str, str]] = {slip: right for right, slips in _SLIPS.items() for slip in slips.split()}
MISTAKEN_DOMAIN: Final = f"@(?:{'|'.join(slip.replace('.', chr(92) + '.') for slip in MEANT)})$"

"""The dashboard page: all uploads, those that wait for somebody, and volumes and error rates of profiles over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from contact_pipeline.contracts.states import PLANNED, STATES
from contact_pipeline.pages.page import draw
from contact_pipeline.pages.served import FORMS, Served
from contact_pipeline.store.overview import WEEKS, Overview, Week

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

PAGE: Final = 50
_WIDTH, _HEIGHT = 520, 96  # of a chart
_COLUMN: Final = _WIDTH / WEEKS


@dataclass(frozen=True, slots=True)
class Bar:
    """A week in a chart: its counts, its bar, and the height of its error rate."""

    week: Week
    x: float
    y: float
    height: float
    rate_y: float

    @property
    def width(self) -> float:
        """The width of its bar."""
        return round(_COLUMN - 4, 1)

    @property
    def rate(self) -> float:
        """Errors per 100 rows."""
        return rate(self.week.errors, self.week.rows)


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart of a profile: a bar for the rows of each week, and a line for the errors per 100 rows."""

    profile: str
    bars: Sequence[Bar]
    most_rows: int
    most_rate: float

    @property
    def line(self) -> str:
        """The points of the line of error rates."""
        return " ".join(f"{bar.x + bar.width / 2:.1f},{bar.rate_y:.1f}" for bar in self.bars)

    @property
    def uploads(self) -> int:
        """Uploads of all weeks."""
        return sum(bar.week.uploads for bar in self.bars)

    @property
    def rows(self) -> int:
        """Rows of all weeks."""
        return sum(bar.week.rows for bar in self.bars)

    @property
    def rate(self) -> float:
        """Errors per 100 rows, over all weeks."""
        return rate(sum(bar.week.errors for bar in self.bars), self.rows)


def rate(errors: int, rows: int) -> float:
    """Errors per 100 rows."""
    return 100 * errors / rows if rows else 0.0


def dashboard_page(
    overview: Overview,
    uploads: Sequence[Upload],
    waiting: Sequence[Upload],
    asked: Mapping[str, Any],
    served: Served,
    *,
    offset: int = 0,
) -> str:
    """The dashboard.

    Args:
        overview: facts about all uploads.
        uploads: the selected uploads of this page.
        waiting: the uploads to show as waiting for somebody.
        asked: profile, state, since (text) and waiting, by which uploads are selected.
        served: the address of the page, and its visitor.
        offset: how many newer uploads are on earlier pages.
    """
    return draw(
        "dashboard.html",
        styles=("static/served.css",),
        allowed=FORMS,
        served=served,
        overview=overview,
        uploads=uploads,
        waiting=waiting,
        roles={upload.upload_id: _roles(upload) for upload in waiting},
        asked=asked,
        states=list(STATES),
        planned=PLANNED,
        charts=charts(overview.weeks),
        chart_size=(_WIDTH, _HEIGHT),
        first=offset + 1,
        last=offset + len(uploads),
        newer=_query_of_page(asked, max(offset - PAGE, 0)) if offset else None,
        older=_query_of_page(asked, offset + PAGE) if offset + len(uploads) < overview.found else None,
    )


def charts(weeks: Sequence[Week]) -> list[Chart]:
    """A chart for each profile, all over the same weeks."""
    if not weeks:
        return []
    begin = max(week.monday for week in weeks) - timedelta(weeks=WEEKS - 1)
    return [
        _chart(profile, list(of_profile), begin) for profile, of_profile in groupby(weeks, lambda week: week.profile)
    ]


def _chart(profile: str, weeks: Sequence[Week], begin: datetime) -> Chart:
    most_rows = max(week.rows for week in weeks)
    most_rate = max(rate(week.errors, week.rows) for week in weeks)
    bars = []
    for week in weeks:
        height = max(_HEIGHT * week.rows / most_rows, 1)
        high = _HEIGHT * rate(week.errors, week.rows) / most_rate if most_rate else 0
        place = (week.monday - begin).days // 7
        bars.append(
            Bar(week, round(place * _COLUMN + 2, 1), round(_HEIGHT - height, 1), round(height, 1), _HEIGHT - high)
        )
    return Chart(profile, bars, most_rows, most_rate)


def _roles(upload: Upload) -> str:
    """The roles of which a user needs one to decide on the upload; empty: anybody may."""
    asked = (upload.line.read_profile() or {}).get("roles")
    return " or ".join(asked["any_of"]) if asked else ""


def _query_of_page(asked: Mapping[str, Any], offset: int) -> str:
    """The query of another page of the same uploads."""
    given = {name: value for name, value in asked.items() if value}
    return urlencode(given | ({"offset": offset} if offset else {}))

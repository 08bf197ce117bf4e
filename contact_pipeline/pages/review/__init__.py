"""The review page of one upload: what it would do, did, or what stopped it, in one file to open, search and print."""

from contact_pipeline.pages.review.everything import write_everything
from contact_pipeline.pages.review.review import Review, review_page, write_review

__all__ = ["Review", "review_page", "write_everything", "write_review"]

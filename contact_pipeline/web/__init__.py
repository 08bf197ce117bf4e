"""The pages that `serve` serves beside Dagster, and the forms on them: a Starlette app that knows no Dagster.

`app` has the routes, `guard` says whose requests are answered at all, `visitor` who asks and what they may do, `forms`
reads what a browser sends, `deciding` makes calls of `Pipeline` of it, and `desk` does them in threads. The pages
themselves are drawn in `pages`. Nothing can be done here that the command line cannot do.
"""

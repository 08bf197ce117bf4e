"""The pages and forms that `serve` offers beside Dagster: a Starlette app that does not know Dagster.

`app` has the routes, `gate` refuses foreign requests, `visitor` tells who asks and what they may do, `forms` reads
what a browser sends, `deciding` turns it into calls of `Pipeline`, and `desk` runs these in threads. The pages
themselves are drawn in `pages`. Nothing can be done here that the command line cannot do.
"""

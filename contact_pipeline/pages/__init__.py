"""Pages for people: HTML from templates that needs no other file, with a policy of what a browser may do in it.

`page` draws a template, `shown` formats numbers, times and sizes, `templates/base.html` and
`static/base.css` have what all pages share, and `review` is the page of one upload. Nothing here changes anything.
"""
